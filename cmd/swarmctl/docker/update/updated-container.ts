import type { ContainerSpec } from '../../../../api/v1/index.js';
import { changedCapabilities } from '../capabilities.js';
import { compact } from '../compact.js';
import { readEnvironment } from '../environment.js';
import { healthAfter } from '../health-flags.js';
import { parseMount } from '../mount.js';
import type { UpdateOptions } from '../update-options.js';
import {
  addressValue,
  credentialSpec,
  durationValue,
  given,
  hostEntry,
  integerValue,
  labelMap,
  oneOf,
  pairMap,
  shellWords,
  ulimitValue,
} from '../values.js';
import { changedList, changedMap, changedText } from './list-changes.js';

/** Values of variables that are given by name only. */
type Environment = Readonly<Record<string, string | undefined>>;

/** The container of a service after `docker service update`. Errors: UsageError in Docker's words. */
export function updatedContainer(
  before: ContainerSpec,
  options: UpdateOptions,
  environment: Environment,
): ContainerSpec {
  const { image, ...others } = before;
  return {
    image: options.image ?? image,
    ...compact({
      ...others,
      ...processOf(before, options),
      ...listsOf(before, options, environment),
      ...rightsOf(before, options),
      healthcheck: healthAfter(options, before.healthcheck),
    }),
  };
}

function processOf(before: ContainerSpec, options: UpdateOptions) {
  const words = (flag: string, text: string) => [...shellWords(flag, text)];
  return {
    command: given(options.entrypoint, 'entrypoint', words) ?? before.command,
    args: given(options.args, 'args', words) ?? before.args,
    dir: changedText(before.dir, options.workdir),
    user: changedText(before.user, options.user),
    hostname: changedText(before.hostname, options.hostname),
    tty: options.tty ?? before.tty,
    readOnly: options.readOnly ?? before.readOnly,
    init: options.init ?? before.init,
    stopSignal: changedText(before.stopSignal, options.stopSignal),
    stopGracePeriod:
      given(options.stopGracePeriod, 'stop-grace-period', durationValue) ?? before.stopGracePeriod,
    isolation:
      given(options.isolation, 'isolation', (flag, text) =>
        oneOf(flag, text, ['default', 'process', 'hyperv']),
      ) ?? before.isolation,
    oomScoreAdj:
      given(options.oomScoreAdj, 'oom-score-adj', (flag, text) =>
        integerValue(flag, text, -1000),
      ) ?? before.oomScoreAdj,
  };
}

function listsOf(before: ContainerSpec, options: UpdateOptions, environment: Environment) {
  const { envAdd = [], envRm, mountAdd = [], mountRm = [], groupAdd = [], groupRm = [] } = options;
  const { containerLabelAdd = [], containerLabelRm } = options;
  return {
    env: changedMap(before.env, readEnvironment([], envAdd, environment), envRm),
    labels: changedMap(
      before.labels,
      labelMap('container-label-add', containerLabelAdd),
      containerLabelRm,
    ),
    groups: changedList(before.groups, {
      add: groupAdd,
      isRemoved: (group) => groupRm.includes(group),
    }),
    mounts: changedList(before.mounts, {
      add: mountAdd.map(parseMount),
      isRemoved: ({ target }) => mountRm.includes(target),
      keyOf: ({ target }) => target,
    }),
    hosts: hostsOf(before, options),
    dnsConfig: dnsOf(before, options),
  };
}

/** `host` removes all entries of the host, `host:ip` one; what is added counts after that. */
function hostsOf(before: ContainerSpec, { hostAdd = [], hostRm = [] }: UpdateOptions): string[] {
  const isRemoved = (entry: string) =>
    hostRm.some((removed) => entry === removed || entry.replace(/[:=].*$/, '') === removed);
  const kept = (before.hosts ?? []).filter((entry) => !isRemoved(entry));
  return changedList(kept, { add: hostAdd.map(hostEntry), isRemoved: () => false });
}

function dnsOf({ dnsConfig = {} }: ContainerSpec, options: UpdateOptions) {
  const changed = (
    list: readonly string[] | undefined,
    add: readonly string[] = [],
    remove: readonly string[] = [],
  ) => changedList(list, { add, isRemoved: (item) => remove.includes(item) });
  const addresses = options.dnsAdd?.map((address) => addressValue('dns-add', address));
  return compact({
    nameservers: changed(dnsConfig.nameservers, addresses, options.dnsRm),
    search: changed(dnsConfig.search, options.dnsSearchAdd, options.dnsSearchRm),
    options: changed(dnsConfig.options, options.dnsOptionAdd, options.dnsOptionRm),
  });
}

function rightsOf(before: ContainerSpec, options: UpdateOptions) {
  const { sysctlAdd = [], sysctlRm, ulimitAdd = [], ulimitRm = [] } = options;
  const credential = given(options.credentialSpec, 'credential-spec', credentialSpec);
  return {
    ...capabilitiesOf(before, options),
    sysctls: changedMap(before.sysctls, pairMap('sysctl-add', sysctlAdd), sysctlRm),
    ulimits: changedList(before.ulimits, {
      add: ulimitAdd.map(ulimitValue),
      isRemoved: ({ name }) => ulimitRm.includes(name),
      keyOf: ({ name }) => name,
    }),
    privileges: credential
      ? { ...before.privileges, credentialSpec: credential }
      : before.privileges,
  };
}

function capabilitiesOf(before: ContainerSpec, { capAdd = [], capDrop = [] }: UpdateOptions) {
  if (capAdd.length + capDrop.length === 0) return {};
  const { capabilityAdd = [], capabilityDrop = [] } = before;
  const { add, drop } = changedCapabilities(
    { add: capabilityAdd, drop: capabilityDrop },
    { add: capAdd, drop: capDrop },
  );
  return { capabilityAdd: [...add], capabilityDrop: [...drop] };
}
