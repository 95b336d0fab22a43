import { InvalidArgumentError, Option } from 'commander';
import { parseDurationMs } from '../../../api/v1/index.js';
import type { Streams } from '../streams.js';

/** Reads a duration of an option as milliseconds. */
export function durationArgument(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined) throw new InvalidArgumentError('Expected a duration such as 30s, 5m, 1h.');
  return ms;
}

/** `--timeout`: how long to wait at most, in milliseconds. */
export function timeoutOption(standard: string): Option {
  return new Option('--timeout <duration>', 'how long to wait at most; 0 means without end')
    .default(durationArgument(standard), standard)
    .argParser(durationArgument);
}

/** An instant of the monotonic clock, and how long it was away when it was set. */
export interface Deadline {
  readonly atMs: number;
  readonly timeoutMs: number;
}

/** When a wait that begins now ends. */
export function waitDeadline({ clock }: Streams, timeoutMs: number): Deadline {
  return {
    atMs: timeoutMs === 0 ? Number.POSITIVE_INFINITY : clock.monotonicMs() + timeoutMs,
    timeoutMs,
  };
}
