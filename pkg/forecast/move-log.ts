import { isWanted, type PlannedMove, type PlanStep, type StoredTask } from '../../api/v1/index.js';
import type { EventRecorder, EventReport } from '../events/index.js';
import type { World } from '../objects/index.js';
import type { ForecastClock } from './forecast-clock.js';

/** What happened to one slot at one time. */
interface Noted {
  readonly round: number;
  readonly afterMs: number;
  readonly task: StoredTask;
  readonly action: PlannedMove['action'];
  readonly from?: string | undefined;
  to?: string | undefined;
}

/** Takes down what happens to the tasks of a fork, and makes steps of it. */
export class MoveLog implements EventRecorder, Disposable {
  /** Counts how often nodes acted or time went on: what happens in one round happens together. */
  round = 0;
  private readonly notes: Noted[] = [];
  private readonly arriving = new Map<string, Noted>();
  /** Tasks that something follows: they are told of with it. */
  private readonly followed = new Set<string>();
  private readonly stopped = new Set<string>();
  private readonly reasons = new Map<string, string>();
  private readonly subscription: Disposable;

  constructor(
    private readonly world: World,
    private readonly clock: ForecastClock,
  ) {
    this.subscription = world.tasks.onChange((before, after) => {
      if (after === undefined) return;
      if (before === undefined) this.noteNew(after);
      else this.noteChange(before, after);
    });
  }

  /** Controllers say here why they move a task. */
  record({ reason, message, regarding }: EventReport): void {
    if (reason === 'TaskMoved') this.reasons.set(regarding.uid, message);
  }

  /** Names of the services that something happened to. */
  get services(): ReadonlySet<string> {
    return new Set(this.notes.map(({ task }) => task.spec.service));
  }

  /** What happened, in order; slots in order of their numbers. */
  steps(): PlanStep[] {
    const byRound = new Map<number, Noted[]>();
    for (const note of this.notes) {
      if (this.isFollowed(note)) continue;
      const known = byRound.get(note.round);
      if (known) known.push(note);
      else byRound.set(note.round, [note]);
    }
    return [...byRound.values()].map((notes) => ({
      afterMs: Math.round(notes[0]?.afterMs ?? 0),
      moves: notes.sort(byPlace).map((note) => this.moveOf(note)),
    }));
  }

  [Symbol.dispose](): void {
    this.subscription[Symbol.dispose]();
  }

  private noteNew(task: StoredTask): void {
    const old = predecessorOf(task);
    const from = old === undefined ? undefined : this.world.tasks.get(old)?.spec.nodeId;
    if (old !== undefined) this.followed.add(old);
    this.note(task, { action: actionOf(task), from });
  }

  private noteChange(before: StoredTask, after: StoredTask): void {
    const { uid } = after.metadata;
    if (before.spec.nodeId === undefined && after.spec.nodeId !== undefined) {
      const arriving = this.arriving.get(uid);
      if (arriving === undefined) this.note(after, { action: 'place', to: after.spec.nodeId });
      else arriving.to = after.spec.nodeId;
    }
    if (isWanted(before.spec.desiredState) && !isWanted(after.spec.desiredState)) {
      this.stopped.add(uid);
      this.note(after, { action: 'stop', from: after.spec.nodeId });
    }
  }

  private note(task: StoredTask, what: Pick<Noted, 'action' | 'from' | 'to'>): void {
    const noted: Noted = { round: this.round, afterMs: this.clock.monotonicMs(), task, ...what };
    this.notes.push(noted);
    if (what.action !== 'stop') this.arriving.set(task.metadata.uid, noted);
  }

  private isFollowed({ action, task }: Noted): boolean {
    return action === 'stop' && this.followed.has(task.metadata.uid);
  }

  private moveOf({ task, action, from, to }: Noted): PlannedMove {
    const old = predecessorOf(task) ?? '';
    const reason = this.reasons.get(old);
    const stays = action === 'move' && to === undefined && !this.stopped.has(old);
    return {
      service: task.spec.service,
      task: task.metadata.name,
      action: stays ? 'stay' : action,
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      ...(reason !== undefined && { why: reason }),
    };
  }
}

/** The task whose place it takes; of several reasons the last one, since they are handed on. */
const predecessorOf = ({ spec }: StoredTask): string | undefined =>
  spec.moves ?? spec.replaces ?? spec.updates;

function actionOf({ spec }: StoredTask): PlannedMove['action'] {
  if (spec.moves !== undefined || spec.replaces !== undefined) return 'move';
  return spec.updates === undefined ? 'create' : 'update';
}

function byPlace(a: Noted, b: Noted): number {
  const [one, two] = [a.task.spec, b.task.spec];
  if (one.service !== two.service) return one.service < two.service ? -1 : 1;
  return one.slot - two.slot || (a.task.metadata.name < b.task.metadata.name ? -1 : 1);
}
