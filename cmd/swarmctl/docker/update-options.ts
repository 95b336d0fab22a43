import type { Command } from 'commander';
import {
  addListFlags,
  addServiceFlags,
  refuseFlags,
  type Flag,
  type ServiceFlags,
} from './service-flags.js';

/** What `docker service update` was told, by flag; values as they were typed. */
export interface UpdateOptions extends ServiceFlags {
  readonly image?: string;
  readonly args?: string;
  readonly force?: boolean;
  readonly rollback?: boolean;
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  readonly constraintAdd?: readonly string[];
  readonly constraintRm?: readonly string[];
  readonly containerLabelAdd?: readonly string[];
  readonly containerLabelRm?: readonly string[];
  readonly dnsAdd?: readonly string[];
  readonly dnsRm?: readonly string[];
  readonly dnsOptionAdd?: readonly string[];
  readonly dnsOptionRm?: readonly string[];
  readonly dnsSearchAdd?: readonly string[];
  readonly dnsSearchRm?: readonly string[];
  readonly envAdd?: readonly string[];
  readonly envRm?: readonly string[];
  readonly genericResourceAdd?: readonly string[];
  readonly genericResourceRm?: readonly string[];
  readonly groupAdd?: readonly string[];
  readonly groupRm?: readonly string[];
  readonly hostAdd?: readonly string[];
  readonly hostRm?: readonly string[];
  readonly labelAdd?: readonly string[];
  readonly labelRm?: readonly string[];
  readonly logOpt?: readonly string[];
  readonly mountAdd?: readonly string[];
  readonly mountRm?: readonly string[];
  readonly placementPrefAdd?: readonly string[];
  readonly placementPrefRm?: readonly string[];
  readonly publishAdd?: readonly string[];
  readonly publishRm?: readonly string[];
  readonly sysctlAdd?: readonly string[];
  readonly sysctlRm?: readonly string[];
  readonly ulimitAdd?: readonly string[];
  readonly ulimitRm?: readonly string[];
}

/** Flags that may be repeated. */
const LISTS: readonly Flag[] = [
  ['--env-add <list>', 'add or update an environment variable'],
  ['--env-rm <list>', 'remove an environment variable'],
  ['--label-add <list>', 'add or update a service label'],
  ['--label-rm <list>', 'remove a label by its key'],
  ['--container-label-add <list>', 'add or update a container label'],
  ['--container-label-rm <list>', 'remove a container label by its key'],
  ['--constraint-add <list>', 'add or update a placement constraint'],
  ['--constraint-rm <list>', 'remove a constraint'],
  ['--placement-pref-add <pref>', 'add a placement preference'],
  ['--placement-pref-rm <pref>', 'remove a placement preference'],
  ['--generic-resource-add <list>', 'add a generic resource'],
  ['--generic-resource-rm <list>', 'remove a generic resource by its kind'],
  ['--mount-add <mount>', 'add or update a mount on a service'],
  ['--mount-rm <list>', 'remove a mount by its target path'],
  ['--publish-add <port>', 'add or update a published port'],
  ['--publish-rm <port>', 'remove a published port by its target port'],
  ['--group-add <list>', 'add an additional supplementary user group to the container'],
  ['--group-rm <list>', 'remove a previously added supplementary user group'],
  ['--cap-add <list>', 'add Linux capabilities'],
  ['--cap-drop <list>', 'drop Linux capabilities'],
  ['--sysctl-add <list>', 'add or update a sysctl option'],
  ['--sysctl-rm <list>', 'remove a sysctl option'],
  ['--ulimit-add <ulimit>', 'add or update a ulimit option'],
  ['--ulimit-rm <list>', 'remove a ulimit option'],
  ['--dns-add <list>', 'add or update a custom DNS server'],
  ['--dns-rm <list>', 'remove a custom DNS server'],
  ['--dns-option-add <list>', 'add or update a DNS option'],
  ['--dns-option-rm <list>', 'remove a DNS option'],
  ['--dns-search-add <list>', 'add or update a custom DNS search domain'],
  ['--dns-search-rm <list>', 'remove a DNS search domain'],
  ['--host-add <list>', 'add a custom host-to-IP mapping (host:ip)'],
  ['--host-rm <list>', 'remove a custom host-to-IP mapping (host:ip, or host)'],
  ['--log-opt <list>', 'logging driver options'],
];

const NOT_YET: readonly string[] = [
  'config-add',
  'config-rm',
  'network-add',
  'network-rm',
  'secret-add',
  'secret-rm',
];

/** Gives a command the flags of `docker service update`. */
export function addUpdateOptions(command: Command): Command {
  command
    .option('--image <string>', 'service image tag')
    .option('--args <command>', 'service command args')
    .option('--force', 'force update even if no changes require it')
    .option('--rollback', 'rollback to previous specification');
  addListFlags(command, LISTS);
  addServiceFlags(command);
  return refuseFlags(command, NOT_YET);
}
