import {
  isWanted,
  parseBytes,
  parseCpuNano,
  type StoredNode,
  type StoredTask,
  type TaskTemplate,
} from '../../../api/v1/index.js';
import type { Truth } from './truth.js';

/**
 * Whether a node may take a task, told apart from the scheduler that decides it: simple, slow, and of every
 * filter the plain meaning. Undefined when it may. `placedTogether`: tasks that were placed in the same write.
 */
export function whyUnfit(
  truth: Truth,
  nodeId: string,
  task: StoredTask,
  placedTogether: ReadonlySet<string> = new Set(),
): string | undefined {
  const node = truth.nodes.get(nodeId);
  const revision = truth.revisionOf(task);
  if (!node) return 'there is no such node';
  if (!revision) return 'its revision is gone';
  const template = revision.template.task;
  return (
    whyNotOpen(truth, node) ??
    whyNotMeant(task, nodeId) ??
    failingConstraint(truth, node, template) ??
    shortage(truth, nodeId, task) ??
    tooMany(truth, nodeId, { task, placedTogether })
  );
}

function whyNotOpen(truth: Truth, { metadata, spec }: StoredNode): string | undefined {
  if (spec.availability !== 'active') return `availability is ${spec.availability}`;
  const state = truth.nodeHealths.get(metadata.uid)?.state;
  return state === 'ready' ? undefined : `it is ${state ?? 'never connected'}`;
}

function whyNotMeant({ spec: { forNode } }: StoredTask, nodeId: string): string | undefined {
  return forNode === undefined || forNode === nodeId ? undefined : `it is for ${forNode}`;
}

/** The constraint that a node does not meet, if there is one. */
export function failingConstraint(
  truth: Truth,
  node: StoredNode,
  { placement }: TaskTemplate,
): string | undefined {
  return placement?.constraints?.find((text) => !meets(truth, node, text));
}

function meets(truth: Truth, node: StoredNode, text: string): boolean {
  const [, attribute = '', operator, value] = /^(\S+)\s*(==|!=)\s*(\S+)$/.exec(text) ?? [];
  const found = attributeOf(truth, node, attribute);
  return (found === value) === (operator === '==');
}

function attributeOf(truth: Truth, node: StoredNode, attribute: string): string | undefined {
  const { metadata, spec } = node;
  const description = truth.nodeStatuses.get(metadata.uid)?.description;
  if (attribute.startsWith('node.labels.')) return metadata.labels[attribute.slice(12)];
  if (attribute.startsWith('engine.labels.')) return description?.engineLabels[attribute.slice(14)];
  const plain: Readonly<Record<string, string | undefined>> = {
    'node.id': metadata.uid,
    'node.hostname': metadata.name,
    'node.role': spec.role,
  };
  return plain[attribute];
}

interface Amounts {
  readonly cpuNano: number;
  readonly memoryBytes: number;
}

/** Of what there is not enough, with everything that still runs there. */
function shortage(truth: Truth, nodeId: string, task: StoredTask): string | undefined {
  const { cpuNano = 0, memoryBytes = 0 } = truth.nodeStatuses.get(nodeId)?.description ?? {};
  const asked = reserved(truth, task);
  const taken = others(truth, nodeId, task).map((other) => reserved(truth, other));
  const sum = (of: (amounts: Amounts) => number) =>
    taken.reduce((all, amounts) => all + of(amounts), of(asked));
  if (asked.cpuNano > 0 && sum((each) => each.cpuNano) > cpuNano) return 'not enough CPU';
  const isFull = sum((each) => each.memoryBytes) > memoryBytes;
  return asked.memoryBytes > 0 && isFull ? 'not enough memory' : undefined;
}

/** What else has not ended on the node. */
function others(truth: Truth, nodeId: string, task: StoredTask): readonly StoredTask[] {
  return [...truth.tasks.values()].filter(
    (other) =>
      other.spec.nodeId === nodeId &&
      other.metadata.uid !== task.metadata.uid &&
      !truth.hasEnded(other),
  );
}

function reserved(truth: Truth, task: StoredTask): Amounts {
  const { cpus = 0, memory = 0 } =
    truth.revisionOf(task)?.template.task.resources?.reservations ?? {};
  return { cpuNano: parseCpuNano(cpus) ?? 0, memoryBytes: parseBytes(memory) ?? 0 };
}

/** Of tasks that are placed together, those of one revision are placed before those of another. */
function tooMany(
  truth: Truth,
  nodeId: string,
  { task, placedTogether }: { task: StoredTask; placedTogether: ReadonlySet<string> },
): string | undefined {
  const most = truth.revisionOf(task)?.template.task.placement?.maxReplicasPerNode ?? 0;
  if (most === 0) return undefined;
  const siblings = others(truth, nodeId, task).filter(
    ({ spec, metadata }) =>
      spec.serviceUid === task.spec.serviceUid &&
      isWanted(spec.desiredState) &&
      (spec.revision === task.spec.revision || !placedTogether.has(metadata.uid)),
  );
  return siblings.length >= most ? `more than ${most} replicas` : undefined;
}
