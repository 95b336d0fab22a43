import { Option, type Command } from 'commander';
import { UsageError } from '../exit-code.js';

/** What `docker service create` was told, by flag; values as they were typed. */
export interface CreateOptions {
  readonly name?: string;
  readonly replicas?: string;
  readonly mode?: string;
  readonly env: readonly string[];
  readonly envFile: readonly string[];
  readonly label: readonly string[];
  readonly containerLabel: readonly string[];
  readonly constraint: readonly string[];
  readonly placementPref: readonly string[];
  readonly replicasMaxPerNode?: string;
  readonly limitCpu?: string;
  readonly limitMemory?: string;
  readonly limitPids?: string;
  readonly reserveCpu?: string;
  readonly reserveMemory?: string;
  readonly genericResource: readonly string[];
  readonly restartCondition?: string;
  readonly restartDelay?: string;
  readonly restartMaxAttempts?: string;
  readonly restartWindow?: string;
  readonly mount: readonly string[];
  readonly publish: readonly string[];
  readonly user?: string;
  readonly group: readonly string[];
  readonly workdir?: string;
  readonly hostname?: string;
  readonly entrypoint?: string;
  readonly init?: boolean;
  readonly readOnly?: boolean;
  readonly tty?: boolean;
  readonly stopSignal?: string;
  readonly stopGracePeriod?: string;
  readonly healthCmd?: string;
  readonly healthInterval?: string;
  readonly healthRetries?: string;
  readonly healthStartPeriod?: string;
  readonly healthStartInterval?: string;
  readonly healthTimeout?: string;
  /** False: `--no-healthcheck`. */
  readonly healthcheck: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly sysctl: readonly string[];
  readonly ulimit: readonly string[];
  readonly dns: readonly string[];
  readonly dnsOption: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly host: readonly string[];
  readonly logDriver?: string;
  readonly logOpt: readonly string[];
  readonly isolation?: string;
  readonly oomScoreAdj?: string;
  readonly memorySwap?: string;
  readonly memorySwappiness?: string;
}

const gather = (value: string, before: readonly string[] = []) => [...before, value];

type Flag = readonly [flags: string, description: string];

/** Flags that may be repeated. */
const LISTS: readonly Flag[] = [
  ['-e, --env <list>', 'set environment variables'],
  ['--env-file <list>', 'read in a file of environment variables'],
  ['-l, --label <list>', 'service labels'],
  ['--container-label <list>', 'container labels'],
  ['--constraint <list>', 'placement constraints, such as node.labels.disk==ssd'],
  ['--placement-pref <pref>', 'add a placement preference, such as spread=node.labels.zone'],
  ['--generic-resource <list>', 'user defined resources, such as GPU=1'],
  ['--mount <mount>', 'attach a filesystem mount to the service'],
  ['-p, --publish <port>', 'publish a port: published=8080,target=80,mode=host'],
  ['--group <list>', 'set one or more supplementary user groups for the container'],
  ['--cap-add <list>', 'add Linux capabilities'],
  ['--cap-drop <list>', 'drop Linux capabilities'],
  ['--sysctl <list>', 'sysctl options'],
  ['--ulimit <ulimit>', 'ulimit options, such as nofile=1024:2048'],
  ['--dns <list>', 'set custom DNS servers'],
  ['--dns-option <list>', 'set DNS options'],
  ['--dns-search <list>', 'set custom DNS search domains'],
  ['--host <list>', 'set one or more custom host-to-IP mappings (host:ip)'],
  ['--log-opt <list>', 'logging driver options'],
];

/** Flags with one value. */
const TEXTS: readonly Flag[] = [
  ['--name <string>', 'service name (default: a random one)'],
  ['--replicas <uint>', 'number of tasks'],
  ['--mode <string>', 'service mode: replicated, global (default: replicated)'],
  ['--replicas-max-per-node <uint>', 'maximum number of tasks per node (default: no limit)'],
  ['--limit-cpu <decimal>', 'limit CPUs'],
  ['--limit-memory <bytes>', 'limit memory'],
  ['--limit-pids <int>', 'limit maximum number of processes (default: no limit)'],
  ['--reserve-cpu <decimal>', 'reserve CPUs'],
  ['--reserve-memory <bytes>', 'reserve memory'],
  ['--restart-condition <string>', 'restart when: none, on-failure, any (default: any)'],
  ['--restart-delay <duration>', 'delay between restart attempts (default: 5s)'],
  ['--restart-max-attempts <uint>', 'maximum number of restarts before giving up'],
  ['--restart-window <duration>', 'window used to evaluate the restart policy'],
  ['-u, --user <string>', 'username or UID (format: <name|uid>[:<group|gid>])'],
  ['-w, --workdir <string>', 'working directory inside the container'],
  ['--hostname <string>', 'container hostname'],
  ['--entrypoint <command>', 'overwrite the default ENTRYPOINT of the image'],
  ['--stop-signal <string>', 'signal to stop the container'],
  [
    '--stop-grace-period <duration>',
    'time to wait before force killing a container (default: 10s)',
  ],
  ['--health-cmd <string>', 'command to run to check health'],
  ['--health-interval <duration>', 'time between running the check'],
  ['--health-retries <int>', 'consecutive failures needed to report unhealthy'],
  ['--health-start-period <duration>', 'start period for the container to initialize'],
  ['--health-start-interval <duration>', 'time between running the check during the start period'],
  ['--health-timeout <duration>', 'maximum time to allow one check to run'],
  ['--log-driver <string>', 'logging driver for service'],
  ['--isolation <string>', 'service container isolation mode'],
  ['--oom-score-adj <int>', "tune host's OOM preferences (-1000 to 1000)"],
  ['--memory-swap <bytes>', 'swap bytes (-1 for unlimited)'],
  ['--memory-swappiness <int>', 'tune memory swappiness (0-100)'],
];

const SWITCHES: readonly Flag[] = [
  ['--init', 'use an init inside each service container to forward signals and reap processes'],
  ['--read-only', "mount the container's root filesystem as read only"],
  ['-t, --tty', 'allocate a pseudo-TTY'],
  ['--no-healthcheck', 'disable any container-specified HEALTHCHECK'],
];

/** Docker's flags that this release does not run: known, so that they can be refused by name. */
const NOT_YET: readonly string[] = [
  'config',
  'credential-spec',
  'endpoint-mode',
  'max-concurrent',
  'network',
  'rollback-delay',
  'rollback-failure-action',
  'rollback-max-failure-ratio',
  'rollback-monitor',
  'rollback-order',
  'rollback-parallelism',
  'secret',
  'update-delay',
  'update-failure-action',
  'update-max-failure-ratio',
  'update-monitor',
  'update-order',
  'update-parallelism',
];

const NONE_GIVEN = {
  env: [],
  envFile: [],
  label: [],
  containerLabel: [],
  constraint: [],
  placementPref: [],
  genericResource: [],
  mount: [],
  publish: [],
  group: [],
  capAdd: [],
  capDrop: [],
  sysctl: [],
  ulimit: [],
  dns: [],
  dnsOption: [],
  dnsSearch: [],
  host: [],
  logOpt: [],
  healthcheck: true,
};

/** Everything that was told, lists that were not given being empty. */
export const completeOptions = (given: Partial<CreateOptions>): CreateOptions => ({
  ...NONE_GIVEN,
  ...given,
});

/** Gives a command the flags of `docker service create`. */
export function addCreateOptions(command: Command): Command {
  for (const [flags, description] of LISTS) {
    command.addOption(new Option(flags, description).argParser(gather));
  }
  for (const [flags, description] of [...TEXTS, ...SWITCHES]) command.option(flags, description);
  command.addOption(new Option('--no-init').hideHelp());
  // Images are never resolved by this program, so the wish is granted.
  command.addOption(new Option('--no-resolve-image').hideHelp());
  for (const name of NOT_YET) {
    command.addOption(new Option(`--${name} <value>`).hideHelp().argParser(() => refuse(name)));
  }
  command.addOption(new Option('--with-registry-auth').hideHelp());
  command.on('option:with-registry-auth', () => refuse('with-registry-auth'));
  return command;
}

function refuse(name: string): never {
  throw new UsageError(
    `--${name} is not supported yet`,
    "See 'swarmctl service create --help' for the flags that are.",
  );
}
