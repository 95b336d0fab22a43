import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nullLogger } from '../log/index.js';
import type { StoreFacts } from '../../api/v1/index.js';
import { recordingLogger } from '../../test/fakes/recording-logger.js';
import { KnownHistory, judgeHistory, type SeenHistory } from './known-history.js';

const MADE = '2026-01-01T00:00:00.000Z';
const LATER = '2026-01-02T00:00:00.000Z';

const seen: SeenHistory = {
  storeId: 'etcd1',
  revision: 100,
  mark: { key: '/swarm/tasks/t1', revision: 98, writeId: 'w1' },
  acceptedAt: MADE,
};
const told = (parts: Partial<StoreFacts> = {}): StoreFacts => ({
  id: 'etcd1',
  revision: 100,
  acceptedAt: MADE,
  remembers: 'yes',
  ...parts,
});

describe('judgeHistory', () => {
  it.each<[string, Partial<StoreFacts>]>([
    ['the same moment', {}],
    ['a later one', { revision: 5_000 }],
    ['one whose history was compacted', { revision: 5_000, remembers: 'unknown' }],
  ])('goes on with %s', (_what, parts) => {
    expect(judgeHistory(seen, told(parts))).toEqual({ kind: 'continues' });
  });

  it.each<[string, Partial<StoreFacts>, string]>([
    ['another etcd', { id: 'etcd2', revision: 5_000 }, 'etcd cluster etcd2'],
    ['an older state', { revision: 99 }, 'at revision 99'],
    ['one that passed it again', { revision: 5_000, remembers: 'no' }, 'of revision 98'],
    ['one that a person accepted before', { revision: 99, acceptedAt: MADE }, 'at revision 99'],
  ])('does not believe %s', (_what, parts, words) => {
    const verdict = judgeHistory(seen, told(parts));
    expect(verdict.kind).toBe('lost');
    expect('reason' in verdict && verdict.reason).toContain(words);
  });

  it('believes whatever a person has accepted since', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('etcd1', 'etcd2'),
        fc.nat(200),
        fc.constantFrom('yes' as const, 'no' as const, 'unknown' as const),
        (id, revision, remembers) => {
          const facts = told({ id, revision, remembers, acceptedAt: LATER });
          expect(judgeHistory(seen, facts).kind).toBe('accepted');
        },
      ),
    );
  });

  it('knows nothing to hold against the first store', () => {
    expect(judgeHistory(undefined, told({ remembers: 'no' })).kind).toBe('continues');
  });
});

describe('KnownHistory', () => {
  it('begins with the first store it is told of', () => {
    const history = new KnownHistory(nullLogger);
    history.judge(told({ revision: 7 }));
    expect(history.seen).toEqual({ storeId: 'etcd1', revision: 7, acceptedAt: MADE });
    expect(history.isPast(6)).toBe(true);
    expect(history.isPast(7)).toBe(false);
  });

  it('freezes until the store is back, and says so once', () => {
    const log = recordingLogger();
    const history = new KnownHistory(log);
    history.restore(seen);
    expect(history.judge(told({ revision: 50 }))).toBe('lost');
    expect(history.judge(told({ revision: 50 }))).toBe('lost');
    expect(history.lost).toMatchObject({ acceptedAt: MADE });
    expect(history.seen).toBe(seen);
    expect(
      log.linesOf('the store lost history: nothing is started, stopped or removed'),
    ).toHaveLength(1);
    expect(history.judge(told({ revision: 120 }))).toBe('continues');
    expect(history.lost).toBeUndefined();
    expect(history.seen).toBe(seen);
  });

  it('freezes until a person accepts another store, and then knows that one', () => {
    const history = new KnownHistory(nullLogger);
    history.restore(seen);
    history.judge(told({ id: 'etcd2', revision: 3 }));
    expect(history.judge(told({ id: 'etcd2', revision: 4, acceptedAt: LATER }))).toBe('accepted');
    expect(history.lost).toBeUndefined();
    expect(history.seen).toEqual({ storeId: 'etcd2', revision: 4, acceptedAt: LATER });
    expect(history.judge(told({ id: 'etcd1', revision: 5_000 }))).toBe('lost');
  });

  it('keeps the newest mark when a set comes without one', () => {
    const history = new KnownHistory(nullLogger);
    history.restore(seen);
    history.reached(150, undefined);
    expect(history.seen).toEqual({ ...seen, revision: 150 });
    const mark = { key: '/swarm/tasks/t2', revision: 160, writeId: 'w2' };
    history.reached(160, mark);
    expect(history.seen).toEqual({ ...seen, revision: 160, mark });
  });
});
