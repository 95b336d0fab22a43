import type { Command } from 'commander';
import type { Service } from '../../../api/v1/index.js';
import { answersTo } from '../docker/answers-to.js';

const ORDERS = ['start-first', 'stop-first'];

/** Words that the value of an option can be, by its name. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  'update-order': ORDERS,
  'rollback-order': ORDERS,
  'update-failure-action': ['pause', 'continue', 'rollback'],
  'rollback-failure-action': ['pause', 'continue'],
  'restart-condition': ['none', 'on-failure', 'any'],
  'endpoint-mode': ['vip', 'dnsrr'],
  mode: ['replicated', 'global', 'replicated-job', 'global-job'],
  isolation: ['default', 'process', 'hyperv'],
  availability: ['active', 'pause', 'drain'],
  role: ['worker', 'manager'],
  format: ['table', 'json', 'raw', 'pretty'],
  limits: ['cpus=', 'memory=', 'pids='],
  reservations: ['cpus=', 'memory='],
};

/** Words for the value of an option, as far as they are known without a cluster. */
export function optionWords(command: Command, name: string): readonly string[] {
  return name === 'filter' ? filterKeys(command) : (VALUES[name] ?? []);
}

/** Help names the keys: `filter output: id, label`. */
function filterKeys({ options }: Command): readonly string[] {
  const { description = '' } = options.find((option) => answersTo(option, '--filter')) ?? {};
  const [, keys = ''] = /^filter output: (.*)$/.exec(description) ?? [];
  return keys === '' ? [] : keys.split(', ').map((key) => `${key}=`);
}

const namesIn = (map: object | undefined) => Object.keys(map ?? {});

/** What of a service a `--…-rm` of `service update` can take away, by the option's name. */
const REMOVABLE: Readonly<Record<string, (service: Service) => readonly string[]>> = {
  'env-rm': ({ spec }) => namesIn(spec.task.container.env),
  'label-rm': ({ metadata }) => namesIn(metadata.labels),
  'container-label-rm': ({ spec }) => namesIn(spec.task.container.labels),
  'constraint-rm': ({ spec }) => spec.task.placement?.constraints ?? [],
  'placement-pref-rm': ({ spec }) =>
    (spec.task.placement?.preferences ?? []).map(({ spread }) => `spread=${spread}`),
  'mount-rm': ({ spec }) => (spec.task.container.mounts ?? []).map(({ target }) => target),
  'publish-rm': ({ spec }) =>
    (spec.endpoint?.ports ?? []).map(({ target, protocol = 'tcp' }) =>
      protocol === 'tcp' ? String(target) : `${String(target)}/${protocol}`,
    ),
  'group-rm': ({ spec }) => spec.task.container.groups ?? [],
  'host-rm': ({ spec }) => spec.task.container.hosts ?? [],
  'dns-rm': ({ spec }) => spec.task.container.dnsConfig?.nameservers ?? [],
  'dns-search-rm': ({ spec }) => spec.task.container.dnsConfig?.search ?? [],
  'dns-option-rm': ({ spec }) => spec.task.container.dnsConfig?.options ?? [],
  'sysctl-rm': ({ spec }) => namesIn(spec.task.container.sysctls),
  'ulimit-rm': ({ spec }) => (spec.task.container.ulimits ?? []).map(({ name }) => name),
  'generic-resource-rm': ({ spec }) =>
    (spec.task.resources?.reservations?.genericResources ?? []).map(({ kind }) => kind),
};

/** Reads from a service what an option can take away from it; undefined for other options. */
export const removableBy = (name: string): ((service: Service) => readonly string[]) | undefined =>
  REMOVABLE[name];
