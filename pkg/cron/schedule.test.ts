import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSchedule, requireTimeZone } from './index.js';

const ms = (text: string): number => Date.parse(text);

/** The next ticks, as people write them in UTC. */
function ticks(schedule: string, zone: string, from: string, count: number): readonly string[] {
  const parsed = parseSchedule(schedule, zone);
  const found: string[] = [];
  let at: number | undefined = ms(from);
  while (found.length < count) {
    at = parsed.next(at);
    if (at === undefined) break;
    found.push(new Date(at).toISOString().slice(0, 16));
  }
  return found;
}

describe('parseSchedule', () => {
  it.each([
    ['*/5 * * * *', ['2026-03-01T00:05', '2026-03-01T00:10']],
    ['5/20 * * * *', ['2026-03-01T00:05', '2026-03-01T00:25']],
    ['0 9-17/4 * * mon-fri', ['2026-03-02T09:00', '2026-03-02T13:00']],
    ['30 6 1,15 * *', ['2026-03-01T06:30', '2026-03-15T06:30']],
    ['0 0 * * 7', ['2026-03-08T00:00', '2026-03-15T00:00']],
    ['0 0 * * Sun', ['2026-03-08T00:00', '2026-03-15T00:00']],
    ['0 0 29 feb *', ['2028-02-29T00:00', '2032-02-29T00:00']],
    ['0 0 13 * fri', ['2026-03-06T00:00', '2026-03-13T00:00']], // either day, as in crontab(5)
    ['@hourly', ['2026-03-01T01:00', '2026-03-01T02:00']],
    ['@midnight', ['2026-03-02T00:00', '2026-03-03T00:00']],
    ['@weekly', ['2026-03-08T00:00', '2026-03-15T00:00']],
    ['@monthly', ['2026-04-01T00:00', '2026-05-01T00:00']],
    ['@yearly', ['2027-01-01T00:00', '2028-01-01T00:00']],
  ])('%s', (schedule, expected) => {
    expect(ticks(schedule, 'UTC', '2026-03-01T00:00:30Z', 2)).toEqual(expected);
  });

  it('names a tick after the instant that is asked for, also on the second', () => {
    const parsed = parseSchedule('0 * * * *');
    expect(parsed.next(ms('2026-03-01T01:00:00Z'))).toBe(ms('2026-03-01T02:00:00Z'));
    expect(parsed.next(ms('2026-03-01T00:59:59.999Z'))).toBe(ms('2026-03-01T01:00:00Z'));
  });

  it.each([
    ['', 'five fields'],
    ['* * * *', 'five fields'],
    ['0 30 2 * * *', 'five fields'], // with seconds
    ['TZ=UTC 0 * * * *', 'five fields'],
    ['@reboot', '@hourly'],
    ['60 * * * *', 'minute is "60"; expected *, numbers from 0 to 59'],
    ['0 24 * * *', 'hour is "24"'],
    ['0 0 0 * *', 'day of month is "0"'],
    ['0 0 * 13 *', 'month is "13"; expected *, numbers from 1 to 12, or jan to dec'],
    ['0 0 * * 8', 'day of week is "8"'],
    ['0 0 * * fri-mon', 'day of week is "fri-mon"'],
    ['*/0 * * * *', 'minute is "*/0"'],
    ['*/60 * * * *', 'minute is "*/60"'],
    ['1-2-3 * * * *', 'minute is "1-2-3"'],
    ['1,,2 * * * *', 'minute is "1,,2"'],
    ['0 0 L * *', 'day of month is "l"'],
    ['0 0 ? * *', 'day of month is "?"'],
    ['-1 * * * *', 'minute is "-1"'],
    ['0 0 31 2 *', 'no such date'],
  ])('refuses %j', (schedule, why) => {
    expect(() => parseSchedule(schedule)).toThrow(why);
  });

  it.each(['Mars/Phobos', '', '+02:00', 'UTC; drop'])('refuses the time zone %j', (zone) => {
    expect(() => parseSchedule('@daily', zone)).toThrow('is not a time zone');
    expect(() => requireTimeZone(zone)).toThrow('is not a time zone');
  });
});

describe('summer time', () => {
  const berlin = (schedule: string, from: string, count: number) =>
    ticks(schedule, 'Europe/Berlin', from, count);

  it('runs a fixed time that clocks leave out right after the gap, once', () => {
    expect(berlin('30 2 * * *', '2026-03-28T12:00:00Z', 3)).toEqual([
      '2026-03-29T01:00',
      '2026-03-30T00:30',
      '2026-03-31T00:30',
    ]);
  });

  it('runs a fixed time that clocks repeat once', () => {
    expect(berlin('30 2 * * *', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ]);
  });

  it('keeps the pace of every-so-often schedules through both', () => {
    expect(berlin('*/30 * * * *', '2026-03-29T00:10:00Z', 3)).toEqual([
      '2026-03-29T00:30',
      '2026-03-29T01:00',
      '2026-03-29T01:30',
    ]);
    expect(berlin('0 * * * *', '2026-10-24T23:30:00Z', 4)).toEqual([
      '2026-10-25T00:00',
      '2026-10-25T01:00',
      '2026-10-25T02:00',
      '2026-10-25T03:00',
    ]);
  });

  it('knows zones that change by half an hour, and at midnight', () => {
    expect(ticks('0 0 * * *', 'America/Sao_Paulo', '2018-11-02T12:00:00Z', 3)).toEqual([
      '2018-11-03T03:00',
      '2018-11-04T03:00',
      '2018-11-05T02:00',
    ]);
    expect(ticks('30 2 * * 0', 'Australia/Lord_Howe', '2026-04-01T20:00:00Z', 2)).toEqual([
      '2026-04-04T16:00',
      '2026-04-11T16:00',
    ]);
  });
});

describe('latest', () => {
  const schedules = ['*/7 * * * *', '30 2 * * *', '* 3 * * 0', '0 0 29 2 *', '15 1-4 * * *'];

  it('is the tick that stepping from one to the next ends at, however many there are', () => {
    const start = ms('2026-03-20T00:00:00Z');
    fc.assert(
      fc.property(
        fc.constantFrom(...schedules),
        fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York'),
        fc.integer({ min: 0, max: 40 * 86_400 }),
        fc.integer({ min: 0, max: 4 * 86_400 }),
        (text, zone, from, length) => {
          const schedule = parseSchedule(text, zone);
          const after = start + from * 1000;
          const until = after + length * 1000;
          let last: number | undefined;
          let count = 0;
          for (let at = schedule.next(after); at !== undefined && at <= until;) {
            last = at;
            count += 1;
            at = schedule.next(at);
          }
          expect(schedule.latest(after, until)).toBe(last);
          expect(schedule.count(after, until, 10)).toBe(Math.min(count, 10));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('finds it after years', () => {
    const schedule = parseSchedule('0 0 29 2 *');
    expect(schedule.latest(ms('2020-01-01T00:00:00Z'), ms('2027-12-31T00:00:00Z'))).toBe(
      ms('2024-02-29T00:00:00Z'),
    );
  });
});
