import type {
  EffectiveJob,
  Manager,
  Port,
  Service,
  ServiceRevision,
  Task,
  TaskState,
} from '../../../api/v1/index.js';
import { effectiveJob, replicasOf } from '../../../api/v1/index.js';

/** How many characters of an id people need. */
const SHORT_ID = 12;

/** The beginning of an id. */
export const shortId = (id: string | undefined): string => (id ?? '').slice(0, SHORT_ID);

/** Text in one line, cut to `width` characters. */
export function cut(text: string, width: number): string {
  const line = text.replace(/\s*\n\s*/g, ' ').trim();
  const characters = Array.from(line);
  return characters.length <= width ? line : `${characters.slice(0, width - 1).join('')}…`;
}

/** `a=b,c=d`, or `<none>`. */
export function labelWords(labels: Readonly<Record<string, string>> | undefined): string {
  const words = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return words.length === 0 ? '<none>' : words.join(',');
}

/** `2/3`, the limit per node where there is one, and `2/3 (4/10 completed)` for a job. */
export function replicaWords(service: Service): string {
  const { spec, status } = service;
  const job = effectiveJob(spec);
  if (job) return jobWords(service, job);
  const wanted = replicasOf(spec) ?? status?.desired ?? 0;
  const limit = spec.task.placement?.maxReplicasPerNode ?? 0;
  const share = `${String(status?.running ?? 0)}/${String(wanted)}`;
  return limit > 0 ? `${share} (max ${String(limit)} per node)` : share;
}

/** As Docker does: the tasks at once that are allowed, or those of a global job that are left. */
function jobWords({ status }: Service, { maxConcurrent, totalCompletions }: EffectiveJob): string {
  const { running, desired } = status ?? { running: 0, desired: 0 };
  const { succeeded, total } = status?.job ?? { succeeded: 0, total: totalCompletions ?? 0 };
  const atOnce = Number.isFinite(maxConcurrent) ? maxConcurrent : desired;
  return `${String(running)}/${String(atOnce)} (${String(succeeded)}/${String(total)} completed)`;
}

type PortLike = Pick<Port, 'target' | 'published'> & { readonly protocol?: string };

/** A port as Docker writes it: `*:8080->80/tcp`. */
export function portWords({ target, published, protocol = 'tcp' }: PortLike): string {
  return `${published === undefined ? '' : `*:${String(published)}->`}${String(target)}/${protocol}`;
}

/** All ports of a service; those that follow each other as ranges: `*:8000-8002->80-82/tcp`. */
export function portsOf({ spec }: Service): string {
  const ports = [...(spec.endpoint?.ports ?? [])].sort(byProtocolAndPort);
  const ranges: PortRange[] = [];
  for (const port of ports) {
    const last = ranges.at(-1);
    if (last && isNext(last, port)) ranges.splice(-1, 1, { ...last, last: port });
    else ranges.push({ first: port, last: port });
  }
  return ranges.map(rangeWords).join(', ');
}

interface PortRange {
  readonly first: Port;
  readonly last: Port;
}

function byProtocolAndPort(a: Port, b: Port): number {
  return (
    (a.protocol ?? 'tcp').localeCompare(b.protocol ?? 'tcp') ||
    (a.published ?? 0) - (b.published ?? 0) ||
    a.target - b.target
  );
}

function isNext({ last }: PortRange, { protocol = 'tcp', published, target }: Port): boolean {
  return (
    (last.protocol ?? 'tcp') === protocol &&
    last.published !== undefined &&
    published === last.published + 1 &&
    target === last.target + 1
  );
}

function rangeWords({ first, last }: PortRange): string {
  if (first === last) return portWords(first);
  const range = (from = 0, to = 0) => `${String(from)}-${String(to)}`;
  const published = range(first.published, last.published);
  return `*:${published}->${range(first.target, last.target)}/${first.protocol ?? 'tcp'}`;
}

/** An image as tables show it: of a tag with a digest only the tag. */
export const imageWords = (image: string): string =>
  image.replace(/(:[\w][\w.-]*)@sha256:[0-9a-f]+$/, '$1');

/** The state to show of a task. */
export function stateOf({ spec, status }: Task): TaskState {
  return status?.state ?? (spec.nodeId === undefined ? 'pending' : 'assigned');
}

/** What a task itself says: why it waits for a node, what went wrong, or what it does. */
export function taskMessage({ spec, status }: Task): string {
  const why = status?.error ?? '';
  if (why !== '') return why;
  if (spec.nodeId === undefined && spec.pending) return spec.pending.message;
  return status?.message ?? '';
}

/** A manager's standing in Docker's words: `Leader`, `Reachable` or `Unreachable`. */
export function reachabilityOf({ status }: Pick<Manager, 'status'>): string {
  if (!isReachable({ status })) return 'Unreachable';
  return status.leader ? 'Leader' : 'Reachable';
}

/** Whether a manager is there. */
export const isReachable = ({ status }: Pick<Manager, 'status'>): boolean =>
  status.reachability === 'reachable';

/** `1 task`, `2 tasks`. */
export function plural(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `current, stable`. */
export function revisionState({ status }: ServiceRevision): string {
  return [status?.current ? 'current' : '', status?.stable ? 'stable' : '']
    .filter(Boolean)
    .join(', ');
}
