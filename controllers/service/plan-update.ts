import { hasEnded, hasFailed, instantMs, ranMs, type TaskView } from '../../pkg/lifecycle/index.js';
import { stop, type ServiceChange } from './plan-changes.js';
import { isStopping, representativeOf, type Slot } from './plan-slots.js';

/** Slots that an update may take out of service at once. */
const PARALLELISM = 1;
/** A new task that fails this soon after its start stops the update (Swarm's default). */
const MONITOR_MS = 5_000;

/** How far an update is. */
export interface UpdateState {
  /** Slots that still run another revision. */
  readonly outdated: number;
  /** Why the update stopped; undefined while it goes on. */
  readonly pausedBy?: string | undefined;
}

/** What an update rests on. */
export interface UpdateInput {
  /** The slots that stay. */
  readonly slots: readonly Slot[];
  readonly revision: number;
  /** Only failures of tasks that were created since then count: an older spec's are forgiven. */
  readonly specChangedAt: string;
  /** Message of a pause that was stored for this very spec. */
  readonly storedPause?: string | undefined;
}

/** An update's next steps. */
export interface UpdatePlan {
  readonly state: UpdateState;
  readonly changes: readonly ServiceChange[];
}

/**
 * Replaces tasks of other revisions, stop-first (swarm-semantics 2.7): those that do not run have nothing
 * to lose and go at once; those that run go one at a time, the next when its predecessor's successor runs.
 * A new task that fails soon after its start pauses the update until the spec changes.
 */
export function planUpdate(input: UpdateInput): UpdatePlan {
  const { slots, revision } = input;
  const entries = slots.map((slot) => ({ slot, task: representativeOf(slot, revision) }));
  const surplus = entries.flatMap(({ slot, task }) =>
    slot.live.filter((other) => other !== task).flatMap(stop),
  );
  const outdated = entries.filter(({ task }) => task.task.spec.revision !== revision);
  if (outdated.length === 0) return { state: { outdated: 0 }, changes: surplus };

  const pausedBy = input.storedPause ?? failureOf(input);
  const state = { outdated: outdated.length, pausedBy };
  if (pausedBy !== undefined) return { state, changes: surplus };
  return { state, changes: replacements(entries, outdated, revision) };
}

interface Entry {
  readonly slot: Slot;
  readonly task: TaskView;
}

function replacements(
  entries: readonly Entry[],
  outdated: readonly Entry[],
  revision: number,
): readonly ServiceChange[] {
  const idle = outdated.filter(({ task }) => task.state !== 'running');
  const running = outdated.filter(({ task }) => task.state === 'running');
  const underway = entries.filter(({ task }) => isUnderway(task, revision)).length;
  const free = Math.max(0, PARALLELISM - idle.length - underway);
  const replaced = [...idle, ...running.slice(0, free)];
  const untouched = new Set(replaced.map(({ slot }) => slot));
  return [
    ...replaced.map(({ slot, task }) => replace(slot, task, revision)),
    ...entries
      .filter(({ slot }) => !untouched.has(slot))
      .flatMap(({ slot, task }) => slot.live.filter((other) => other !== task).flatMap(stop)),
  ];
}

/**
 * A task of the new revision on its way: it keeps others from being stopped. One that was made by scaling
 * up and found no node yet does not: the update may be what makes room for it.
 */
function isUnderway({ task, state }: TaskView, revision: number): boolean {
  const { spec } = task;
  if (spec.revision !== revision || state === 'running') return false;
  if (spec.desiredState === 'shutdown') return false; // ended, and nothing follows
  return spec.nodeId !== undefined || spec.replaces !== undefined;
}

function replace(slot: Slot, task: TaskView, revision: number): ServiceChange {
  const mustWait =
    isStopping(slot) ||
    slot.live.some((view) => view.task.spec.nodeId !== undefined && !hasEnded(view));
  return {
    kind: 'replace-task',
    stopped: slot.live,
    task: {
      slot: slot.number,
      forNode: slot.forNode,
      revision,
      desiredState: mustWait ? 'ready' : 'running',
      replaces: task.task.metadata.uid,
    },
  };
}

/** What a person should know of the first new task that failed soon after its start. */
function failureOf({ slots, revision, specChangedAt }: UpdateInput): string | undefined {
  const since = instantMs(specChangedAt);
  for (const { tasks } of slots) {
    const failed = tasks.find(
      (view) =>
        view.task.spec.revision === revision &&
        hasFailed(view) &&
        ranMs(view) < MONITOR_MS &&
        instantMs(view.task.metadata.createdAt) >= since,
    );
    if (failed) return describeFailure(failed);
  }
  return undefined;
}

function describeFailure({ task, status, state }: TaskView): string {
  const why = status?.error ?? status?.message ?? '';
  const detail = why === '' ? '' : `: ${why}`;
  return `task ${task.metadata.name} of revision ${task.spec.revision} ${state}${detail}`;
}
