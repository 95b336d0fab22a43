import type { Command } from 'commander';
import {
  addListFlags,
  addServiceFlags,
  refuseFlags,
  type Flag,
  type ServiceFlags,
} from './service-flags.js';

/** What `docker service create` was told, by flag; values as they were typed. */
export interface CreateOptions extends ServiceFlags {
  readonly name?: string;
  readonly mode?: string;
  readonly env: readonly string[];
  readonly envFile: readonly string[];
  readonly label: readonly string[];
  readonly containerLabel: readonly string[];
  readonly constraint: readonly string[];
  readonly placementPref: readonly string[];
  readonly genericResource: readonly string[];
  readonly mount: readonly string[];
  readonly publish: readonly string[];
  readonly group: readonly string[];
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly sysctl: readonly string[];
  readonly ulimit: readonly string[];
  readonly dns: readonly string[];
  readonly dnsOption: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly host: readonly string[];
  readonly logOpt: readonly string[];
}

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

const NOT_YET: readonly string[] = ['config', 'network', 'secret'];

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
};

/** Everything that was told, lists that were not given being empty. */
export const completeOptions = (given: Partial<CreateOptions>): CreateOptions => ({
  ...NONE_GIVEN,
  ...given,
});

/** Gives a command the flags of `docker service create`. */
export function addCreateOptions(command: Command): Command {
  command
    .option('--name <string>', 'service name (default: a random one)')
    .option(
      '--mode <string>',
      'service mode: replicated, global, replicated-job, global-job (default: replicated)',
    );
  addListFlags(command, LISTS);
  addServiceFlags(command);
  return refuseFlags(command, NOT_YET);
}
