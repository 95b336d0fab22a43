import { endedAtMs, hasFailed, servedSinceMs, type TaskView } from '../../pkg/lifecycle/index.js';
import type { Move } from './plan-moves.js';
import { placeOf, type Policies } from './plan-slots.js';

/** New tasks that an update brought and that did not last. */
export interface Failures {
  /** Places of the slots, in order; each counts once. */
  readonly places: readonly string[];
  /** What a person should know of the last of them that is still stored. */
  readonly message: string | undefined;
}

/** What the judgement rests on. */
export interface FailureInput {
  readonly moves: readonly Move[];
  /** Places that were found before: their tasks may be gone by now. */
  readonly known: readonly string[];
  readonly monitorMs: number;
  readonly policies: Policies;
}

/**
 * The slots whose new task never served, or ended within the monitor of that (swarm-semantics 2.7, rule 6).
 * Only tasks that the update made count, not those that restart them.
 */
export function failuresOf({ moves, known, monitorMs, policies }: FailureInput): Failures {
  const found = moves.flatMap(({ slot, tries }) => {
    const early = tries.findLast((view) => endedEarly(view, monitorMs, policies));
    return early ? [{ place: placeOf(slot), early }] : [];
  });
  const fresh = found.map(({ place }) => place).filter((place) => !known.includes(place));
  const last = found.find(({ place }) => fresh.includes(place)) ?? found.at(-1);
  return { places: [...known, ...fresh], message: last && describeEnd(last.early) };
}

/** A task that completed is a failure only where tasks are meant to go on. */
function endedEarly(view: TaskView, monitorMs: number, policies: Policies): boolean {
  const isSuccess =
    view.state === 'complete' && policies(view.task.spec.revision).condition !== 'any';
  if (isSuccess || !(hasFailed(view) || view.state === 'complete')) return false;
  const since = servedSinceMs(view);
  return since === undefined || endedAtMs(view) - since <= monitorMs;
}

function describeEnd({ task, status }: TaskView): string {
  const why = status?.error ?? status?.message ?? '';
  return `task ${task.metadata.name}${why === '' ? '' : `: ${why}`}`;
}
