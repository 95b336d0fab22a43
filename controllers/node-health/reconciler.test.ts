import { afterEach, describe, expect, it } from 'vitest';
import { ControlPlane } from '../../test/fakes/control-plane.js';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { MemoryStore } from '../../test/fakes/memory-store.js';
import { SimulatedNode } from '../../test/fakes/simulated-node.js';

const MANAGER = { id: 'm1', hostname: 'm1', address: '10.0.0.1:2377', softwareVersion: '0.1.0' };

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function aCluster() {
  const clock = new FakeClock();
  const store = new MemoryStore({ clock });
  const plane = new ControlPlane({ store, clock });
  await plane.start();
  const node = new SimulatedNode({ id: 'n1', store, clock, keys: plane.keys, world: plane.world });
  cleanups.push(
    () => store.close(),
    () => plane.stop(),
    () => {
      node.stop();
    },
  );
  await node.join();
  await plane.lead();
  await clock.advance(100);
  const state = () => plane.world.nodeHealths.get('n1')?.state;
  return { clock, store, plane, node, state };
}

describe('NodeHealthReconciler', () => {
  it('follows a session from ready over unknown to lost and back, with an event for each', async () => {
    const { clock, plane, node, state } = await aCluster();
    expect(state()).toBe('ready');
    await clock.advance(60_000);
    await node.disconnect();
    await clock.advance(100);
    expect(state()).toBe('unknown');
    await clock.advance(4_800);
    expect(state()).toBe('unknown');
    await clock.advance(300);
    expect(state()).toBe('lost');
    await node.connect();
    await clock.advance(100);
    expect(state()).toBe('ready');
    const reasons = plane.events.reports.map(({ reason }) => reason);
    expect(reasons).toEqual(['NodeReady', 'NodeUnknown', 'NodeLost', 'NodeReady']);
  });

  it('notices that the manager of a session is gone', async () => {
    const { clock, store, plane, state } = await aCluster();
    await clock.advance(60_000);
    const key = plane.keys.manager('m1');
    await store.commit({ compare: [], operations: [{ kind: 'delete', key }] });
    await clock.advance(100);
    expect(state()).toBe('unknown');
  });

  it('takes a manager for started again by its record, whatever its clock says', async () => {
    const { clock, store, plane, node, state } = await aCluster();
    const restart = async (startedAt: string) => {
      const value = { ...MANAGER, startedAt };
      const operations = [{ kind: 'put', key: plane.keys.manager('m1'), value } as const];
      await store.commit({ compare: [], operations });
      await clock.advance(100);
    };
    await node.disconnect();
    await restart('2026-01-01T05:00:00.000Z');
    await node.connect('m1', '2026-01-01T05:00:00.000Z'); // the clock was set back meanwhile
    await clock.advance(100);
    expect(state()).toBe('ready');
    await node.disconnect();
    await node.connect('m1', 'an earlier run');
    await clock.advance(100);
    expect(state()).toBe('unknown');
  });

  it('gives a silent node a fresh grace when the leader changes', async () => {
    const { clock, plane, node, state } = await aCluster();
    await clock.advance(60_000);
    await node.disconnect();
    await clock.advance(4_000);
    await plane.resign();
    await plane.lead();
    await clock.advance(15_000);
    expect(state()).toBe('unknown');
    await clock.advance(1_500);
    expect(state()).toBe('lost');
  });

  it('forgets a node that was removed', async () => {
    const { clock, store, plane } = await aCluster();
    const key = plane.keys.node('n1');
    await store.commit({ compare: [], operations: [{ kind: 'delete', key }] });
    await clock.advance(100);
    expect(plane.world.nodeHealths.size).toBe(0);
    expect(plane.world.nodeStatuses.size).toBe(0);
  });
});
