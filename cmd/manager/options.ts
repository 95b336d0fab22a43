import { defineOptions, option, type HelpText } from '../../pkg/config/index.js';
import { LOG_LEVELS } from '../../pkg/log/index.js';

/** How to reach etcd; the same for every command. */
const etcd = {
  etcdEndpoints: option.urlList({
    flag: 'etcd-endpoints',
    env: 'SWARM_ETCD_ENDPOINTS',
    help: 'URLs of the members of etcd; all http or all https.',
    required: true,
  }),
  etcdCacert: option.path({
    flag: 'etcd-cacert',
    env: 'SWARM_ETCD_CACERT',
    help: 'PEM file of the authorities that signed the certificates of etcd; needed for https.',
  }),
  etcdCert: option.path({
    flag: 'etcd-cert',
    env: 'SWARM_ETCD_CERT',
    help: 'PEM file of the certificate to show to etcd; needed for https.',
  }),
  etcdKey: option.path({
    flag: 'etcd-key',
    env: 'SWARM_ETCD_KEY',
    help: 'PEM file of its private key; needed for https.',
  }),
  etcdPrefix: option.string({
    flag: 'etcd-prefix',
    env: 'SWARM_ETCD_PREFIX',
    help: 'Beginning of all our keys, so that several clusters can share an etcd.',
    default: '/swarm',
    pattern: /^\/[A-Za-z0-9._/-]*[A-Za-z0-9]$/,
    expected: 'a path such as /swarm that does not end with a slash',
  }),
} as const;

const stateDir = option.path({
  flag: 'state-dir',
  env: 'SWARM_STATE_DIR',
  help: 'Folder of the encryption key and the certificate of this manager. Nothing else is kept.',
  default: '/var/lib/swarm-manager',
});

const advertise = option.hostPort({
  flag: 'advertise',
  env: 'SWARM_ADVERTISE',
  help: 'Address at which nodes, other managers and people reach this one.',
  required: true,
});

const logLevel = option.enum({
  flag: 'log-level',
  env: 'SWARM_LOG_LEVEL',
  help: 'What is logged, as JSON lines to standard error.',
  values: LOG_LEVELS,
  default: 'info',
});

/** Options of `swarm-manager init`. */
export const initOptions = defineOptions({
  ...etcd,
  stateDir,
  advertise,
  clusterName: option.string({
    flag: 'cluster-name',
    env: 'SWARM_CLUSTER_NAME',
    help: 'Name of the context that is written for swarmctl.',
    default: 'default',
    pattern: /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/,
    expected: 'letters, digits, dots, dashes and underscores',
  }),
  adminContextFile: option.path({
    flag: 'admin-context-file',
    env: 'SWARM_ADMIN_CONTEXT_FILE',
    help: "File for swarmctl's context with the first admin certificate; other contexts in it stay. Default: admin.yaml in the state folder.",
  }),
});

/** Options of `swarm-manager restore`. */
export const restoreOptions = defineOptions({
  ...etcd,
  stateDir,
  file: option.path({
    flag: 'file',
    env: 'SWARM_BACKUP_FILE',
    help: 'What `swarmctl cluster backup` wrote.',
    required: true,
  }),
});

/** Options of `swarm-manager run`. */
export const runOptions = defineOptions({
  ...etcd,
  stateDir,
  advertise,
  listen: option.hostPort({
    flag: 'listen',
    env: 'SWARM_LISTEN',
    help: 'Address of the API (TLS).',
    default: '0.0.0.0:2377',
  }),
  metricsListen: option.hostPort({
    flag: 'metrics-listen',
    env: 'SWARM_METRICS_LISTEN',
    help: 'Address of /metrics, /healthz and /readyz.',
    default: '127.0.0.1:2376',
  }),
  logLevel,
});

/** What `--help` says of each command beside its options. */
export const HELP = {
  init: {
    name: 'swarm-manager init',
    summary:
      'Makes a cluster in etcd: its root certificate, join tokens, encryption key, and the first admin\ncertificate. Run it once; then start `swarm-manager run`. Exit code 3: the cluster exists already.',
    examples: [
      'swarm-manager init --etcd-endpoints http://127.0.0.1:2379 --advertise 10.0.0.1:2377',
      'swarm-manager init --etcd-endpoints https://10.0.0.5:2379 --etcd-cacert ca.pem --etcd-cert c.pem --etcd-key k.pem --advertise 10.0.0.1:2377 --admin-context-file ~/.swarmctl/config.yaml',
    ],
  },
  restore: {
    name: 'swarm-manager restore',
    summary:
      'Puts a backup (`swarmctl cluster backup`) into an etcd that holds nothing of the cluster. The state\nfolder has to hold the file encryption.key of the cluster. Everything is checked before anything is\nwritten, and what broke off can be done again. Exit code 3: etcd is not empty.',
    examples: [
      'swarm-manager restore --etcd-endpoints http://127.0.0.1:2379 --file cluster.backup',
      'swarm-manager restore --state-dir /srv/manager --etcd-endpoints http://e1:2379,http://e2:2379 --file cluster.backup',
    ],
  },
  run: {
    name: 'swarm-manager run',
    summary:
      'Serves the API and, on the one manager that leads, runs the controllers. A further manager needs\na copy of the file encryption.key of the first in its state folder, and nothing else.',
    examples: [
      'swarm-manager run --etcd-endpoints http://127.0.0.1:2379 --advertise 10.0.0.1:2377',
      'swarm-manager run --state-dir /srv/manager --listen 0.0.0.0:2377 --advertise m1:2377 --metrics-listen 0.0.0.0:2376 --etcd-endpoints http://e1:2379,http://e2:2379',
    ],
  },
} satisfies Record<string, HelpText>;

/** What `swarm-manager --help` says. */
export const OVERVIEW = `Usage: swarm-manager COMMAND [options]

The control plane of a Swarmkeeper cluster.

Commands:
  init       Make a cluster, once
  restore    Put a backup of a cluster into an empty etcd
  run        Be one of its managers, until it is stopped

Examples:
  swarm-manager init --etcd-endpoints http://127.0.0.1:2379 --advertise 10.0.0.1:2377
  swarm-manager run --etcd-endpoints http://127.0.0.1:2379 --advertise 10.0.0.1:2377

Run 'swarm-manager COMMAND --help' for the options of a command.
`;
