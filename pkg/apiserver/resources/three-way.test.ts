import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServiceSpec } from '../../../api/v1/index.js';
import { isMap, mergeApplied, stillOwned, withoutNulls } from './three-way.js';

const merged = (last: unknown, wish: unknown, live: unknown, schema: object = {}) =>
  mergeApplied({ last, wish, live, schema });

describe('mergeApplied', () => {
  it.each([
    ['takes what the document says', {}, { a: 2 }, { a: 1 }, { a: 2 }],
    ['leaves what it never said', {}, { a: 1 }, { a: 1, b: 2 }, { a: 1, b: 2 }],
    ['removes what it says no more', { a: 1, b: 2 }, { a: 1 }, { a: 1, b: 2 }, { a: 1 }],
    ['leaves what others changed since', { a: 1, b: 2 }, { a: 1 }, { a: 1, b: 3 }, { a: 1, b: 3 }],
    ['lets others remove a field', { a: 1, b: 2 }, { a: 1 }, { a: 1 }, { a: 1 }],
    ['says again what others removed', { a: 1 }, { a: 1 }, {}, { a: 1 }],
    ['removes a map with its last field', { m: { a: 1 } }, {}, { m: { a: 1 } }, {}],
    [
      'leaves the fields of others in a map',
      { m: { a: 1 } },
      {},
      { m: { a: 1, b: 2 } },
      { m: { b: 2 } },
    ],
    [
      'goes as deep as the maps',
      { m: { n: { a: 1, b: 2 } } },
      { m: { n: { b: 3 } } },
      { m: { n: { a: 1, b: 2, c: 4 } } },
      { m: { n: { b: 3, c: 4 } } },
    ],
    ['removes an empty map that it said', { m: {} }, {}, { m: {} }, {}],
    ['leaves an empty map that others filled', { m: {} }, {}, { m: { a: 1 } }, { m: { a: 1 } }],
    ['replaces lists whole', { l: [1, 2] }, { l: [3] }, { l: [1, 2, 9] }, { l: [3] }],
    ['removes a list that nobody touched', { l: [1, 2] }, {}, { l: [1, 2] }, {}],
    ['leaves a list that others changed', { l: [1, 2] }, {}, { l: [1, 2, 9] }, { l: [1, 2, 9] }],
    ['removes by null whoever set it', {}, { a: null }, { a: 1, b: 2 }, { b: 2 }],
    ['removes a whole map by null', {}, { m: null }, { m: { a: 1 } }, {}],
    ['keeps no null of a new map', {}, { m: { a: null, b: 1 } }, {}, { m: { b: 1 } }],
    ['replaces a map by a value', { m: { a: 1 } }, { m: 1 }, { m: { a: 1, b: 2 } }, { m: 1 }],
    ['replaces a value by a map', { m: 1 }, { m: { a: 1 } }, { m: 1 }, { m: { a: 1 } }],
  ] as const)('%s', (...[, last, wish, live, result]) => {
    expect(merged(last, wish, live)).toEqual(result);
  });

  it('sees through how quantities and defaults are written', () => {
    const last = { task: { container: { image: 'a', stopGracePeriod: '90s' } } };
    const live = { task: { container: { image: 'a', stopGracePeriod: '1m30s' } } };
    const wish = { task: { container: { image: 'a' } } };
    expect(merged(last, wish, live, ServiceSpec)).toEqual(wish);
  });

  it('lets one mode take the place of another, whoever chose that', () => {
    const live = { mode: { replicated: { replicas: 5 } } };
    expect(merged({}, { mode: { global: {} } }, live, ServiceSpec)).toEqual({
      mode: { global: {} },
    });
    const named = { mode: { replicated: {} } };
    expect(merged(named, named, live, ServiceSpec)).toEqual(live);
    const none = { mode: {} };
    expect(merged({}, none, live, ServiceSpec)).toEqual(live);
  });

  it('lets one kind of probe take the place of another, and keeps how often it is tried', () => {
    const probed = (liveness: object) => ({ task: { container: { probes: { liveness } } } });
    const live = probed({ http: { port: 80 }, period: '5s' });
    const wish = probed({ tcp: { port: 81 } });
    const result = probed({ tcp: { port: 81 }, period: '5s' });
    expect(merged({}, wish, live, ServiceSpec)).toEqual(result);
  });

  it('takes __proto__ for data', () => {
    const wish: unknown = JSON.parse('{"__proto__":{"polluted":true}}');
    const result = merged({}, wish, {});
    expect(Object.keys(result as object)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('stillOwned', () => {
  it.each([
    [
      'keeps what is as it was said',
      { a: 1, m: { b: 2 } },
      { a: 1, m: { b: 2, c: 3 } },
      { a: 1, m: { b: 2 } },
    ],
    [
      'gives up what others changed',
      { a: 1, m: { b: 2, c: 3 } },
      { a: 2, m: { b: 2, c: 4 } },
      { m: { b: 2 } },
    ],
    ['gives up what others removed', { a: 1, b: 2 }, { a: 1 }, { a: 1 }],
    [
      'gives up a list of which an item changed',
      { a: 1, l: [1, 2] },
      { a: 1, l: [1, 3] },
      { a: 1 },
    ],
    ['keeps an empty map that others filled', { m: {} }, { m: { a: 1 } }, { m: {} }],
    ['is nothing when everything is theirs', { a: 1 }, { a: 2 }, undefined],
  ])('%s', (_what, owned, live, result) => {
    expect(stillOwned(owned, live, {})).toEqual(result);
  });
});

describe('withoutNulls', () => {
  it('leaves out fields without a value, and lists alone', () => {
    expect(withoutNulls({ a: null, m: { b: null, c: 1 }, l: [null] })).toEqual({
      m: { c: 1 },
      l: [null],
    });
  });
});

describe('any documents', () => {
  const { value } = fc.letrec<{ value: unknown; map: Record<string, unknown> }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.integer({ min: 0, max: 3 }),
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 2 }),
      tie('map'),
    ),
    map: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
  }));
  const map = fc.dictionary(fc.constantFrom('a', 'b', 'c'), value, { maxKeys: 3 });

  it('settle: the same document again changes nothing', () => {
    fc.assert(
      fc.property(map, map, map, (last, wish, live) => {
        const once = merged(last, wish, live);
        expect(merged(wish, wish, once)).toEqual(once);
      }),
    );
  });

  it('are there with all they say', () => {
    fc.assert(
      fc.property(map, map, map, (last, wish, live) => {
        expect(stillOwned(wish, merged(last, wish, live), {})).toEqual(
          Object.keys(wish).length === 0 ? {} : wish,
        );
      }),
    );
  });

  it('leave no trace when nobody else did anything', () => {
    fc.assert(
      fc.property(map, map, (first, second) => {
        const live = merged({}, first, {});
        expect(merged(first, second, live)).toEqual(merged({}, second, {}));
      }),
    );
  });

  it('never take a field from others', () => {
    fc.assert(
      fc.property(map, map, fc.integer(), (first, second, theirs) => {
        const live = { ...(merged({}, first, {}) as object), theirs };
        const owned = stillOwned(first, live, {});
        expect((merged(owned, second, live) as { theirs?: number }).theirs).toBe(theirs);
      }),
    );
  });

  it('are maps or not', () => {
    expect([{}, [], null, 1].map(isMap)).toEqual([true, false, false, false]);
  });
});
