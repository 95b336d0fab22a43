import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SegmentedHeap } from './segmented-heap.js';

class NumberHeap extends SegmentedHeap {
  constructor(
    capacities: readonly number[],
    readonly keys: number[],
  ) {
    super(Int32Array.from(capacities));
  }

  protected isBefore(a: number, b: number): boolean {
    const difference = (this.keys[a] ?? 0) - (this.keys[b] ?? 0);
    return difference === 0 ? a < b : difference < 0;
  }
}

describe('SegmentedHeap', () => {
  it('gives the items of each heap in order, whatever the others hold', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), fc.array(fc.nat(20)), (left, right) => {
        const heap = new NumberHeap([left.length, right.length], [...left, ...right]);
        left.forEach((_, item) => heap.append(0, item));
        right.forEach((_, index) => heap.append(1, left.length + index));
        heap.build(0);
        heap.build(1);
        const drained = (which: number) => {
          const keys: number[] = [];
          for (let top = heap.top(which); top >= 0; top = heap.top(which)) {
            keys.push(heap.keys[top] ?? -1);
            heap.pop(which);
          }
          return keys;
        };
        expect(drained(0)).toEqual([...left].sort((a, b) => a - b));
        expect(drained(1)).toEqual([...right].sort((a, b) => a - b));
      }),
    );
  });

  it('keeps the first item first while the first one gets worse', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(9), { minLength: 1, maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 4 })),
        (keys, steps) => {
          const heap = new NumberHeap([keys.length], [...keys]);
          keys.forEach((_, item) => heap.append(0, item));
          heap.build(0);
          for (const step of steps) {
            const top = heap.top(0);
            expect(heap.keys[top]).toBe(Math.min(...heap.keys));
            heap.keys[top] = (heap.keys[top] ?? 0) + step;
            heap.sink(0);
          }
        },
      ),
    );
  });

  it('is empty after clear', () => {
    const heap = new NumberHeap([1], [7]);
    heap.append(0, 0);
    heap.build(0);
    expect(heap.top(0)).toBe(0);
    heap.clear();
    expect(heap.top(0)).toBe(-1);
  });
});
