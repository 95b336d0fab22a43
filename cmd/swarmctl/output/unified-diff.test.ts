import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unifiedDiff } from './unified-diff.js';

const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
const shown = (before: readonly string[], after: readonly string[]) =>
  unifiedDiff(text(before), text(after)).flatMap(({ header, lines }) => [
    header,
    ...lines.map((line) => `${line.mark}${line.text}`),
  ]);

/** Applies hunks to a text, by their line numbers. */
function patched(before: readonly string[], after: readonly string[]): readonly string[] {
  const result = [...before];
  for (const { header, lines } of [...unifiedDiff(text(before), text(after))].reverse()) {
    const [, first = '', length = '1'] = /^@@ -(\d+)(?:,(\d+))?/.exec(header) ?? [];
    const start = Number(length) === 0 ? Number(first) : Number(first) - 1;
    const old = lines.filter(({ mark }) => mark !== '+').map((line) => line.text);
    expect(result.slice(start, start + Number(length))).toEqual(old);
    const young = lines.filter(({ mark }) => mark !== '-').map((line) => line.text);
    result.splice(start, Number(length), ...young);
  }
  return result;
}

describe('unifiedDiff', () => {
  it('shows three lines around a change', () => {
    expect(
      shown(
        ['1', '2', '3', '4', '5', '6', '7', '8', '9'],
        ['1', '2', '3', '4', 'x', '6', '7', '8', '9'],
      ),
    ).toEqual(['@@ -2,7 +2,7 @@', ' 2', ' 3', ' 4', '-5', '+x', ' 6', ' 7', ' 8']);
  });

  it('puts far changes into hunks of their own', () => {
    const lines = Array.from({ length: 20 }, (_, index) => String(index));
    const changed = lines.map((line, index) => (index === 1 || index === 18 ? 'x' : line));
    expect(shown(lines, changed).filter((line) => line.startsWith('@@'))).toEqual([
      '@@ -1,5 +1,5 @@',
      '@@ -16,5 +16,5 @@',
    ]);
  });

  it('shows what is all new, all gone, or equal', () => {
    expect(shown([], ['a', 'b'])).toEqual(['@@ -0,0 +1,2 @@', '+a', '+b']);
    expect(shown(['a'], [])).toEqual(['@@ -1 +0,0 @@', '-a']);
    expect(shown(['a', 'b'], ['a', 'b'])).toEqual([]);
  });

  it('ends soon with texts that have nothing in common', () => {
    const many = (word: string) =>
      Array.from({ length: 3_000 }, (_, index) => `${word}${String(index)}`);
    expect(shown(many('a'), many('b'))).toHaveLength(6_001);
  });

  it('makes one text of the other, always', () => {
    const lines = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 30 });
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        expect(patched(before, after)).toEqual(after);
      }),
    );
  });

  it('changes no more than it must', () => {
    const lines = fc.array(fc.constantFrom('a', 'b'), { maxLength: 8 });
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const count = shown(before, after).filter((line) => /^[-+]/.test(line)).length;
        expect(count).toBe(before.length + after.length - 2 * longestCommon(before, after));
      }),
    );
  });
});

function longestCommon(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return 0;
  if (a[0] === b[0]) return 1 + longestCommon(a.slice(1), b.slice(1));
  return Math.max(longestCommon(a.slice(1), b), longestCommon(a, b.slice(1)));
}
