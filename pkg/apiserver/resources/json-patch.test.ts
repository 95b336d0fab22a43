import { describe, expect, it } from 'vitest';
import { jsonPatch } from './json-patch.js';

describe('jsonPatch', () => {
  // The examples of RFC 6902, appendix A.
  it.each([
    [
      'A.1',
      { foo: 'bar' },
      [{ op: 'add', path: '/baz', value: 'qux' }],
      { baz: 'qux', foo: 'bar' },
    ],
    [
      'A.2',
      { foo: ['bar', 'baz'] },
      [{ op: 'add', path: '/foo/1', value: 'qux' }],
      { foo: ['bar', 'qux', 'baz'] },
    ],
    ['A.3', { baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
    [
      'A.4',
      { foo: ['bar', 'qux', 'baz'] },
      [{ op: 'remove', path: '/foo/1' }],
      { foo: ['bar', 'baz'] },
    ],
    ['A.5', { baz: 'qux' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo' }],
    [
      'A.6',
      { foo: { bar: 'baz', waldo: 'fred' }, qux: {} },
      [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
      { foo: { bar: 'baz' }, qux: { thud: 'fred' } },
    ],
    [
      'A.7',
      { foo: ['all', 'grass', 'cows', 'eat'] },
      [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
      { foo: ['all', 'cows', 'eat', 'grass'] },
    ],
    [
      'A.8',
      { baz: 'qux', foo: ['a', 2] },
      [
        { op: 'test', path: '/baz', value: 'qux' },
        { op: 'test', path: '/foo/1', value: 2 },
      ],
      { baz: 'qux', foo: ['a', 2] },
    ],
    [
      'A.10',
      { foo: 'bar' },
      [{ op: 'add', path: '/child', value: { grandchild: {} } }],
      { foo: 'bar', child: { grandchild: {} } },
    ],
    [
      'A.11',
      { foo: 'bar' },
      [{ op: 'add', path: '/baz', value: 'qux', xyz: 123 }],
      { foo: 'bar', baz: 'qux' },
    ],
    ['A.14', { '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: 10 }], { '/': 9, '~1': 10 }],
    [
      'A.16',
      { foo: ['bar'] },
      [{ op: 'add', path: '/foo/-', value: ['abc', 'def'] }],
      { foo: ['bar', ['abc', 'def']] },
    ],
    [
      'a copy',
      { a: { b: 1 } },
      [
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'replace', path: '/c/b', value: 2 },
      ],
      { a: { b: 1 }, c: { b: 2 } },
    ],
    ['the whole', { a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], { b: 2 }],
  ])('%s', (_what, target, patch, result) => {
    const before = structuredClone(target);
    expect(jsonPatch(target, patch)).toEqual(result);
    expect(target).toEqual(before);
  });

  it.each([
    [
      'A.12',
      { foo: 'bar' },
      [{ op: 'add', path: '/baz/bat', value: 'qux' }],
      /patch\[0\]: there is no "baz"/,
    ],
    [
      'a field that is not there',
      { a: 1 },
      [{ op: 'remove', path: '/b' }],
      /patch\[0\]: there is no \/b/,
    ],
    [
      'an item behind the end',
      { l: [1] },
      [{ op: 'add', path: '/l/2', value: 1 }],
      /no item 2 in a list of 1/,
    ],
    ['an item -1', { l: [1] }, [{ op: 'remove', path: '/l/-' }], /there is no \/l\/-/],
    [
      'an index 01',
      { l: [1, 2] },
      [{ op: 'replace', path: '/l/01', value: 3 }],
      /there is no \/l\/01/,
    ],
    [
      'a field of a number',
      { a: 1 },
      [{ op: 'add', path: '/a/b', value: 1 }],
      /nothing to hold "b"/,
    ],
    [
      'a move into itself',
      { a: { b: 1 } },
      [{ op: 'move', from: '/a', path: '/a/c' }],
      /into itself/,
    ],
    ['an unknown operation', {}, [{ op: 'spin', path: '/a' }], /op must be one of add, remove/],
    ['no value', {}, [{ op: 'add', path: '/a' }], /add needs a value/],
    ['no pointer', {}, [{ op: 'remove', path: 'a.b' }], /path must be a pointer/],
    ['no from', { a: 1 }, [{ op: 'copy', path: '/a' }], /from must be a pointer/],
    ['no operation', {}, [1], /patch\[0\]: is not an operation/],
    ['no list', {}, { op: 'remove' }, /is a list of operations/],
    ['far too many', {}, Array.from({ length: 1_001 }, () => ({})), /at most 1000/],
  ])('refuses %s', (_what, target, patch, message) => {
    expect(() => jsonPatch(target, patch)).toThrow(message);
  });

  it('says what a test found instead', () => {
    const patch = [{ op: 'test', path: '/a', value: 2 }];
    expect(() => jsonPatch({ a: 1 }, patch)).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFLICT',
        message: 'patch[0]: /a is 1, not 2',
      }) as Error,
    );
  });

  it('takes __proto__ for data', () => {
    const value = { polluted: true };
    const result = jsonPatch({}, [{ op: 'add', path: '/__proto__', value }]);
    expect(Object.keys(result as object)).toEqual(['__proto__']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    const inherited = [{ op: 'add', path: '/constructor/x', value: 1 }];
    expect(() => jsonPatch({}, inherited)).toThrow(/there is no "constructor"/);
  });
});
