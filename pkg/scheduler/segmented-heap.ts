import { intAt } from './column.js';

/**
 * Several binary min-heaps of small whole numbers in one array, each in a segment of its own. The
 * subclass knows the order. After the order of a heap's first item has become worse, `sink` it.
 */
export abstract class SegmentedHeap {
  private readonly items: Int32Array;
  private readonly starts: Int32Array;
  private readonly sizes: Int32Array;

  /** One heap per entry of `capacities`, with room for as many items. */
  constructor(capacities: Int32Array) {
    this.sizes = new Int32Array(capacities.length);
    this.starts = new Int32Array(capacities.length);
    let end = 0;
    for (let heap = 0; heap < capacities.length; heap += 1) {
      this.starts[heap] = end;
      end += intAt(capacities, heap);
    }
    this.items = new Int32Array(end);
  }

  /** True when `a` comes before `b`. Must be a strict total order. */
  protected abstract isBefore(a: number, b: number): boolean;

  clear(): void {
    this.sizes.fill(0);
  }

  /** Puts an item anywhere; `build` the heap before reading it. */
  append(heap: number, item: number): void {
    const size = intAt(this.sizes, heap);
    this.items[intAt(this.starts, heap) + size] = item;
    this.sizes[heap] = size + 1;
  }

  /** Brings appended items in order. */
  build(heap: number): void {
    for (let at = (intAt(this.sizes, heap) >> 1) - 1; at >= 0; at -= 1) this.siftDown(heap, at);
  }

  /** The first item, or -1. */
  top(heap: number): number {
    return intAt(this.sizes, heap) > 0 ? intAt(this.items, intAt(this.starts, heap)) : -1;
  }

  /** Removes the first item. */
  pop(heap: number): void {
    const start = intAt(this.starts, heap);
    const size = intAt(this.sizes, heap) - 1;
    this.sizes[heap] = size;
    this.items[start] = intAt(this.items, start + size);
    this.siftDown(heap, 0);
  }

  /** Gives the first item its place after its order became worse. */
  sink(heap: number): void {
    this.siftDown(heap, 0);
  }

  private siftDown(heap: number, from: number): void {
    const { items } = this;
    const start = intAt(this.starts, heap);
    const size = intAt(this.sizes, heap);
    if (from >= size) return;
    const item = intAt(items, start + from);
    let at = from;
    for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
      const right = child + 1;
      if (right < size && this.isBefore(intAt(items, start + right), intAt(items, start + child))) {
        child = right;
      }
      const childItem = intAt(items, start + child);
      if (!this.isBefore(childItem, item)) break;
      items[start + at] = childItem;
      at = child;
    }
    items[start + at] = item;
  }
}
