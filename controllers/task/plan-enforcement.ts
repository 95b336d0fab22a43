import { hasEnded, isLive, type TaskView, type TemplateDemand } from '../../pkg/lifecycle/index.js';
import { findFailingConstraint, parseConstraint } from '../../pkg/scheduler/index.js';
import type { Constraint, Resources, SchedulingNode } from '../../pkg/scheduler/index.js';

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
  const left = new Amounts(node.resources);
  for (const task of tasks.filter((candidate) => !hasEnded(candidate)).sort(byCreation)) {
    const why = failingConstraint(task, node) ?? left.take(task.demand.reservations);
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

/** What is left of a node's resources. */
class Amounts {
  private cpuNano: number;
  private memoryBytes: number;
  private readonly generic: Map<string, number>;

  constructor(total: Resources) {
    this.cpuNano = total.cpuNano;
    this.memoryBytes = total.memoryBytes;
    this.generic = new Map(Object.entries(total.generic ?? {}));
  }

  /** Takes what is asked for, or says what is missing and takes nothing. */
  take(asked: Resources | undefined): string | undefined {
    if (!asked) return undefined;
    if (asked.cpuNano > this.cpuNano) return 'insufficient CPU';
    if (asked.memoryBytes > this.memoryBytes) return 'insufficient memory';
    const generic = Object.entries(asked.generic ?? {});
    const missing = generic.find(([kind, amount]) => amount > (this.generic.get(kind) ?? 0));
    if (missing) return `insufficient ${missing[0]}`;
    this.cpuNano -= asked.cpuNano;
    this.memoryBytes -= asked.memoryBytes;
    for (const [kind, amount] of generic) {
      this.generic.set(kind, (this.generic.get(kind) ?? 0) - amount);
    }
    return undefined;
  }
}

/** First come, first served; by id among tasks of one instant. */
function byCreation(a: NodeTask, b: NodeTask): number {
  const [one, two] = [a.task.metadata, b.task.metadata];
  if (one.createdAt !== two.createdAt) return one.createdAt < two.createdAt ? -1 : 1;
  return one.uid < two.uid ? -1 : 1;
}
