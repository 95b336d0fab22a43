import type { EffectiveRestartPolicy } from '../../api/v1/index.js';
import { byAge, hasEnded, isLive, mayRestart, type TaskView } from '../../pkg/lifecycle/index.js';

/** All tasks of one place in a service: a number of a replicated service, a node of a global one. */
export interface Slot {
  /** Number of the slot; 0 in a global service. */
  readonly number: number;
  /** The node of the slot in a global service. */
  readonly forNode?: string | undefined;
  /** Oldest first; without those that are on their way out of the store. */
  readonly tasks: readonly TaskView[];
  /** Those that are on their way out of the store; some may still run. */
  readonly leaving: readonly TaskView[];
  /** The tasks that are meant to run; two while a new one starts before the old one stops. */
  readonly live: readonly TaskView[];
  readonly newest: TaskView;
  /**
   * True when nothing has to be created here: there is a live task, or the newest one has ended and its
   * policy says that nothing follows (swarm-semantics 2.4, rule b).
   */
  readonly filled: boolean;
}

/** Whether a task is as it should be, whatever its revision is called. */
export type IsCurrent = (view: TaskView) => boolean;

/** The restart policy of each revision. */
export type Policies = (revision: number) => EffectiveRestartPolicy;

/** Groups the tasks of a service by slot, in order of slot. Tasks that are being removed fill none. */
export function slotsOf(tasks: readonly TaskView[], policies: Policies): readonly Slot[] {
  const bySlot = new Map<string | number, TaskView[]>();
  for (const view of tasks) {
    const { slot, forNode } = view.task.spec;
    const key = slot === 0 ? (forNode ?? '') : slot;
    const known = bySlot.get(key);
    if (known) known.push(view);
    else bySlot.set(key, [view]);
  }
  return [...bySlot.values()].flatMap((members) => slotOf(members, policies)).sort(byPlace);
}

function slotOf(members: TaskView[], policies: Policies): readonly Slot[] {
  const all = members.length > 1 ? members.sort(byAge) : members;
  const leaving = all.filter(isLeaving);
  const tasks = leaving.length > 0 ? all.filter((view) => !isLeaving(view)) : all;
  const newest = tasks.at(-1) ?? leaving.at(-1);
  if (!newest) return [];
  const live = tasks.filter(isLive);
  const { slot: number, forNode, revision } = newest.task.spec;
  const isOver = () => tasks.length > 0 && !mayRestart(newest, policies(revision), tasks);
  const filled = live.length > 0 || isOver();
  return [{ number, forNode, tasks, leaving, live, newest, filled }];
}

const isLeaving = ({ task }: TaskView): boolean => task.spec.desiredState === 'remove';

function byPlace(a: Slot, b: Slot): number {
  if (a.number !== b.number) return a.number - b.number;
  return (a.forNode ?? '') < (b.forNode ?? '') ? -1 : 1;
}

/** The task that stands for the slot: a live one that is current, else a running one, else the newest. */
export function representativeOf({ live, newest }: Slot, isCurrent: IsCurrent): TaskView {
  const [only] = live;
  if (live.length <= 1) return only ?? newest;
  const rank = (view: TaskView) => (isCurrent(view) ? 2 : 0) + (view.state === 'running' ? 1 : 0);
  return live.reduce((best, view) => (rank(view) >= rank(best) ? view : best));
}

/** What a slot is called among those of its service: its number, or its node. */
export const placeOf = ({ number, forNode }: Slot): string => forNode ?? String(number);

/** A task of the slot was told to stop and may still run: a successor must not start yet. */
export function isStopping({ tasks, leaving }: Slot): boolean {
  return [...tasks, ...leaving].some(
    (view) => !isLive(view) && !hasEnded(view) && view.task.spec.nodeId !== undefined,
  );
}
