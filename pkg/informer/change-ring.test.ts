import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CompactedError } from '../base/index.js';
import { ChangeRing } from './change-ring.js';
import type { Change } from './collection.js';

const change = (revision: number, key = 'k'): Change => ({ revision, collection: 'c', key });
const revisionsSince = (ring: ChangeRing, revision: number) =>
  ring.since(revision).map((it) => it.revision);

describe('ChangeRing', () => {
  it('knows nothing before its first reset', () => {
    expect(() => new ChangeRing(3).since(100)).toThrow(CompactedError);
  });

  it('gives exactly what came after, or says that it cannot', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 80 }),
        (capacity, sizes) => {
          const ring = new ChangeRing(capacity);
          ring.reset(10);
          const all: Change[] = [];
          sizes.forEach((size, index) => {
            const batch = Array.from({ length: size }, () => change(11 + index));
            all.push(...batch);
            ring.push(batch);
          });
          const kept = all.slice(-capacity);
          const dropped = all.at(-capacity - 1);
          for (let revision = 8; revision < 95; revision += 1) {
            const isKnown = revision >= Math.max(10, dropped?.revision ?? 0);
            if (!isKnown) expect(() => ring.since(revision)).toThrow(CompactedError);
            else expect(ring.since(revision)).toEqual(kept.filter((it) => it.revision > revision));
          }
        },
      ),
    );
  });

  it('orders a difference, and lets nobody resume inside of it', () => {
    const ring = new ChangeRing(10);
    ring.reset(5);
    ring.pushDifference([change(9), change(7), change(12)], 5, 12);
    expect(revisionsSince(ring, 5)).toEqual([7, 9, 12]);
    for (const inside of [6, 8, 11]) expect(() => ring.since(inside)).toThrow(CompactedError);
    expect(revisionsSince(ring, 12)).toEqual([]);
    ring.push([change(13)]);
    expect(revisionsSince(ring, 12)).toEqual([13]);
  });

  it('forgets rather than hold a difference that is larger than itself', () => {
    const ring = new ChangeRing(2);
    ring.reset(5);
    ring.pushDifference([change(6), change(7), change(8)], 5, 9);
    expect(() => ring.since(5)).toThrow(CompactedError);
    expect(revisionsSince(ring, 9)).toEqual([]);
  });

  it('forgets gaps that fell out of memory', () => {
    const ring = new ChangeRing(2);
    ring.reset(5);
    ring.pushDifference([change(6)], 5, 9);
    ring.push([change(10), change(11), change(12)]);
    expect(() => ring.since(7)).toThrow(CompactedError);
    expect(revisionsSince(ring, 10)).toEqual([11, 12]);
    expect(ring.size).toBe(2);
  });
});
