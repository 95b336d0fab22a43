import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WatchBatch, WatchEvent } from '../store/index.js';
import { piecesOf, WatchInbox } from './watch-inbox.js';

const event = (modRevision: number): WatchEvent => ({ kind: 'delete', key: 'k', modRevision });
/** `sizes[i]` events at revision i + 1. */
const batchOf = (sizes: readonly number[], from = 1): WatchBatch => ({
  events: sizes.flatMap((size, i) => Array.from({ length: size }, () => event(from + i))),
  revision: from + sizes.length,
});

describe('piecesOf', () => {
  it('cuts between revisions only, loses nothing, and ends where the batch ends', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 20 }), (sizes) => {
        const batch = batchOf(sizes);
        const pieces = [...piecesOf(batch)];
        expect(pieces.flatMap(({ events }) => events)).toEqual(batch.events);
        expect(pieces.at(-1)?.revision).toBe(batch.revision);
        let before = 0;
        for (const { events, revision } of pieces.slice(0, -1)) {
          const revisions = events.map((it) => (it.kind === 'delete' ? it.modRevision : 0));
          expect(Math.min(...revisions)).toBeGreaterThan(before);
          expect(Math.max(...revisions)).toBe(revision);
          expect(events.length).toBeGreaterThanOrEqual(200);
          before = revision;
        }
      }),
    );
  });
});

describe('WatchInbox', () => {
  function anInbox(apply: (revision: number) => void = () => undefined) {
    const applied: number[] = [];
    const failures: Error[] = [];
    const inbox = new WatchInbox(
      (_events, revision) => {
        apply(revision);
        applied.push(revision);
      },
      (error) => failures.push(error),
    );
    return { inbox, applied, failures };
  }

  it('applies small batches at once, and keeps the order behind large ones', async () => {
    const { inbox, applied } = anInbox();
    inbox.push(batchOf([1]));
    expect(applied).toEqual([2]);
    inbox.push(batchOf([150, 150, 150, 150], 10));
    inbox.push(batchOf([1], 20)); // small, and yet not before its turn
    await inbox.close();
    expect(applied).toEqual([...applied].sort((a, b) => a - b));
    expect(applied.at(-1)).toBe(21);
  });

  it('takes nothing after it was closed', async () => {
    const { inbox, applied } = anInbox();
    await inbox.close();
    inbox.push(batchOf([1]));
    expect(applied).toEqual([]);
  });

  it('stops at the first failure', async () => {
    const { inbox, applied, failures } = anInbox((revision) => {
      if (revision === 3) throw new Error('doubt');
    });
    inbox.push(batchOf([1], 1));
    inbox.push(batchOf([1], 2));
    inbox.push(batchOf([1], 3));
    await inbox.close();
    expect(applied).toEqual([2]);
    expect(failures).toHaveLength(1);
    expect(inbox.failure?.message).toBe('doubt');
  });

  it('goes on after a large batch that needed no pause', async () => {
    const { inbox, applied } = anInbox();
    for (const from of [10, 20, 30]) inbox.push(batchOf([300], from));
    inbox.push(batchOf([1], 40));
    await inbox.close();
    expect(applied).toEqual([11, 21, 31, 41]);
  });

  it('gives up on a backlog that a list is cheaper than', async () => {
    const { inbox, failures } = anInbox((revision) => {
      const untilMs = revision < 10 ? performance.now() + 15 : 0;
      while (performance.now() < untilMs); // more than its share of the loop
    });
    for (let i = 0; i < 102; i += 1) inbox.push(batchOf(Array<number>(10).fill(100), 1 + i * 10));
    await inbox.close();
    expect(failures.map(({ message }) => message)).toEqual(['too far behind']);
  });
});
