import {
  isWanted,
  parseBytes,
  parseCpuNano,
  type StoredNode,
  type StoredTask,
  type TaskTemplate,
} from '../../../api/v1/index.js';
import { attributeOf } from './attributes.js';
import { whyNotThere } from './neighbourhood.js';
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
    tooMany(truth, nodeId, { task, placedTogether }) ??
    whyNotThere(truth, node, task, placedTogether)
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

const CONSTRAINT = /^(\S+)\s+(\S+)\s*(.*)$/;

/** The constraint that a node does not meet, if there is one. */
export function failingConstraint(
  truth: Truth,
  node: StoredNode,
  { placement }: TaskTemplate,
): string | undefined {
  return placement?.constraints?.find((text) => !meets(truth, node, text));
}

function meets(truth: Truth, node: StoredNode, text: string): boolean {
  const [, attribute = '', operator = '', value = ''] = CONSTRAINT.exec(text) ?? [];
  const found = attributeOf(truth, node, attribute);
  const list = value.replaceAll(/[()\s]/g, '').split(',');
  switch (operator) {
    case '==':
      return found === value;
    case '!=':
      return found !== value;
    case 'in':
      return list.includes(found ?? '');
    case 'notin':
      return !list.includes(found ?? '');
    case 'exists':
      return found !== undefined;
    case '!exists':
      return found === undefined;
    case '=~':
      return new RegExp(value).test(found ?? '');
    default:
      throw new RangeError(`the oracle does not know ${text}`);
  }
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
  if (asked.memoryBytes > 0 && isFull) return 'not enough memory';
  return tooFewGpus(truth, nodeId, task);
}

/** Those that nobody has are enough, and those that it was given are there and nobody else's. */
function tooFewGpus(truth: Truth, nodeId: string, task: StoredTask): string | undefined {
  const asked = gpusAsked(truth, task);
  if (asked === 0) return undefined;
  const present = truth.nodeStatuses.get(nodeId)?.description.namedResources?.['gpu'] ?? [];
  const taken = others(truth, nodeId, task).flatMap(gpusOf);
  const free = present.filter((gpu) => !taken.includes(gpu));
  if (task.spec.nodeId !== nodeId) return free.length < asked ? 'not enough GPUs' : undefined;
  const given = gpusOf(task);
  const isRight = given.length === asked && given.every((gpu) => free.includes(gpu));
  return isRight ? undefined : `it was given ${given.join(', ')}; free: ${free.join(', ')}`;
}

function gpusAsked(truth: Truth, task: StoredTask): number {
  const { genericResources = [] } =
    truth.revisionOf(task)?.template.task.resources?.reservations ?? {};
  return genericResources.find(({ kind }) => kind === 'gpu')?.value ?? 0;
}

function gpusOf({ spec }: StoredTask): readonly string[] {
  const given = spec.assignedResources?.['gpu'] ?? [];
  return typeof given === 'number' ? [] : given;
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
