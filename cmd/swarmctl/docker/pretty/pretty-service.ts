import {
  effectiveJob,
  parseBytes,
  type ContainerSpec,
  type Endpoint,
  type Placement,
  type Resources,
  type Service,
  type ServiceSpec,
  type UpdateStatus,
} from '../../../../api/v1/index.js';
import { formatAgo } from '../../output/age.js';
import { goList, humanBytes, prettyLines, prettyPart } from './pretty.js';

/** A service as `docker service inspect --pretty` shows it. */
export function prettyService({ metadata, spec, status }: Service, now: Date): string {
  const { task } = spec;
  const { container } = task;
  return [
    prettyLines([
      ['ID', metadata.uid],
      ['Name', metadata.name],
    ]),
    prettyPart('Labels', pairLines(metadata.labels)),
    modePart(spec.mode),
    prettyPart('UpdateStatus', updateLines(status?.update, now)),
    placementPart(task.placement),
    policyPart('Update', spec.update),
    policyPart('Rollback', spec.rollback),
    prettyPart('ContainerSpec', containerLines(container)),
    prettyPart('Capabilities', capabilityLines(container)),
    prettyPart('SysCtls', pairLines(container.sysctls, ': ')),
    prettyPart('Ulimits', ulimitLines(container)),
    prettyPart('Mounts', mountLines(container)),
    logDriverPart(task.logDriver),
    prettyPart('Resources', resourceLines(task.resources)),
    prettyLines([['Endpoint Mode', spec.endpoint?.mode ?? 'vip']]),
    prettyPart('Ports', portLines(spec.endpoint)),
    healthPart(container),
  ].join('');
}

function pairLines(map: Readonly<Record<string, unknown>> = {}, separator = '='): string {
  return Object.entries(map)
    .map(([key, value]) => ` ${key}${value === '' ? '' : `${separator}${String(value)}`}\n`)
    .sort()
    .join('');
}

function modePart(mode: ServiceSpec['mode'] = {}): string {
  if (mode.global) return prettyLines([['Service Mode', 'Global']]);
  if (mode.globalJob) return prettyLines([['Service Mode', 'GlobalJob']]);
  if (mode.replicatedJob) {
    const job = effectiveJob({ mode });
    const lines = [
      ['Max Concurrent', job?.maxConcurrent],
      ['Total Completions', job?.totalCompletions],
    ] as const;
    return prettyLines([['Service Mode', 'ReplicatedJob']]) + prettyLines(lines, 1);
  }
  const replicas = mode.replicated?.replicas ?? 1;
  return prettyLines([['Service Mode', 'Replicated']]) + prettyLines([['Replicas', replicas]], 1);
}

function updateLines(update: UpdateStatus | undefined, now: Date): string {
  if (update === undefined) return '';
  return prettyLines(
    [
      ['State', update.state],
      ['Started', formatAgo(update.startedAt, now)],
      ['Completed', formatAgo(update.completedAt, now)],
      ['Message', update.message],
    ],
    1,
  );
}

function placementPart({ constraints, preferences, maxReplicasPerNode }: Placement = {}): string {
  const spreads = preferences?.map(({ spread }) => `spread=${spread}`);
  const lines = prettyLines(
    [
      ['Constraints', goList(constraints)],
      ['Preferences', goList(spreads)],
      ['Max Replicas Per Node', maxReplicasPerNode === 0 ? undefined : maxReplicasPerNode],
    ],
    1,
  );
  return `Placement:\n${lines}`;
}

function policyPart(name: 'Update' | 'Rollback', policy: ServiceSpec['update'] = {}): string {
  const { parallelism = 1, delay, failureAction = 'pause', monitor = '5s' } = policy;
  const lines = prettyLines(
    [
      ['Parallelism', parallelism],
      ['Delay', delay],
      ['On failure', failureAction],
      ['Monitoring Period', monitor],
      ['Max failure ratio', policy.maxFailureRatio ?? 0],
      [`${name} order`, policy.order ?? 'stop-first'],
    ],
    1,
  );
  return prettyPart(`${name}Config`, lines);
}

function containerLines({ image, command, args, env, dir, init, user }: ContainerSpec): string {
  const variables = Object.entries(env ?? {}).map(([name, value]) => `${name}=${String(value)}`);
  return prettyLines(
    [
      ['Image', image],
      ['Entrypoint', command?.join(' ')],
      ['Args', args?.join(' ')],
      ['Env', variables.join(' ')],
      ['Dir', dir],
      ['Init', init],
      ['User', user],
    ],
    1,
  );
}

const capabilityLines = ({ capabilityAdd, capabilityDrop }: ContainerSpec) =>
  prettyLines(
    [
      ['Add', capabilityAdd?.join(', ')],
      ['Drop', capabilityDrop?.join(', ')],
    ],
    1,
  );

const ulimitLines = ({ ulimits = [] }: ContainerSpec) =>
  ulimits
    .map(({ name, soft, hard = soft }) => ` ${name}: ${String(soft)}:${String(hard)}\n`)
    .join('');

const mountLines = ({ mounts = [] }: ContainerSpec) =>
  mounts
    .map(({ target, source, readOnly, type }) => {
      const head = prettyLines([['Target', target]], 1);
      const below = prettyLines(
        [
          ['Source', source],
          ['ReadOnly', readOnly ?? false],
          ['Type', type ?? 'volume'],
        ],
        2,
      );
      return `${head}${below}`;
    })
    .join('');

function logDriverPart(driver: ServiceSpec['task']['logDriver']): string {
  if (driver === undefined) return '';
  const options = pairLines(driver.options, ': ').replace(/^/gm, ' ').replace(/ $/, '');
  const lines = prettyLines([['Name', driver.name]], 1);
  return prettyPart('Log Driver', `${lines}${prettyPart(' LogOpts', options)}`);
}

function resourceLines({ limits, reservations }: Resources = {}): string {
  const amounts = (part: { cpus?: string | number; memory?: string | number } = {}) => [
    ['CPU', part.cpus] as const,
    ['Memory', sizeWords(part.memory)] as const,
  ];
  const pids = limits?.pids === 0 ? undefined : limits?.pids;
  return [
    prettyPart(' Reservations', prettyLines(amounts(reservations), 2)),
    prettyPart(' Limits', prettyLines([...amounts(limits), ['PIDs', pids]], 2)),
  ].join('');
}

const sizeWords = (size: string | number | undefined) =>
  size === undefined ? undefined : humanBytes(parseBytes(size) ?? 0);

const portLines = ({ ports = [] }: Endpoint = {}) =>
  ports
    .map(({ target, published, protocol = 'tcp', mode = 'ingress' }) =>
      [
        ` PublishedPort = ${String(published ?? 0)}`,
        `  Protocol = ${protocol}`,
        `  TargetPort = ${String(target)}`,
        `  PublishMode = ${mode}`,
        '',
      ].join('\n'),
    )
    .join('');

function healthPart({ healthcheck: check }: ContainerSpec): string {
  if (check === undefined) return '';
  const lines = [
    ['Interval', check.interval],
    ['Retries', check.retries],
    ['StartPeriod', check.startPeriod],
    ['Timeout', check.timeout],
  ].filter(([, value]) => value !== undefined);
  const tests = (check.test ?? []).map((word) => `   Test = ${word}\n`).join('');
  const known = lines.map(([name, value]) => `  ${String(name)} = ${String(value)}\n`).join('');
  return `Healthcheck:\n${known}${prettyPart('  Tests', tests)}`;
}
