import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { MemoryStore } from '../../test/fakes/memory-store.js';
import { UnavailableError } from '../base/index.js';
import { LeasePresence } from './lease-presence.js';

const KEY = '/test/managers/m1';
const LASTING = '/test/known-managers/m1';
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function aPresence() {
  const clock = new FakeClock();
  const etcd = new MemoryStore({ clock });
  const store = etcd.connect();
  const presence = new LeasePresence({
    store,
    key: KEY,
    lastingKey: LASTING,
    value: { address: 'one' },
    clock,
  });
  const stopping = new AbortController();
  let readies = 0;
  const running = presence.run(stopping.signal, () => (readies += 1));
  const stop = async () => {
    stopping.abort();
    await running;
  };
  stops.push(async () => {
    store.partition(false);
    await stop();
    await etcd.close();
  });
  const address = async () => {
    const entry = await etcd.get(KEY);
    return entry && (JSON.parse(entry.value) as { address: string }).address;
  };
  return { clock, etcd, store, presence, stop, address, readies: () => readies };
}

describe('LeasePresence', () => {
  it('keeps its key, says what it is told to, and takes it away when it leaves', async () => {
    const { clock, presence, stop, address, readies } = aPresence();
    await clock.advance(60_000);
    expect([await address(), presence.isPresent, readies()]).toEqual(['one', true, 1]);
    await Promise.all([presence.update({ address: 'two' }), presence.update({ address: 'three' })]);
    expect(await address()).toBe('three');
    await stop();
    expect(await address()).toBeUndefined();
  });

  it('comes back after a partition that outlived its lease', async () => {
    const { clock, store, presence, address } = aPresence();
    await clock.advance(1000);
    store.partition(true);
    await clock.advance(20_000);
    expect([await address(), presence.isPresent]).toEqual([undefined, false]);
    await presence.update({ address: 'two' });
    await expect(presence.touch()).rejects.toThrow(UnavailableError);
    store.partition(false);
    await clock.advance(10_000);
    expect([await address(), presence.isPresent]).toEqual(['two', true]);
  });

  it('leaves behind who it was, and writes that only when it is news', async () => {
    const { clock, etcd, presence, stop } = aPresence();
    await clock.advance(1000);
    const written = (await etcd.get(LASTING))?.modRevision;
    await presence.touch();
    expect((await etcd.get(LASTING))?.modRevision).toBe(written);
    await presence.update({ address: 'two' });
    await stop();
    expect(await etcd.get(KEY)).toBeUndefined();
    expect(JSON.parse((await etcd.get(LASTING))?.value ?? '')).toMatchObject({ address: 'two' });
  });

  it('makes the key again when somebody deletes it', async () => {
    const { clock, etcd, address } = aPresence();
    await clock.advance(1000);
    await etcd.commit({ compare: [], operations: [{ kind: 'delete', key: KEY }] });
    expect(await address()).toBeUndefined();
    await clock.advance(16_000);
    expect(await address()).toBe('one');
  });

  it('touches: a write that everybody who watches sees', async () => {
    const { clock, etcd, presence } = aPresence();
    await clock.advance(10);
    const before = etcd.revision;
    expect(await presence.touch()).toBe(before + 1);
  });
});
