import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern, PatternError } from './pattern.js';

describe('compilePattern', () => {
  it.each([
    ['', '', true],
    ['', 'a', true],
    ['b', 'abc', true],
    ['B', 'abc', true],
    ['^b', 'abc', false],
    ['c$', 'abc', true],
    ['^abc$', 'abc', true],
    ['^$', '', true],
    ['a$b', 'ab', false],
    ['a.c', 'abc', true],
    ['a\\.c', 'abc', false],
    ['^a*$', '', true],
    ['^a+$', '', false],
    ['^ab?c$', 'ac', true],
    ['^a{2}$', 'aa', true],
    ['^a{2}$', 'aaa', false],
    ['^a{2,}$', 'aaaa', true],
    ['^a{1,2}$', 'aaa', false],
    ['^a{0}b$', 'b', true],
    ['^(ab|cd)+$', 'abcdab', true],
    ['^(?:ab|cd)$', 'cd', true],
    ['^(a|)$', '', true],
    ['^(a*)*$', 'aaa', true],
    ['^[a-c]+$', 'abc', true],
    ['^[A-C]+$', 'abc', true],
    ['^[^a-c]+$', 'xyz', true],
    ['^[^a-c]+$', 'xbz', false],
    ['^[]a]+$', 'a]', true],
    ['^[a-]+$', 'a-', true],
    ['^[\\d-]+$', '1-2', true],
    ['^\\w+\\s\\w+$', 'node 1', true],
    ['^\\D+$', 'abc', true],
    ['^\\S\\W$', 'a-', true],
    ['é.$', 'éü', true],
  ])('%j in %j: %s', (pattern, text, expected) => {
    expect(compilePattern(pattern)(text)).toBe(expected);
  });

  it.each([
    ['(a', 0, 'found "(" without its ")"'],
    ['a)', 1, 'found ")" without its "("'],
    ['ab[c', 2, 'found "[" without its "]"'],
    ['[]', 0, 'found "[" without its "]"'],
    ['a**', 2, 'found "*", expected something to repeat before it'],
    ['+a', 0, 'found "+", expected something to repeat before it'],
    ['a{x}', 1, 'found "{", expected {n}, {n,} or {n,m}'],
    ['a{2,1}', 1, 'found {2,1}, expected at most 255, the smaller first'],
    ['a{256}', 1, 'found {256}, expected at most 255'],
    ['[z-a]', 4, 'found z-a, the smaller goes first'],
    ['\\b', 1, 'found "\\b", expected one of \\d'],
    ['a\\', 2, 'found "\\", expected one of'],
    ['(?=a)', 2, 'found "(?", expected "(?:" or "("'],
    ['(a{99}){99}', 0, 'is too large'],
    ['('.repeat(60), 51, 'more than 50 nested groups'],
  ])('refuses %j at %i', (pattern, at, message) => {
    const refused = () => compilePattern(pattern);
    expect(refused).toThrow(PatternError);
    expect(refused).toThrow(message);
    try {
      refused();
    } catch (error) {
      expect((error as PatternError).at).toBe(at);
    }
  });

  it('needs no longer for patterns that make others try every way through', () => {
    const text = `${'a'.repeat(2_000)}!`;
    expect(compilePattern('^(a+)+$')(text)).toBe(false);
    expect(compilePattern('^(a|a)*$')(text)).toBe(false);
    expect(compilePattern('^(a?){200}a{200}$')('a'.repeat(200))).toBe(true);
  });

  const anyAtom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '1');
  const anyPattern = fc.letrec<{ pattern: string; piece: string }>((tie) => ({
    piece: fc.oneof(
      { depthSize: 'small' },
      anyAtom,
      fc
        .tuple(anyAtom, fc.constantFrom('*', '+', '?', '{2}', '{1,2}'))
        .map((both) => both.join('')),
      tie('pattern').map((inner) => `(${inner})`),
      tie('pattern').map((inner) => `(?:${inner})?`),
    ),
    pattern: fc
      .tuple(
        fc.constantFrom('', '^'),
        fc.array(fc.array(tie('piece'), { maxLength: 3 }), { minLength: 1, maxLength: 2 }),
        fc.constantFrom('', '$'),
      )
      .map(([start, ways, end]) => start + ways.map((way) => way.join('')).join('|') + end),
  })).pattern;

  it('agrees with the regular expressions of JavaScript', () => {
    const anyText = fc.array(fc.constantFrom('a', 'b', '1'), { maxLength: 8 });
    fc.assert(
      fc.property(anyPattern, anyText, (pattern, characters) => {
        const text = characters.join('');
        expect(compilePattern(pattern)(text)).toBe(new RegExp(pattern, 'iu').test(text));
      }),
      { numRuns: 500 },
    );
  });
});
