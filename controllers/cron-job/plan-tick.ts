import { formatDurationMs, type EffectiveCronJob } from '../../api/v1/index.js';
import type { Schedule } from '../../pkg/cron/index.js';
import { stampOf, type Skip } from './plan-changes.js';
import { isUnderWay, type RunView } from './plan-runs.js';

/** More than so many times missed are told as that. */
const MOST_MISSED = 100;

/** What a decision about what is due rests on. All instants are milliseconds since 1970. */
export interface TickInput {
  readonly spec: EffectiveCronJob;
  readonly schedule: Schedule;
  readonly runs: readonly RunView[];
  /** Everything up to here was decided about. */
  readonly decidedUntil: number;
  /** A time that was due and whose run waits for the ones before to go. */
  readonly awaited?: number | undefined;
  readonly now: number;
}

/** What is due, and what becomes of it. */
export interface Tick {
  /** The last time that was due; undefined when nothing was. */
  readonly dueMs?: number | undefined;
  /** Times before it that are not made up for. */
  readonly missed: number;
  /** What was due starts now: the run of this instant. */
  readonly startMs?: number | undefined;
  /** Its run waits for others to go. */
  readonly awaitedMs?: number | undefined;
  /** Times that start nothing, in order. */
  readonly skips: readonly Skip[];
  /** Runs that have to go for it. */
  readonly replaced: readonly RunView[];
}

/**
 * Of all that was due since the last decision the newest time counts: what was missed is made up for once. It
 * starts, waits, or is skipped for good.
 */
export function planTick(input: TickInput): Tick {
  const { spec, schedule, decidedUntil, now } = input;
  if (spec.suspend) return NOTHING;
  const dueMs = schedule.latest(decidedUntil, now);
  if (dueMs === undefined) return planAwaited(input);
  const missed = schedule.count(decidedUntil, dueMs, MOST_MISSED + 1) - 1;
  const before = { dueMs, missed, skips: superseded(input, dueMs), replaced: [] };
  const skip = skipOf(input, dueMs);
  if (skip) return { ...before, skips: [...before.skips, skip] };
  const active = input.runs.filter(isUnderWay);
  const mayStart = active.length === 0 || spec.concurrency === 'allow';
  return mayStart
    ? { ...before, startMs: dueMs }
    : { ...before, awaitedMs: dueMs, replaced: active };
}

function superseded({ awaited }: TickInput, dueMs: number): readonly Skip[] {
  if (awaited === undefined) return [];
  const message = `the run before was not gone until ${stampOf(dueMs)}, which takes its place`;
  return [{ dueMs: awaited, reason: 'Superseded', message }];
}

function skipOf({ spec, runs, now }: TickInput, dueMs: number): Skip | undefined {
  const lateMs = now - dueMs;
  if (lateMs > spec.startingDeadlineMs) {
    const message = `it could be started ${formatDurationMs(lateMs)} late only, and ${formatDurationMs(spec.startingDeadlineMs)} are allowed`;
    return { dueMs, reason: 'DeadlineMissed', message };
  }
  const active = runs.filter(isUnderWay);
  if (active.length === 0 || spec.concurrency !== 'forbid') return undefined;
  const message = `${namesOf(active)} still goes on`;
  return { dueMs, reason: 'ConcurrencyForbidden', message };
}

/** What waits starts when everything before it is gone. */
function planAwaited({ runs, awaited }: TickInput): Tick {
  if (awaited === undefined) return NOTHING;
  const active = runs.filter(isUnderWay);
  if (active.length === 0) return { ...NOTHING, startMs: awaited };
  return { ...NOTHING, awaitedMs: awaited, replaced: active };
}

const NOTHING: Tick = { missed: 0, skips: [], replaced: [] };

function namesOf(runs: readonly RunView[]): string {
  const [first = '', ...others] = runs.map(({ service }) => service.metadata.name).sort();
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}
