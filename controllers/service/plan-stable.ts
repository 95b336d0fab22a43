import type { StoredServiceRevision } from '../../api/v1/index.js';
import { inServiceSinceMs } from '../../pkg/lifecycle/index.js';
import { currentServes, type Move, type MoveReading } from './plan-moves.js';

/** What tells whether a revision proved itself. */
export interface StableInput {
  readonly moves: readonly Move[];
  /** Tasks that the service should have. */
  readonly desired: number;
  /** The revision that the tasks are meant to be of. */
  readonly goal: number;
  readonly monitorMs: number;
  readonly known: readonly number[];
  readonly revisions: readonly StoredServiceRevision[];
  readonly reading: MoveReading;
}

/** Revisions that proved themselves, and when the next one will have. */
export interface StablePlan {
  readonly stable: readonly number[];
  /** Milliseconds since 1970. */
  readonly lookAgainAt: number | undefined;
}

/** A revision is stable when all tasks of the service ran it for longer than the monitor; it stays so. */
export function planStable(input: StableInput): StablePlan {
  const { goal, known, revisions, reading } = input;
  const stored = new Set(revisions.map(({ revision }) => revision));
  const stable = known.filter((revision) => stored.has(revision));
  if (stable.includes(goal)) return { stable, lookAgainAt: undefined };
  const at = stableAtMs(input);
  if (at === undefined) return { stable, lookAgainAt: undefined };
  return at <= reading.now
    ? { stable: [...stable, goal], lookAgainAt: undefined }
    : { stable, lookAgainAt: at };
}

function stableAtMs({ moves, desired, monitorMs, reading }: StableInput): number | undefined {
  if (desired === 0 || moves.length < desired) return undefined;
  if (!moves.every((move) => currentServes(move, reading))) return undefined;
  const since = moves.map(({ current }) => (current ? (inServiceSinceMs(current) ?? 0) : 0));
  return since.reduce((a, b) => Math.max(a, b), 0) + monitorMs;
}
