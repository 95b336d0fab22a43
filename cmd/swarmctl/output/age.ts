const UNITS: readonly [string, number][] = [
  ['y', 365 * 86_400],
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
];

/** A length of time as kubectl shows ages: `5s`, `3m10s`, `2h`, `4d`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds >= 60 && seconds < 600) {
    const rest = seconds % 60;
    return `${String(Math.floor(seconds / 60))}m${rest === 0 ? '' : `${String(rest)}s`}`;
  }
  const [unit, size] = UNITS.find(([, limit]) => seconds >= limit) ?? ['s', 1];
  return `${String(Math.floor(seconds / size))}${unit}`;
}

/** Age of an instant; `<unknown>` when there is none. */
export function ageOf(at: string | undefined, now: Date): string {
  return at === undefined ? '<unknown>' : formatAge(now.getTime() - Date.parse(at));
}

/** As Docker says it: `5 seconds ago`, `About a minute ago`, `3 hours ago`. */
export function formatAgo(at: string | undefined, now: Date): string {
  if (at === undefined) return '';
  return `${humanDuration(now.getTime() - Date.parse(at))} ago`;
}

const HOUR = 3600;
const DAY = 24 * HOUR;
/** Below so many seconds, it is said like this (docker/go-units). */
const HUMAN: readonly [number, (seconds: number) => string][] = [
  [1, () => 'Less than a second'],
  [2, () => '1 second'],
  [60, (seconds) => `${String(seconds)} seconds`],
  [120, () => 'About a minute'],
  [HOUR, (seconds) => `${String(Math.floor(seconds / 60))} minutes`],
  [1.5 * HOUR, () => 'About an hour'],
  [2 * DAY, (seconds) => `${String(Math.round(seconds / HOUR))} hours`],
  [14 * DAY, (seconds) => `${String(Math.floor(seconds / DAY))} days`],
  [60 * DAY, (seconds) => `${String(Math.floor(seconds / DAY / 7))} weeks`],
  [730 * DAY, (seconds) => `${String(Math.floor(seconds / DAY / 30))} months`],
  [Infinity, (seconds) => `${String(Math.floor(seconds / DAY / 365))} years`],
];

/** Docker's words for a length of time. */
export function humanDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return HUMAN.find(([below]) => seconds < below)?.[1](seconds) ?? '';
}
