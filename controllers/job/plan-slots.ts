import type { EffectiveRestartPolicy } from '../../api/v1/index.js';
import {
  byAge,
  endedAtMs,
  hasEnded,
  hasFailed,
  instantMs,
  isLive,
  mayRestart,
  successionOf,
  type TaskView,
} from '../../pkg/lifecycle/index.js';
import { remove, stop, type JobChange, type NewTask } from './plan-changes.js';

/** How long a task that was told to stop counts among those that run at once. */
const MAX_STOP_WAIT_MS = 60_000;

/** All tasks of one place in a job: a number of a replicated job, a node of a global one. */
export interface Slot {
  /** From 1; 0 in a global job. */
  readonly number: number;
  readonly forNode?: string | undefined;
  /** Tasks of the present run, oldest first, without those on their way out of the store. */
  readonly tries: readonly TaskView[];
  /** All other tasks. */
  readonly leftovers: readonly TaskView[];
  /** The last of the tries. */
  readonly newest?: TaskView | undefined;
  /** `vacant`: nothing of this run is there, or its last try has ended and not well. */
  readonly progress: 'complete' | 'active' | 'vacant';
  /** Failures in this run. */
  readonly failures: number;
  /** Something in it has to stop before anything else may start there; the slot controller sees to that. */
  readonly isStopping: boolean;
  /** Until when that keeps tasks of other slots from starting; 0 for nothing. Milliseconds since 1970. */
  readonly heldUntil: number;
}

/** What slots are read from. */
export interface SlotInput {
  readonly tasks: readonly TaskView[];
  readonly iteration: number;
  /** Nobody can tell what stopped there. */
  readonly lostNodes: ReadonlySet<string>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Groups the tasks of a job by slot: by number, or by node in a global job. */
export function slotsOf(input: SlotInput): ReadonlyMap<number | string, Slot> {
  const bySlot = new Map<number | string, TaskView[]>();
  for (const view of input.tasks) {
    const key = keyOf(view);
    const known = bySlot.get(key);
    if (known) known.push(view);
    else bySlot.set(key, [view]);
  }
  return new Map([...bySlot].map(([key, members]) => [key, slotOf(key, members, input)]));
}

/** A slot that no task was ever in. */
export const emptySlot = (key: number | string): Slot => ({
  number: typeof key === 'number' ? key : 0,
  forNode: typeof key === 'number' ? undefined : key,
  tries: [],
  leftovers: [],
  progress: 'vacant',
  failures: 0,
  isStopping: false,
  heldUntil: 0,
});

function keyOf({ task: { spec } }: TaskView): number | string {
  return spec.slot === 0 ? (spec.forNode ?? '') : spec.slot;
}

function slotOf(key: number | string, members: readonly TaskView[], input: SlotInput): Slot {
  const isTry = ({ task: { spec } }: TaskView) =>
    spec.revision === input.iteration && spec.desiredState !== 'remove';
  const tries = members.filter(isTry).sort(byAge);
  const newest = tries.at(-1);
  const most = Math.max(0, ...tries.map(({ task }) => task.spec.restarts));
  const hasFailedLast = tries.some((view) => view.task.spec.restarts === most && hasFailed(view));
  return {
    ...emptySlot(key),
    tries,
    leftovers: members.filter((view) => !isTry(view)),
    newest,
    progress: progressOf(tries),
    failures: most + (hasFailedLast ? 1 : 0),
    isStopping: members.some((view) => isToStop(view, input)),
    heldUntil: Math.max(0, ...members.map((view) => heldUntil(view, input))),
  };
}

function progressOf(tries: readonly TaskView[]): Slot['progress'] {
  if (tries.some(({ state }) => state === 'complete')) return 'complete';
  return tries.some(isActive) ? 'active' : 'vacant';
}

/** The task runs or is on its way to it. */
export const isActive = (view: TaskView): boolean => isLive(view) && !hasEnded(view);

/** It runs and should not, or is about to be told so because it is of an earlier run. */
function isToStop(view: TaskView, { iteration, lostNodes }: SlotInput): boolean {
  const { nodeId, revision } = view.task.spec;
  if (hasEnded(view) || nodeId === undefined || lostNodes.has(nodeId)) return false;
  return !isLive(view) || revision !== iteration;
}

/** Never longer than meant, whatever the clock of the leader was that told it. */
function heldUntil(view: TaskView, input: SlotInput): number {
  if (!isToStop(view, input)) return 0;
  const latest = input.now + MAX_STOP_WAIT_MS;
  if (isLive(view)) return latest;
  return Math.min(instantMs(view.task.metadata.updatedAt) + MAX_STOP_WAIT_MS, latest);
}

/** Nothing follows the last try: its own policy says so, whatever the job allows. */
export function givesUp({ newest, tries }: Slot, policy: EffectiveRestartPolicy): boolean {
  return newest !== undefined && hasFailed(newest) && !mayRestart(newest, policy, tries);
}

/** What the next try of a vacant slot rests on. */
export interface TryInput {
  readonly slot: Slot;
  readonly iteration: number;
  readonly policy: EffectiveRestartPolicy;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The next try of a vacant slot: after a failure it waits, after a drain or the loss of a node it does not. */
export function nextTry(input: TryInput): JobChange {
  const { slot, iteration, now } = input;
  const { newest, number, forNode } = slot;
  const { startMs, ...counters } = successorOf(input);
  const isHeldBack = startMs > now;
  const task: NewTask = {
    slot: number,
    forNode,
    revision: iteration,
    desiredState: isHeldBack || slot.isStopping ? 'ready' : 'complete',
    startAt: isHeldBack ? new Date(startMs).toISOString() : undefined,
    ...counters,
  };
  return { kind: 'create-task', task, after: newest };
}

type Counters = Pick<NewTask, 'restarts' | 'failures' | 'lastFailure' | 'tryingSince'>;

function successorOf({ slot: { newest }, policy, now }: TryInput): Counters & {
  /** Milliseconds since 1970; in the past when it need not wait. */
  readonly startMs: number;
} {
  if (!newest) return { startMs: 0, restarts: 0, failures: 0 };
  const { delayMs, ...counters } = successionOf(newest, 'ended', policy);
  return {
    // The end was stamped by another machine's clock: the wait is never longer than the delay.
    startMs: Math.min(now, endedAtMs(newest)) + delayMs,
    ...counters,
    tryingSince: hasFailed(newest) ? triedSince(newest) : undefined,
  };
}

/** When the first of the tries that failed one after the other began. */
export const triedSince = ({ task: { spec, metadata } }: TaskView): string =>
  spec.tryingSince ?? metadata.createdAt;

/** One task is enough in a slot, and none in one that is complete. */
export function planSurplus({ tries, progress }: Slot): readonly JobChange[] {
  const active = tries.filter(isActive);
  return (progress === 'complete' ? active : active.slice(0, -1)).flatMap(stop);
}

/** Tasks of earlier runs go; those that have ended stay as history, trimmed as that of any service. */
export function planLeftovers({ leftovers }: Slot): readonly JobChange[] {
  return leftovers.flatMap((view) => {
    if (!hasEnded(view)) return remove(view);
    return view.state === 'complete' ? [] : stop(view);
  });
}

/** A slot that the job does not have (any more). */
export const planRemoval = ({ tries, leftovers }: Slot): readonly JobChange[] =>
  [...tries, ...leftovers].flatMap(remove);

/** Nothing of the run goes on here. */
export const planHalt = ({ tries }: Slot): readonly JobChange[] =>
  tries.filter(({ state }) => state !== 'complete').flatMap(stop);
