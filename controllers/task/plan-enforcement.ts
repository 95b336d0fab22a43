import { hasEnded, isLive, type TaskView, type TemplateDemand } from '../../pkg/lifecycle/index.js';
import { findFailingConstraint, parseConstraint } from '../../pkg/scheduler/index.js';
import type { Constraint, SchedulingNode } from '../../pkg/scheduler/index.js';

/** A task of a node and what its own revision asks of it. */
export interface NodeTask extends TaskView {
  readonly demand: TemplateDemand;
}

/** A node and all tasks on it, read at one store revision. */
export interface NodeSnapshot {
  readonly node: SchedulingNode;
  readonly tasks: readonly NodeTask[];
}

/** A task that its node does not suit any more. */
export interface Misfit {
  readonly task: NodeTask;
  readonly why: string;
}

/**
 * Tasks that have to leave an active node, because its labels or its resources changed (swarm-semantics
 * 2.10). They are held against the constraints of their own revision, as placement did: against those of a
 * newer one they would be sent away and come back until the update reaches them.
 */
export function planEnforcement({ node, tasks }: NodeSnapshot): readonly Misfit[] {
  if (node.availability !== 'active') return [];
  const misfits: Misfit[] = [];
  const left = new Amounts(node);
  for (const task of tasks.filter((candidate) => !hasEnded(candidate)).sort(byCreation)) {
    const why = failingConstraint(task, node) ?? left.take(task);
    if (why !== undefined && isLive(task)) misfits.push({ task, why });
  }
  return misfits;
}

/** The service controller looks after the constraints of global services. */
function failingConstraint({ task, demand }: NodeTask, node: SchedulingNode): string | undefined {
  if (task.spec.slot === 0) return undefined;
  const constraints = (demand.constraints ?? []).flatMap(readConstraint);
  const failing = findFailingConstraint(constraints, node);
  return failing && `constraint ${failing.text}`;
}

/** One that cannot be read never let a task in, so it does not send one away either. */
function readConstraint(text: string): readonly Constraint[] {
  try {
    return [parseConstraint(text)];
  } catch {
    return [];
  }
}

/** What is left of a node's resources, while its tasks take theirs one after the other. */
class Amounts {
  private cpuNano: number;
  private memoryBytes: number;
  /** Generic resources by kind, named ones included. */
  private readonly counted = new Map<string, number>();
  /** Ids of named ones that nobody has yet. */
  private readonly named = new Map<string, Set<string>>();

  constructor({ resources, namedResources = {} }: SchedulingNode) {
    this.cpuNano = resources.cpuNano;
    this.memoryBytes = resources.memoryBytes;
    for (const [kind, amount] of Object.entries(resources.generic ?? {})) {
      this.counted.set(kind, amount);
    }
    for (const [kind, ids] of Object.entries(namedResources)) this.named.set(kind, new Set(ids));
  }

  /** Takes what a task has, or says what is missing and takes nothing. */
  take({ task, demand: { reservations } }: NodeTask): string | undefined {
    const { cpuNano = 0, memoryBytes = 0, generic = {} } = reservations ?? {};
    const given = task.spec.assignedResources ?? {};
    if (cpuNano > this.cpuNano) return 'insufficient CPU';
    if (memoryBytes > this.memoryBytes) return 'insufficient memory';
    const held = Object.entries({ ...generic, ...given });
    const missing = held.map(([kind, what]) => this.missing(kind, what)).find(Boolean);
    if (missing !== undefined) return missing;
    this.cpuNano -= cpuNano;
    this.memoryBytes -= memoryBytes;
    for (const [kind, what] of held) this.takeGeneric(kind, what);
    return undefined;
  }

  private missing(kind: string, what: Held): string | undefined {
    const ids = this.named.get(kind);
    const gone = typeof what === 'number' ? undefined : what.find((id) => ids?.has(id) === false);
    if (gone !== undefined) return `${kind} ${gone} is not there any more`;
    return amountOf(what) > (this.counted.get(kind) ?? 0) ? `insufficient ${kind}` : undefined;
  }

  private takeGeneric(kind: string, what: Held): void {
    this.counted.set(kind, (this.counted.get(kind) ?? 0) - amountOf(what));
    if (typeof what === 'number') return;
    for (const id of what) this.named.get(kind)?.delete(id);
  }
}

type Held = readonly string[] | number;

const amountOf = (what: Held): number => (typeof what === 'number' ? what : what.length);

/** First come, first served; by id among tasks of one instant. */
function byCreation(a: NodeTask, b: NodeTask): number {
  const [one, two] = [a.task.metadata, b.task.metadata];
  if (one.createdAt !== two.createdAt) return one.createdAt < two.createdAt ? -1 : 1;
  return one.uid < two.uid ? -1 : 1;
}
