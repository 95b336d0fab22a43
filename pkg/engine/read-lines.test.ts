import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLines } from './read-lines.js';

async function linesOf(chunks: readonly Buffer[]): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of readLines(Readable.from(chunks))) lines.push(line);
  return lines;
}

describe('readLines', () => {
  it('finds the same lines however the bytes are cut', async () => {
    const words = fc.array(fc.string({ unit: 'grapheme', minLength: 1 }));
    await fc.assert(
      fc.asyncProperty(words, fc.integer({ min: 1, max: 9 }), async (texts, size) => {
        const written = texts.map((text) => JSON.stringify(text));
        const bytes = Buffer.from(written.map((line) => `${line}\n`).join(''));
        const count = Math.ceil(bytes.length / size);
        const chunks = Array.from({ length: count }, (_, index) =>
          bytes.subarray(index * size, (index + 1) * size),
        );
        expect(await linesOf(chunks)).toEqual(written);
      }),
    );
  });

  it('drops empty lines and what was cut off', async () => {
    expect(await linesOf([Buffer.from('a\r\n\r\n\nb\n{"cut')])).toEqual(['a\r', 'b']);
  });

  it('does not gather an endless line', async () => {
    const chunks = Array.from({ length: 5 }, () => Buffer.alloc(1024 ** 2, 'x'));
    await expect(linesOf(chunks)).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
  });
});
