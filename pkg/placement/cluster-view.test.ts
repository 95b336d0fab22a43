/** What placement knows of stored objects (swarm-semantics 3.1, 3.3, 3.4); tests bear the rules' numbers. */
import { describe, expect, it } from 'vitest';
import type { TaskView } from '../lifecycle/index.js';
import { puts, type World } from '../objects/index.js';
import {
  aRevision,
  aService,
  aTask,
  BUILT_AT,
  type TaskOptions,
} from '../../test/builders/objects.js';
import { ImaginedCluster } from '../../test/fixtures/imagined-cluster.js';
import { ClusterView } from './index.js';

const NOW = Date.parse(BUILT_AT);
const SERVICE = aService({ memory: '1Gi' });

interface Seen {
  readonly world: World;
  readonly view: ClusterView;
  put(...tasks: readonly TaskView[]): void;
}

async function aView(...tasks: readonly TaskView[]): Promise<Seen> {
  const cluster = await ImaginedCluster.of({ n1: {}, n2: {} });
  const { keys } = cluster;
  const put = (...some: readonly TaskView[]): void => {
    for (const { task, status } of some) {
      cluster.write(puts.task(keys, task), ...(status ? [puts.taskStatus(keys, status)] : []));
    }
  };
  cluster.write(puts.service(keys, SERVICE), puts.serviceRevision(keys, aRevision(SERVICE)));
  put(...tasks);
  const view = new ClusterView(cluster.world);
  view.refresh();
  return { world: cluster.world, view, put };
}

const failed = (more: TaskOptions = {}): TaskView =>
  aTask({ state: 'failed', desiredState: 'shutdown', ...more });

describe('3.3 what tasks hold', () => {
  it('is nothing once they have ended, also before this manager led (scenario 6)', async () => {
    const { view } = await aView(
      aTask({ id: 'dead', state: 'failed' }),
      aTask({ id: 'done', state: 'complete', desiredState: 'complete' }),
      aTask({ id: 'live', state: 'running' }),
    );
    expect(view.state.taskCount).toBe(1);
  });

  it('is theirs from the decision on, and until they have stopped', async () => {
    const placed = aTask({ id: 'a', nodeId: 'n1' });
    const { view, put } = await aView(placed, aTask({ id: 'waits' }));
    expect(view.state.taskCount).toBe(1);
    const told = aTask({ id: 'a', state: 'running', desiredState: 'shutdown' });
    put(told);
    view.refresh();
    expect(view.state.taskCount).toBe(1);
    put(aTask({ id: 'a', state: 'shutdown', desiredState: 'shutdown' }));
    view.refresh();
    expect(view.state.taskCount).toBe(0);
  });
});

describe('3.4 recent failures', () => {
  const failuresOf = ({ view }: Seen, now = NOW) => view.failuresOf('uid-web/1', now);

  it('are counted by node for five minutes, and known to every new leader', async () => {
    const seen = await aView(
      failed({ id: 'a', nodeId: 'n1' }),
      failed({ id: 'b', state: 'rejected', nodeId: 'n1' }),
      failed({ id: 'c', nodeId: 'n2' }),
    );
    expect(failuresOf(seen)).toEqual(
      new Map([
        ['n1', 2],
        ['n2', 1],
      ]),
    );
    expect(failuresOf(seen, NOW + 299_999)?.get('n1')).toBe(2);
    expect(failuresOf(seen, NOW + 300_000)?.size).toBe(0);
  });

  it('of another revision do not count, and a scale forgets none (S18)', async () => {
    const seen = await aView(failed({ id: 'a', revision: 2, nodeId: 'n1' }));
    expect(failuresOf(seen)).toBeUndefined();
    expect(seen.view.failuresOf('uid-web/2', NOW)?.get('n1')).toBe(1);
  });

  it('of tasks that are bound to their node do not count (scenario 4)', async () => {
    const seen = await aView(failed({ id: 'a', slot: 0, forNode: 'n1', nodeId: 'n1' }));
    expect(failuresOf(seen)).toBeUndefined();
  });

  it('of tasks that ended well or were stopped do not count', async () => {
    const seen = await aView(
      aTask({ id: 'a', state: 'shutdown', desiredState: 'shutdown', nodeId: 'n1' }),
      aTask({ id: 'b', state: 'complete', desiredState: 'shutdown', nodeId: 'n1' }),
    );
    expect(failuresOf(seen)).toBeUndefined();
  });
});

describe('3.1 tasks that wait', () => {
  it('are those that are wanted and have no node; others are ignored (scenario 11)', async () => {
    const { world } = await aView(
      aTask({ id: 'waits' }),
      aTask({ id: 'prepared', desiredState: 'ready' }),
      aTask({ id: 'job', desiredState: 'complete' }),
      aTask({ id: 'told to stop', desiredState: 'shutdown' }),
      aTask({ id: 'placed', nodeId: 'n1' }),
    );
    const waiting = world.tasks.byIndex('unplaced', 'yes').map(({ metadata }) => metadata.uid);
    expect(waiting.sort()).toEqual(['job', 'prepared', 'waits']);
  });
});
