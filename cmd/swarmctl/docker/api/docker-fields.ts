import { parseBytes, parseCpuNano, parseDurationMs } from '../../../../api/v1/index.js';
import { compact, isEmpty } from '../compact.js';

/** Nanoseconds, as Docker's API counts durations; undefined when there is none. */
export function nanoseconds(text: string | undefined): number | undefined {
  const ms = text === undefined ? undefined : parseDurationMs(text);
  return ms === undefined ? undefined : Math.round(ms * 1e6);
}

/** Bytes of a size; undefined when there is none. */
export const bytes = (size: string | number | undefined): number | undefined =>
  size === undefined ? undefined : parseBytes(size);

/** Billionths of a CPU; undefined when there are none. */
export const nanoCpus = (cpus: string | number | undefined): number | undefined =>
  cpus === undefined ? undefined : parseCpuNano(cpus);

/** Fields of our own under the name that Docker would give them: `shmSize` is `ShmSize`. */
export function capitalisedFields(fields: object): Readonly<Record<string, unknown>> {
  const entries = Object.entries(fields).map(([key, value]): [string, unknown] => [
    `${key.charAt(0).toUpperCase()}${key.slice(1)}`,
    value,
  ]);
  return Object.fromEntries(entries);
}

/** A part of an object; undefined when nothing is in it. */
export function part(fields: object): object | undefined {
  const given = compact(fields);
  return isEmpty(given) ? undefined : given;
}
