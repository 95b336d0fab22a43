import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogFrameDecoder } from './log-frames.js';
import { LogLineAssembler } from './log-lines.js';
import type { LogLine } from './logs.js';

const STAMP = '2026-01-02T03:04:05.123456789Z';

function frame(type: number, text: string): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.from([type, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

/** Reads a multiplexed stream that comes in pieces of the given sizes, over and over. */
function read(
  input: Buffer,
  sizes: readonly number[] = [input.length],
  { timestamps = false, maxLineBytes = 65_536 } = {},
): LogLine[] {
  const frames = new LogFrameDecoder();
  const lines = new LogLineAssembler({ timestamps, maxLineBytes });
  const found: LogLine[] = [];
  for (let at = 0, piece = 0; at < input.length; piece += 1) {
    const size = Math.max(1, sizes[piece % sizes.length] ?? 1);
    for (const part of frames.push(input.subarray(at, at + size))) found.push(...lines.push(part));
    at += size;
  }
  return [...found, ...lines.end()];
}

const texts = (lines: readonly LogLine[]) => lines.map(({ data }) => data.toString());

describe('LogFrameDecoder and LogLineAssembler', () => {
  it('find the same lines however the bytes are cut', () => {
    const line = fc.record({
      type: fc.constantFrom(1, 2),
      text: fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\n', ' ')),
    });
    fc.assert(
      fc.property(
        fc.array(line),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (written, sizes) => {
          const input = Buffer.concat(written.map(({ type, text }) => frame(type, `${text}\n`)));
          const found = read(input, sizes);
          for (const [type, stream] of [
            [1, 'stdout'],
            [2, 'stderr'],
          ] as const) {
            expect(texts(found.filter((one) => one.stream === stream))).toEqual(
              written.filter((one) => one.type === type).map(({ text }) => text),
            );
          }
        },
      ),
    );
  });

  it('keep the two streams apart in the middle of a line', () => {
    const input = Buffer.concat([frame(1, 'on'), frame(2, 'err\n'), frame(1, 'e\ntwo\nthr')]);
    expect(
      read(input).map(({ stream, data, partial }) => [stream, data.toString(), partial]),
    ).toEqual([
      ['stderr', 'err', false],
      ['stdout', 'one', false],
      ['stdout', 'two', false],
      ['stdout', 'thr', true],
    ]);
  });

  it('treat standard input as output, as the engine does', () => {
    expect(read(frame(0, 'x\n'))).toMatchObject([{ stream: 'stdout' }]);
  });

  it('do not overflow on 100,000 frames in one chunk', () => {
    const input = Buffer.concat(Array.from({ length: 100_000 }, () => frame(1, 'x')));
    const [line] = read(input, undefined, { maxLineBytes: 1_000_000 });
    expect(line?.data.length).toBe(100_000);
  });

  it('refuse bytes that are not multiplexed', () => {
    expect(() => read(Buffer.from('plain text, no frames'))).toThrow('not multiplexed');
    expect(() => read(Buffer.from([1, 1, 0, 0, 0, 0, 0, 1, 65]))).toThrow('not multiplexed');
    expect(() => read(Buffer.from([9, 0, 0, 0, 0, 0, 0, 1, 65]))).toThrow('not multiplexed');
  });

  it('report the engine’s own trouble', () => {
    expect(() => read(frame(3, 'cannot read\n'))).toThrow('cannot read');
  });

  it.each([[1], [7], [1000]])('cut long lines, whatever comes at once (%i bytes)', (size) => {
    const input = Buffer.concat([frame(1, `${'x'.repeat(25)}\n`), frame(1, `${'y'.repeat(10)}\n`)]);
    const lines = read(input, [size], { maxLineBytes: 10 });
    expect(lines.map(({ data, partial }) => [data.length, partial])).toEqual([
      [10, true],
      [10, true],
      [5, false],
      [10, false],
    ]);
  });

  describe('with time stamps', () => {
    const timestamps = true;

    it.each([[1], [9], [1000]])('take them off each line (%i bytes at once)', (size) => {
      const input = Buffer.concat([frame(1, `${STAMP} one\n`), frame(2, `${STAMP} \n`)]);
      expect(read(input, [size], { timestamps })).toEqual([
        { stream: 'stdout', at: STAMP, data: Buffer.from('one'), partial: false },
        { stream: 'stderr', at: STAMP, data: Buffer.from(''), partial: false },
      ]);
    });

    it('take them out of the middle of a line that the engine split', () => {
      const later = '2026-01-02T03:04:06.000000000Z';
      const input = Buffer.concat([frame(1, `${STAMP} on`), frame(1, `${later} e\n`)]);
      expect(read(input, undefined, { timestamps })).toMatchObject([{ at: STAMP }]);
      expect(texts(read(input, undefined, { timestamps }))).toEqual(['one']);
    });

    it('give every part of a long line that of its beginning', () => {
      const input = frame(1, `${STAMP} ${'x'.repeat(25)}\n`);
      const lines = read(input, [4], { timestamps, maxLineBytes: 10 });
      expect(lines.map(({ at, data }) => [at, data.length])).toEqual([
        [STAMP, 10],
        [STAMP, 10],
        [STAMP, 5],
      ]);
    });

    it('leave alone what only looks like one', () => {
      const input = frame(1, `${STAMP} ${STAMP} said the clock\n`);
      expect(texts(read(input, undefined, { timestamps }))).toEqual([`${STAMP} said the clock`]);
      expect(texts(read(frame(1, `${STAMP} x\n`)))).toEqual([`${STAMP} x`]);
    });
  });
});
