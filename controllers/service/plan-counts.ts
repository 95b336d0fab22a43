import { isTerminal } from '../../api/v1/index.js';
import { hasFailed, instantMs, isReady, type TaskView } from '../../pkg/lifecycle/index.js';
import { representativeOf, type IsCurrent, type Slot } from './plan-slots.js';

/** How many slots of a service are how far. */
export interface Counts {
  /** Slots of which a task runs. */
  readonly running: number;
  /** Slots of which a task is available. */
  readonly ready: number;
  /** Slots of which a task runs that is as it should be. */
  readonly updated: number;
  readonly pending: number;
  readonly failed: number;
  /** Tasks on lost nodes: nobody knows whether they run. */
  readonly lost: number;
  /** Slots whose task has ended well and to which nothing follows. */
  readonly complete: number;
  /** Slots whose task has failed and to which nothing follows. */
  readonly givenUp: number;
  /** Tasks held back after a failure, and the instant at which the first of them starts. */
  readonly heldBack: number;
  readonly nextStartAt: string | undefined;
  /** Why tasks are pending, in the words of the first. */
  readonly pendingMessage: string | undefined;
  /** Of the slot that failed last in order. */
  readonly failure: string | undefined;
  /** Why a slot runs and is not available, of the first of them. */
  readonly unready: string | undefined;
  /** When the next task becomes available by time alone (milliseconds since 1970). */
  readonly nextReadyAtMs: number | undefined;
}

/** What is counted. */
export interface CountInput {
  readonly slots: readonly Slot[];
  readonly isCurrent: IsCurrent;
  readonly lostNodes: ReadonlySet<string>;
  /** When a task counts as available (milliseconds since 1970); undefined while it is not in service. */
  readonly availableAt: (view: TaskView) => number | undefined;
  /** ISO 8601. */
  readonly now: string;
}

interface Entry {
  readonly slot: Slot;
  /** The task that stands for it. */
  readonly task: TaskView;
}

/** Counts slots by what their tasks do. */
export function countTasks(input: CountInput): Counts {
  const { slots, isCurrent, lostNodes, now } = input;
  const entries = slots.map((slot): Entry => ({ slot, task: representativeOf(slot, isCurrent) }));
  const isOnLostNode = testFor(lostNodes);
  const runs = (view: TaskView) => view.state === 'running' && !isOnLostNode(view);
  const running = slots.filter((slot) => slot.live.some(runs));
  const live = entries.filter(({ slot }) => slot.live.length > 0);
  const finished = entries.filter(({ slot }) => slot.filled && slot.live.length === 0);
  const unplaced = slots.flatMap((slot) =>
    slot.live.filter(({ task }) => task.spec.nodeId === undefined),
  );
  const nowMs = instantMs(now);
  const held = live.filter(({ task }) => instantMs(task.task.spec.startAt) > nowMs);
  const failing = live.filter(({ task }) => isFailing(task));
  const givenUp = finished.filter(({ task }) => hasFailed(task));
  return {
    running: running.length,
    updated: running.filter((slot) => slot.live.some((view) => runs(view) && isCurrent(view)))
      .length,
    pending: unplaced.length,
    lost: live.filter(({ task }) => isOnLostNode(task) && !isTerminal(task.state)).length,
    failed: failing.length + givenUp.length,
    complete: finished.filter(({ task }) => task.state === 'complete').length,
    givenUp: givenUp.length,
    heldBack: held.length,
    nextStartAt: held.map(({ task }) => task.task.spec.startAt ?? '').sort()[0],
    pendingMessage: unplaced.map(({ task }) => task.spec.pending?.message).find(Boolean),
    failure: failureText([...failing, ...givenUp]),
    ...readiness(running, input),
  };
}

/** Mostly there is no lost node, and then nothing has to be looked up. */
function testFor(lostNodes: ReadonlySet<string>): (view: TaskView) => boolean {
  if (lostNodes.size === 0) return () => false;
  return ({ task }) => lostNodes.has(task.spec.nodeId ?? '');
}

/** Of the slots that run. */
function readiness(
  running: readonly Slot[],
  { lostNodes, availableAt, now }: CountInput,
): Pick<Counts, 'ready' | 'unready' | 'nextReadyAtMs'> {
  const nowMs = instantMs(now);
  const isOnLostNode = testFor(lostNodes);
  const instants = running.map(({ live }) => {
    let first = Infinity; // without lists: there may be ten thousand slots
    for (const view of live) {
      if (!isOnLostNode(view)) first = Math.min(first, availableAt(view) ?? Infinity);
    }
    return first;
  });
  const later = instants.filter((at) => at > nowMs && at < Infinity);
  return {
    ready: instants.filter((at) => at <= nowMs).length,
    unready: unreadyText(running),
    nextReadyAtMs: later.length === 0 ? undefined : later.reduce((a, b) => Math.min(a, b)),
  };
}

/** Of the first slot none of whose running tasks is in service. */
function unreadyText(running: readonly Slot[]): string | undefined {
  for (const { live } of running) {
    const found = live.find(({ state }) => state === 'running');
    if (found && !live.some(isReady)) {
      return `${found.task.metadata.name}: ${found.status?.unready?.message ?? 'not ready'}`;
    }
  }
  return undefined;
}

const isFailing = (view: TaskView): boolean =>
  hasFailed(view) || (view.state !== 'running' && view.task.spec.failures > 0);

/** The newest failure of the first slots that have one; enough to know what is wrong. */
function failureText(entries: readonly Entry[]): string | undefined {
  for (const { slot } of entries) {
    const failed = slot.tasks.findLast(hasFailed);
    const why = failed?.status?.error ?? failed?.status?.message;
    if (failed && why !== undefined && why !== '') return `${failed.task.metadata.name}: ${why}`;
  }
  return undefined;
}

/** `1 task`, `2 tasks`. */
export const plural = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`;
