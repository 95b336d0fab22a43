import { availableParallelism } from 'node:os';
import { defineOptions, option, type HelpText } from '../../pkg/config/index.js';
import { LOG_LEVELS } from '../../pkg/log/index.js';

const stateDir = option.path({
  flag: 'state-dir',
  env: 'SWARM_STATE_DIR',
  help: 'Folder in which this node keeps its key, its certificate and a copy of its assignments.',
  default: '/var/lib/swarm-agent',
});

/** Several starts per core keep an engine busy; more only make all of them late. */
const STARTS_PER_CORE = 4;

/** Options of `swarm-agent join`. */
export const joinOptions = defineOptions({
  managers: option.hostPortList({
    flag: 'manager',
    env: 'SWARM_MANAGERS',
    help: 'Addresses of one or more managers.',
    required: true,
  }),
  tokenFile: option.path({
    flag: 'token-file',
    env: 'SWARM_JOIN_TOKEN_FILE',
    help: 'File with the join token. Default: the token in the variable SWARM_JOIN_TOKEN.',
  }),
  stateDir,
  hostname: option.string({
    flag: 'hostname',
    env: 'SWARM_HOSTNAME',
    help: "Name of this node. Default: the machine's.",
    pattern: /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/,
    expected: 'a host name of letters, digits, dots and dashes',
  }),
  availability: option.enum({
    flag: 'availability',
    env: 'SWARM_AVAILABILITY',
    help: 'Whether the node takes tasks at once.',
    values: ['active', 'pause', 'drain'],
    default: 'active',
  }),
});

/** Options of `swarm-agent run`. */
export const runOptions = defineOptions({
  stateDir,
  dockerHost: option.string({
    flag: 'docker-host',
    env: 'DOCKER_HOST',
    help: "The Docker Engine to use. Default: Docker's own socket.",
  }),
  metricsListen: option.hostPort({
    flag: 'metrics-listen',
    env: 'SWARM_METRICS_LISTEN',
    help: 'Address of /metrics, /healthz and /readyz.',
    default: '127.0.0.1:2378',
  }),
  startConcurrency: option.integer({
    flag: 'start-concurrency',
    env: 'SWARM_START_CONCURRENCY',
    help: `Containers that are created or started at once; ${String(STARTS_PER_CORE)} per core by default.`,
    default: String(STARTS_PER_CORE * availableParallelism()),
    min: 1,
    max: 1024,
  }),
  logLevel: option.enum({
    flag: 'log-level',
    env: 'SWARM_LOG_LEVEL',
    help: 'What is logged, as JSON lines to standard error.',
    values: LOG_LEVELS,
    default: 'info',
  }),
});

/** What `--help` says of each command beside its options. */
export const HELP = {
  join: {
    name: 'swarm-agent join',
    summary:
      'Makes this machine a node of a cluster: checks the cluster by the token, makes a key and gets a\ncertificate for it. Run it once; then start `swarm-agent run`.',
    examples: [
      'SWARM_JOIN_TOKEN=SWMTKN-1-… swarm-agent join --manager 10.0.0.1:2377',
      'swarm-agent join --manager 10.0.0.1:2377,10.0.0.2:2377 --token-file /run/token --availability drain',
    ],
  },
  run: {
    name: 'swarm-agent run',
    summary:
      'Makes the Docker Engine of this machine run the tasks that are assigned to this node. When it is\nstopped, containers go on; when it starts again, it takes them over.',
    examples: [
      'swarm-agent run',
      'swarm-agent run --state-dir /srv/agent --docker-host unix:///run/docker.sock --metrics-listen :2378',
    ],
  },
} satisfies Record<string, HelpText>;

/** What `swarm-agent --help` says. */
export const OVERVIEW = `Usage: swarm-agent COMMAND [options]

Runs containers on this machine for a Swarmkeeper cluster.

Commands:
  join    Become a node of a cluster, once per machine
  run     Do the node's work, until it is stopped

Examples:
  SWARM_JOIN_TOKEN=SWMTKN-1-… swarm-agent join --manager 10.0.0.1:2377
  swarm-agent run

Run 'swarm-agent COMMAND --help' for the options of a command.
`;
