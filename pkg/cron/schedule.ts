import { Cron } from 'croner';
import { InvalidObjectError } from '../base/index.js';
import { canonicalFields } from './fields.js';

/** The instants that a schedule names, its ticks. All instants are milliseconds since 1970, at whole minutes. */
export interface Schedule {
  /** The first tick after `afterMs`; undefined when there is none. */
  next(afterMs: number): number | undefined;
  /** The last tick after `afterMs` that is not after `untilMs`; undefined when there is none. */
  latest(afterMs: number, untilMs: number): number | undefined;
  /** How many ticks there are after `afterMs` and not after `untilMs`; counts no further than `limit`. */
  count(afterMs: number, untilMs: number, limit: number): number;
}

const MINUTE_MS = 60_000;
/** From here on the eight years that any date needs to come round are looked at. */
const REFERENCE_MS = Date.UTC(2024, 0, 1);

/**
 * Reads five fields as in crontab(5) or a macro such as `@hourly`, in a time zone (`Europe/Berlin`). Where clocks
 * are put forward, a fixed time that does not exist runs right after the gap; where they are put back, it
 * runs once. Every-so-often schedules go on at their pace through both.
 * Errors: InvalidObjectError for what is no schedule, no time zone, or never happens.
 */
export function parseSchedule(text: string, timeZone = 'UTC'): Schedule {
  const fields = canonicalFields(text);
  requireTimeZone(timeZone);
  // Without a function it is a calculator: no timer is set.
  const cron = new Cron(fields, { timezone: timeZone, mode: '5-part', paused: true });
  const schedule = new CronSchedule(cron);
  if (schedule.next(REFERENCE_MS) === undefined) {
    throw new InvalidObjectError(`"${text}" is not a schedule: there is no such date`);
  }
  return schedule;
}

/** Errors: InvalidObjectError for what is not the name of a time zone. */
export function requireTimeZone(timeZone: string): void {
  try {
    // Offsets such as +02:00 are taken by newer engines only, and know no summer time.
    if (/^[A-Za-z]/.test(timeZone)) {
      new Intl.DateTimeFormat('en', { timeZone });
      return;
    }
  } catch {
    // refused below
  }
  throw new InvalidObjectError(
    `"${timeZone}" is not a time zone; expected a name such as UTC or Europe/Berlin`,
  );
}

class CronSchedule implements Schedule {
  constructor(private readonly cron: Cron) {}

  next(afterMs: number): number | undefined {
    return this.cron.nextRun(new Date(afterMs))?.getTime();
  }

  /** By bisection: however long ago `afterMs` is, some forty questions are enough. */
  latest(afterMs: number, untilMs: number): number | undefined {
    const hasTickAfter = (ms: number) => (this.next(ms) ?? Infinity) <= untilMs;
    if (!hasTickAfter(afterMs)) return undefined;
    let [before, notBefore] = [afterMs, untilMs];
    while (notBefore - before > MINUTE_MS) {
      const middle = before + Math.floor((notBefore - before) / 2);
      if (hasTickAfter(middle)) before = middle;
      else notBefore = middle;
    }
    // Ticks are a minute apart at least, so this is the last.
    return this.next(before);
  }

  count(afterMs: number, untilMs: number, limit: number): number {
    let found = 0;
    for (let at = this.next(afterMs); at !== undefined && at <= untilMs; at = this.next(at)) {
      found += 1;
      if (found === limit) break;
    }
    return found;
  }
}
