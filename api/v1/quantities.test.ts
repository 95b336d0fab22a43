import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatDurationMs,
  parseBytes,
  parseCpuNano,
  parseDurationMs,
} from './quantities.js';

describe('durations', () => {
  it.each([
    ['0', 0],
    ['10s', 10_000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['500ms', 500],
    ['100us', 0.1],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  it.each(['', '10', 's', '10 s', '-1s', '1d'])('refuses %j', (text) => {
    expect(parseDurationMs(text)).toBeUndefined();
  });

  it('writes back what it read, to the nanosecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), (ms) => {
        expect(parseDurationMs(formatDurationMs(ms))).toBe(ms);
      }),
    );
  });
});

describe('sizes', () => {
  it.each([
    ['64Mi', 64 * 1024 ** 2],
    ['64m', 64 * 1024 ** 2],
    ['64MB', 64 * 1024 ** 2],
    ['1.5g', 1.5 * 1024 ** 3],
    ['100', 100],
    ['100b', 100],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each(['', '64Q', 'Mi', '-5m', '1 2'])('refuses %j', (text) => {
    expect(parseBytes(text)).toBeUndefined();
  });

  it('writes back what it read', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        expect(parseBytes(formatBytes(bytes))).toBe(bytes);
      }),
    );
  });
});

describe('CPUs', () => {
  it('counts billionths', () => {
    expect(parseCpuNano(0.5)).toBe(500_000_000);
    expect(parseCpuNano('1.25')).toBe(1_250_000_000);
    expect(parseCpuNano('x')).toBeUndefined();
  });
});
