/** From the engine's words to ours. Pure. */
import { CONTAINER_STATES } from './container.js';
import type {
  ContainerHealth,
  ContainerInspection,
  ContainerState,
  ContainerSummary,
  HealthState,
  PublishedPort,
} from './container.js';
import type { EngineDescription, EngineGenericResource } from './description.js';
import { CONTAINER_EVENT_ACTIONS } from './events.js';
import type { ContainerEvent, ContainerEventAction } from './events.js';
import type { ImageInspection } from './image.js';
import type {
  WireContainer,
  WireContainerSummary,
  WireEvent,
  WireGenericResource,
  WireImage,
  WireState,
  WireSystem,
} from './wire.js';

/** How the engine writes an instant that never was. */
const NEVER = '0001-01-01T00:00:00Z';

/** Kernel names of architectures, in image platform terms. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  aarch64: 'arm64',
  armv7l: 'arm',
  armv6l: 'arm',
  i386: '386',
  i686: '386',
};

/** A container of a list. */
export function decodeSummary(wire: WireContainerSummary): ContainerSummary {
  const exitCode = /^Exited \((-?\d+)\)/.exec(wire.Status ?? '')?.[1];
  return {
    id: wire.Id ?? '',
    names: (wire.Names ?? []).map(withoutSlash),
    image: wire.Image ?? '',
    state: decodeState(wire.State),
    labels: wire.Labels ?? {},
    createdAt: new Date((wire.Created ?? 0) * 1000).toISOString(),
    ...(exitCode !== undefined && { exitCodeHint: Number(exitCode) }),
  };
}

/** One container, inspected. */
export function decodeContainer(wire: WireContainer): ContainerInspection {
  return {
    id: wire.Id ?? '',
    name: withoutSlash(wire.Name ?? ''),
    ...decodeRun(wire.State ?? {}),
    ...decodeConfig(wire.Config ?? {}),
    createdAt: wire.Created ?? NEVER,
    ports: decodePorts(wire.NetworkSettings?.Ports ?? {}),
    ...decodeNetwork(wire),
    imageId: wire.Image ?? '',
  };
}

function decodeConfig(wire: NonNullable<WireContainer['Config']>) {
  return {
    labels: wire.Labels ?? {},
    image: wire.Image ?? '',
    tty: wire.Tty ?? false,
    ...(wire.StopSignal && { stopSignal: wire.StopSignal }),
  };
}

function decodeRun(wire: WireState) {
  const state = decodeState(wire.Status);
  const health = decodeHealth(wire.Health);
  return {
    state,
    oomKilled: wire.OOMKilled ?? false,
    ...(wire.Pid && { pid: wire.Pid }),
    ...(wire.Error && { error: wire.Error }),
    ...(health && { health }),
    ...decodeEnd(state, wire),
  };
}

/** A container that runs again still carries the exit code of its last run. */
function decodeEnd(state: ContainerState, { StartedAt, FinishedAt, ExitCode }: WireState) {
  const startedAt = instant(StartedAt);
  const finishedAt = instant(FinishedAt);
  const ended = state === 'exited' || state === 'dead' || finishedAt !== undefined;
  return {
    ...(startedAt && { startedAt }),
    ...(finishedAt && { finishedAt }),
    ...(ended && ExitCode !== undefined && { exitCode: ExitCode }),
  };
}

function decodeHealth(wire: WireState['Health']): ContainerHealth | undefined {
  const state = decodeHealthState(wire?.Status);
  if (!wire || !state) return undefined;
  const lastOutput = wire.Log?.at(-1)?.Output;
  return {
    state,
    failingStreak: wire.FailingStreak ?? 0,
    ...(lastOutput !== undefined && { lastOutput }),
  };
}

/** Undefined for `none` and for words that we do not know. */
function decodeHealthState(word: string | undefined): HealthState | undefined {
  return word === 'starting' || word === 'healthy' || word === 'unhealthy' ? word : undefined;
}

/** A state that we do not know counts as running: that is the one that destroys nothing. */
function decodeState(word: string | undefined): ContainerState {
  return CONTAINER_STATES.find((state) => state === word) ?? 'running';
}

function decodeNetwork({ HostConfig, NetworkSettings }: WireContainer) {
  const networks = Object.values(NetworkSettings?.Networks ?? {});
  const address =
    networks.map((network) => network?.IPAddress).find(Boolean) ??
    networks.map((network) => network?.GlobalIPv6Address).find(Boolean);
  return { usesHostNetwork: HostConfig?.NetworkMode === 'host', ...(address && { address }) };
}

type WirePorts = NonNullable<NonNullable<WireContainer['NetworkSettings']>['Ports']>;

function decodePorts(wire: WirePorts): readonly PublishedPort[] {
  return Object.entries(wire).flatMap(([key, bindings]) => {
    const [port, protocol = 'tcp'] = key.split('/');
    return (bindings ?? []).map(({ HostIp = '', HostPort = '' }) => ({
      containerPort: Number(port),
      protocol: protocol as PublishedPort['protocol'],
      hostIp: HostIp,
      hostPort: Number(HostPort),
    }));
  });
}

/** The engine's answer to "who are you". */
export function decodeDescription(wire: WireSystem, apiVersion: string): EngineDescription {
  return {
    ...decodeMachine(wire),
    engineVersion: wire.ServerVersion ?? '',
    apiVersion,
    labels: decodeLabels(wire.Labels ?? []),
    plugins: {
      volume: wire.Plugins?.Volume ?? [],
      network: wire.Plugins?.Network ?? [],
      log: wire.Plugins?.Log ?? [],
    },
    genericResources: (wire.GenericResources ?? []).flatMap(decodeGenericResource),
    ...decodeSetup(wire),
  };
}

function decodeMachine(wire: WireSystem) {
  const architecture = wire.Architecture ?? '';
  return {
    engineId: wire.ID ?? '',
    hostname: wire.Name ?? '',
    os: wire.OSType ?? '',
    architecture: ARCHITECTURES[architecture] ?? architecture,
    cpuNano: (wire.NCPU ?? 0) * 1e9,
    memoryBytes: wire.MemTotal ?? 0,
    kernelVersion: wire.KernelVersion ?? '',
    operatingSystem: wire.OperatingSystem ?? '',
  };
}

function decodeSetup(wire: WireSystem) {
  return {
    storageDriver: wire.Driver ?? '',
    defaultLogDriver: wire.LoggingDriver ?? '',
    cgroup: { driver: wire.CgroupDriver ?? '', version: wire.CgroupVersion ?? '' },
    runtimes: Object.keys(wire.Runtimes ?? {}),
    securityOptions: wire.SecurityOptions ?? [],
    liveRestore: wire.LiveRestoreEnabled ?? false,
    dataDirectory: wire.DockerRootDir ?? '',
  };
}

function decodeLabels(words: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    words.map((word) => {
      const [key = '', ...value] = word.split('=');
      return [key, value.join('=')];
    }),
  );
}

function decodeGenericResource(wire: WireGenericResource): readonly EngineGenericResource[] {
  const { NamedResourceSpec: named, DiscreteResourceSpec: discrete } = wire;
  if (named?.Kind) return [{ kind: named.Kind, type: 'named', name: named.Value ?? '' }];
  if (!discrete?.Kind) return [];
  return [{ kind: discrete.Kind, type: 'discrete', amount: discrete.Value ?? 0 }];
}

/** A local image. */
export function decodeImage(wire: WireImage): ImageInspection {
  return {
    id: wire.Id ?? '',
    tags: wire.RepoTags ?? [],
    digests: wire.RepoDigests ?? [],
    os: wire.Os ?? '',
    architecture: wire.Architecture ?? '',
    ...(wire.Variant && { variant: wire.Variant }),
    sizeBytes: wire.Size ?? 0,
  };
}

/** One line of the event stream; undefined for events that are nobody's business here. */
export function decodeEvent(line: string): ContainerEvent | undefined {
  const wire = JSON.parse(line) as WireEvent;
  const [word, detail = ''] = (wire.Action ?? '').split(': ');
  const action = CONTAINER_EVENT_ACTIONS.find((known) => known === word);
  if (wire.Type !== 'container' || !action) return undefined;
  const { ID: containerId = '', Attributes } = wire.Actor ?? {};
  const attributes = Attributes ?? {};
  return {
    action,
    containerId,
    containerName: attributes['name'] ?? '',
    image: attributes['image'] ?? '',
    ...decodeEventTime(line, wire),
    ...decodeEventDetail(action, detail, attributes),
    attributes,
  };
}

/** Nanoseconds do not fit a JavaScript number: they are taken from the text. */
function decodeEventTime(line: string, { time = 0 }: WireEvent) {
  const nanos = /"timeNano":(\d+)/.exec(line)?.[1] ?? `${time}000000000`;
  const cursor = `${nanos.slice(0, -9)}.${nanos.slice(-9)}`;
  return { at: new Date(Number(nanos.slice(0, -6))).toISOString(), cursor };
}

function decodeEventDetail(
  action: ContainerEventAction,
  detail: string,
  attributes: Readonly<Record<string, string>>,
): Pick<ContainerEvent, 'exitCode' | 'signalNumber' | 'health'> {
  const health = decodeHealthState(detail);
  if (action === 'health_status') return health ? { health } : {};
  if (action === 'die') return numbered('exitCode', attributes['exitCode']);
  if (action === 'kill') return numbered('signalNumber', attributes['signal']);
  return {};
}

function numbered<Key extends string>(key: Key, text: string | undefined) {
  return (text === undefined ? {} : { [key]: Number(text) }) as Partial<
    Readonly<Record<Key, number>>
  >;
}

function instant(text: string | undefined): string | undefined {
  return text === undefined || text === '' || text === NEVER ? undefined : text;
}

function withoutSlash(name: string): string {
  return name.startsWith('/') ? name.slice(1) : name;
}
