import { InvalidObjectError } from '../base/index.js';

const SECONDS = /^\d+(\.\d{1,9})?$/;
const FRACTION = /\.(\d{1,9})\d*(?=Z|[+-]\d\d:\d\d$)/i;

/**
 * The engine's form of an instant: seconds since the epoch with nanoseconds. Takes RFC 3339 or that
 * form itself. Errors: InvalidObjectError.
 */
export function engineTimestamp(text: string): string {
  if (SECONDS.test(text)) return text;
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds)) {
    throw new InvalidObjectError(
      `"${text}" is no instant; allowed are RFC 3339 and seconds since the epoch`,
    );
  }
  const seconds = Math.floor(milliseconds / 1000);
  const nanos = FRACTION.exec(text)?.[1]?.padEnd(9, '0') ?? '000000000';
  return `${seconds}.${nanos}`;
}
