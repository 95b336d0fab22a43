import { Option, type Command } from 'commander';
import { UsageError } from '../exit-code.js';

/** Flags with one value that `docker service create` and `update` share; as they were typed. */
export interface ServiceFlags {
  readonly replicas?: string;
  readonly maxConcurrent?: string;
  readonly replicasMaxPerNode?: string;
  readonly limitCpu?: string;
  readonly limitMemory?: string;
  readonly limitPids?: string;
  readonly reserveCpu?: string;
  readonly reserveMemory?: string;
  readonly memorySwap?: string;
  readonly memorySwappiness?: string;
  readonly restartCondition?: string;
  readonly restartDelay?: string;
  readonly restartMaxAttempts?: string;
  readonly restartWindow?: string;
  readonly user?: string;
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
  readonly healthcheck?: boolean;
  readonly logDriver?: string;
  readonly isolation?: string;
  readonly oomScoreAdj?: string;
  readonly credentialSpec?: string;
  readonly endpointMode?: string;
  readonly updateParallelism?: string;
  readonly updateDelay?: string;
  readonly updateFailureAction?: string;
  readonly updateMonitor?: string;
  readonly updateMaxFailureRatio?: string;
  readonly updateOrder?: string;
  readonly rollbackParallelism?: string;
  readonly rollbackDelay?: string;
  readonly rollbackFailureAction?: string;
  readonly rollbackMonitor?: string;
  readonly rollbackMaxFailureRatio?: string;
  readonly rollbackOrder?: string;
}

/** Docker's spelling of a flag, and its help. */
export type Flag = readonly [flags: string, description: string];

const policyFlags = (name: 'update' | 'rollback', actions: string): readonly Flag[] => [
  [
    `--${name}-parallelism <uint>`,
    `tasks of a ${name} at once, a number or a share such as 25%; 0 for all (default: 1)`,
  ],
  [`--${name}-delay <duration>`, `delay between tasks of a ${name} (default: 0s)`],
  [`--${name}-failure-action <string>`, `action on ${name} failure: ${actions} (default: pause)`],
  [`--${name}-monitor <duration>`, `how long after each task to monitor for failure (default: 5s)`],
  [`--${name}-max-failure-ratio <float>`, `failure rate to tolerate during a ${name} (default: 0)`],
  [`--${name}-order <string>`, `${name} order: start-first, stop-first (default: stop-first)`],
];

/** With one value. */
const TEXTS: readonly Flag[] = [
  ['--replicas <uint>', 'number of tasks'],
  [
    '--max-concurrent <uint>',
    'number of job tasks to run concurrently (default: equal to --replicas)',
  ],
  ['--replicas-max-per-node <uint>', 'maximum number of tasks per node (default: 0, unlimited)'],
  ['--limit-cpu <decimal>', 'limit CPUs'],
  ['--limit-memory <bytes>', 'limit memory'],
  ['--limit-pids <int>', 'limit maximum number of processes (default: 0, unlimited)'],
  ['--reserve-cpu <decimal>', 'reserve CPUs'],
  ['--reserve-memory <bytes>', 'reserve memory'],
  ['--memory-swap <bytes>', 'swap bytes (-1 for unlimited)'],
  ['--memory-swappiness <int>', 'tune memory swappiness (0-100)'],
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
  ['--isolation <string>', 'service container isolation mode (Windows)'],
  ['--oom-score-adj <int>', "tune host's OOM preferences (-1000 to 1000)"],
  [
    '--credential-spec <spec>',
    'credential spec for managed service account (Windows): file://… or registry://…',
  ],
  ['--endpoint-mode <string>', 'endpoint mode: vip, dnsrr (default: vip)'],
  ...policyFlags('update', 'pause, continue, rollback'),
  ...policyFlags('rollback', 'pause, continue'),
];

/** With or without `=true` or `=false`. */
const SWITCHES: readonly Flag[] = [
  ['--init', 'use an init inside each service container to forward signals and reap processes'],
  ['--read-only', "mount the container's root filesystem as read only"],
  ['-t, --tty', 'allocate a pseudo-TTY'],
];

/** Gives a command the flags that create and update share. */
export function addServiceFlags(command: Command): Command {
  for (const [flags, description] of TEXTS) command.option(flags, description);
  for (const [flags, description] of SWITCHES) {
    command.option(flags, description);
    command.addOption(new Option(flags.replace(/^.*--/, '--no-')).hideHelp()); // for =false
  }
  command.option('--no-healthcheck', 'disable any container-specified HEALTHCHECK');
  // Images are never resolved by this program, so the wish is granted.
  return command.addOption(new Option('--no-resolve-image').hideHelp());
}

/** Gives a command flags that may be repeated. */
export function addListFlags(command: Command, flags: readonly Flag[]): Command {
  const gather = (value: string, before: readonly string[] = []) => [...before, value];
  for (const [spelling, description] of flags) {
    command.addOption(new Option(spelling, description).argParser(gather));
  }
  return command;
}

/** Makes a command know Docker's flags that this release does not run, to refuse them by name. */
export function refuseFlags(command: Command, names: readonly string[]): Command {
  for (const name of names) {
    const refuse = () => refuseFlag(command, name);
    command.addOption(new Option(`--${name} <value>`).hideHelp().argParser(refuse));
  }
  command.addOption(new Option('--with-registry-auth').hideHelp());
  command.on('option:with-registry-auth', () => refuseFlag(command, 'with-registry-auth'));
  return command;
}

function refuseFlag(command: Command, name: string): never {
  throw new UsageError(
    `--${name} is not supported yet`,
    `See 'swarmctl service ${command.name()} --help' for the flags that are.`,
  );
}
