import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { codec, describeValue, fieldPath, nearest } from './problems.js';

const Thing = Type.Object(
  {
    size: Type.Integer({ minimum: 1, maximum: 9 }),
    colour: Type.Optional(Type.Enum(['red', 'green'])),
    env: Type.Optional(Type.Record(Type.String(), Type.String())),
    parts: Type.Optional(
      Type.Array(Type.Object({ id: Type.String() }, { additionalProperties: false })),
    ),
  },
  { additionalProperties: false },
);
const thing = codec(Thing);
const said = (value: unknown) =>
  Object.fromEntries(thing.problems(value).map(({ path, message }) => [path, message]));

describe('codec', () => {
  it('finds nothing wrong with a valid value', () => {
    expect(thing.problems({ size: 3, parts: [{ id: 'a' }] })).toEqual([]);
    expect(thing.check({ size: 3 })).toBe(true);
  });

  it('names path, finding and what is allowed', () => {
    expect(said({ size: 12, colour: 'blue' })).toEqual({
      size: 'found 12, expected a whole number from 1 to 9',
      colour: 'found "blue", expected one of red, green',
    });
  });

  it('tells about several mistakes at once, in lists and maps too', () => {
    expect(said({ env: { 'odd key': 1 }, parts: [{ id: 'a' }, { id: 2 }] })).toEqual({
      size: 'is required: a whole number from 1 to 9',
      'env["odd key"]': 'found 1, expected text',
      'parts[1].id': 'found 2, expected text',
    });
  });

  it('suggests the field that was meant', () => {
    expect(said({ size: 1, color: 'red' })['color']).toMatch(
      /^unknown field; did you mean colour\?/,
    );
  });

  it('lists the allowed fields when none is close', () => {
    expect(said({ size: 1, zzzzzz: 1 })['zzzzzz']).toBe(
      'unknown field; allowed: colour, env, parts, size',
    );
  });
});

describe('helpers', () => {
  it('writes field paths as people read them', () => {
    expect(fieldPath(fieldPath(fieldPath('', 'a'), 0), 'x.y')).toBe('a[0]["x.y"]');
  });

  it('describes values shortly', () => {
    expect(describeValue([1, 2])).toBe('a list of 2');
    expect(describeValue('x'.repeat(100)).length).toBeLessThan(64);
    expect(describeValue(undefined)).toBe('nothing');
  });

  it('finds the nearest word within two edits only', () => {
    expect(nearest('imgae', ['image', 'init'])).toBe('image');
    expect(nearest('qqqqq', ['image', 'init'])).toBeUndefined();
  });
});
