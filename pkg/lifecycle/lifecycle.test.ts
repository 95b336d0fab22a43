import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DESIRED_STATES,
  effectiveRestartPolicy,
  TASK_STATES,
  type RevisionTemplate,
  type StoredTaskStatus,
} from '../../api/v1/index.js';
import { aNode, aNodeHealth, aNodeStatus, aTask } from '../../test/builders/objects.js';
import {
  availableAtMs,
  byAge,
  groupsOf,
  hasEnded,
  inServiceSinceMs,
  isAvailable,
  isLive,
  nodeStandingOf,
  pullsTheSame,
  ranMs,
  restartDelayMs,
  runningSinceMs,
  runsTheSame,
  schedulingNodeOf,
  successionOf,
  servedSinceMs,
  templateDemandOf,
} from './index.js';

const policy = effectiveRestartPolicy({
  task: { container: { image: 'app' }, restartPolicy: { delay: '2s', maxDelay: '30s' } },
});

describe('states', () => {
  it('2.1.6 come in the order in which a task goes through them', () => {
    expect(TASK_STATES.slice(0, 8)).toEqual([
      ...['new', 'pending', 'assigned', 'accepted', 'preparing', 'ready', 'starting', 'running'],
    ]);
  });

  it('2.1.3 beyond running are ends, and whoever is told to stop is not live any more', () => {
    const ends = TASK_STATES.filter((state) => hasEnded(aTask({ state })));
    expect(ends).toEqual(['complete', 'shutdown', 'failed', 'rejected', 'orphaned']);
    const wanted = DESIRED_STATES.filter((desiredState) => isLive(aTask({ desiredState })));
    expect(wanted).toEqual(['ready', 'running', 'complete']);
  });
});

describe('restartDelayMs', () => {
  it('is the delay after none and one failure, then doubles up to the limit, give or take 10 %', () => {
    expect(restartDelayMs(0, policy, 'a')).toBe(2_000);
    expect(restartDelayMs(1, policy, 'a')).toBe(2_000);
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 1_000 }), fc.string(), (failures, seed) => {
        const step = Math.min(30_000, 2_000 * 2 ** (failures - 1));
        const delay = restartDelayMs(failures, policy, seed);
        expect(delay).toBeGreaterThanOrEqual(Math.floor(step * 0.9));
        expect(delay).toBeLessThanOrEqual(Math.ceil(step * 1.1));
        expect(restartDelayMs(failures, policy, seed)).toBe(delay);
      }),
    );
  });

  it('never shortens a delay that is longer than the limit', () => {
    const slow = { ...policy, delayMs: 60_000 };
    expect(restartDelayMs(5, slow, 'a')).toBeGreaterThanOrEqual(54_000);
  });

  it('differs from task to task', () => {
    const delays = ['a', 'b', 'c', 'd'].map((seed) => restartDelayMs(4, policy, seed));
    expect(new Set(delays).size).toBeGreaterThan(1);
  });
});

describe('successionOf', () => {
  const ended = (status: Partial<StoredTaskStatus>, failures = 2) =>
    aTask({ state: 'failed', failures, lastFailure: 'exit code 9', status });
  const times = { startedAt: '2026-01-01T00:00:00.000Z' };

  it.each([
    ['exit code 1', { reason: 'ExitCode', exitCode: 1 }],
    ['OOMKilled', { reason: 'OOMKilled', exitCode: 137 }],
    ['Unhealthy', { reason: 'Unhealthy', exitCode: 143 }],
    ['ImageNotFound', { reason: 'ImageNotFound' }],
    ['failed', {}],
  ])('hands on how the last one ended: %s', (lastFailure, status) => {
    expect(successionOf(ended(status), 'ended', policy)).toMatchObject({
      failures: 3,
      lastFailure,
    });
  });

  it('keeps it over a move to another node', () => {
    const moved = successionOf(aTask({ failures: 2, lastFailure: 'x' }), 'node-drained', policy);
    expect(moved).toMatchObject({ failures: 2, lastFailure: 'x', delayMs: 0 });
  });

  it('forgets it when a task ran for long enough', () => {
    const long = ended({ ...times, finishedAt: '2026-01-01T00:01:00.000Z' });
    const succession = successionOf(long, 'ended', policy);
    expect(succession).toEqual({ failures: 0, restarts: 1, delayMs: 2_000 });
  });
});

describe('ranMs', () => {
  it('is what the node says, and 0 for a container that never started', () => {
    const times = {
      startedAt: '2026-01-01T00:00:01.000Z',
      finishedAt: '2026-01-01T00:00:03.500Z',
    };
    expect(ranMs(aTask({ state: 'failed', status: times }))).toBe(2_500);
    expect(ranMs(aTask({ state: 'rejected' }))).toBe(0);
  });
});

describe('byAge', () => {
  it('orders as the store does, whatever the clock of whoever led said', () => {
    const at = (id: string, createRevision: number, createdAt: string) => {
      const view = aTask({ id, createdAt });
      return { ...view, task: { ...view.task, createRevision } };
    };
    const old = at('old', 7, '2026-01-01T00:59:00.000Z');
    const fresh = at('new', 9, '2026-01-01T00:01:00.000Z');
    expect([fresh, old].sort(byAge).map(({ task }) => task.metadata.uid)).toEqual(['old', 'new']);
  });

  it('orders by revision before the clock of whoever led', () => {
    const old = aTask({ id: 'old', revision: 1, createdAt: '2026-01-01T00:00:09.000Z' });
    const fresh = aTask({ id: 'new', revision: 2, createdAt: '2026-01-01T00:00:01.000Z' });
    expect([fresh, old].sort(byAge).map(({ task }) => task.metadata.uid)).toEqual(['old', 'new']);
  });

  it('orders by attempt before the revision: a rollback goes back', () => {
    const old = aTask({ id: 'old', revision: 2, attempt: 1 });
    const back = aTask({ id: 'back', revision: 1, attempt: 2 });
    expect([back, old].sort(byAge).map(({ task }) => task.metadata.uid)).toEqual(['old', 'back']);
  });
});

describe('availability', () => {
  const START = Date.parse('2026-01-01T00:00:00.000Z');

  it('is running, for as long as is asked for', () => {
    const view = aTask({ state: 'running' });
    expect(isAvailable(view, START - 60_000, 0)).toBe(true); // whatever the clocks say
    expect(isAvailable(view, START + 9_999, 10_000)).toBe(false);
    expect(isAvailable(view, START + 10_000, 10_000)).toBe(true);
    expect(availableAtMs(view, 10_000)).toBe(START + 10_000);
  });

  it('is being in service, not running alone', () => {
    const view = aTask({ state: 'running', status: { ready: false } });
    expect(isAvailable(view, START + 60_000, 0)).toBe(false);
    expect(availableAtMs(view, 10_000)).toBeUndefined();
  });

  it('counts from when it came into service, by the managers’ clock', () => {
    const readyAt = '2026-01-01T00:00:05.000Z';
    const view = aTask({ state: 'running', status: { ready: true, readyAt } });
    expect(availableAtMs(view, 10_000)).toBe(START + 15_000);
  });

  it.each(['starting', 'ready', 'failed'] as const)('is not %s', (state) => {
    expect(isAvailable(aTask({ state }), START, 0)).toBe(false);
  });

  it('tells since when a task runs, or ran', () => {
    const runningAt = '2026-01-01T00:00:02.000Z';
    expect(runningSinceMs(aTask({ state: 'running' }))).toBe(START);
    expect(runningSinceMs(aTask({ state: 'failed', status: { runningAt } }))).toBe(START + 2_000);
    expect(runningSinceMs(aTask({ state: 'failed' }))).toBeUndefined();
  });

  it('tells since when a task is in service, and when it first was', () => {
    const readyAt = '2026-01-01T00:00:05.000Z';
    const servedAt = '2026-01-01T00:00:03.000Z';
    const ready = aTask({ state: 'running', status: { ready: true, readyAt, servedAt } });
    expect([inServiceSinceMs(ready), servedSinceMs(ready)]).toEqual([START + 5_000, START + 3_000]);
    const failed = aTask({ state: 'failed', status: { servedAt } });
    expect([inServiceSinceMs(failed), servedSinceMs(failed)]).toEqual([undefined, START + 3_000]);
    expect(servedSinceMs(aTask({ state: 'failed' }))).toBeUndefined();
  });
});

describe('templates that run the same', () => {
  const base = { task: { container: { image: 'app' } } };

  it.each([
    [
      'placement',
      { task: { ...base.task, placement: { constraints: ['node.role == worker'] } } },
      true,
    ],
    ['who goes first', { task: { ...base.task, priority: 9 } }, true],
    ['the pull policy', { task: { container: { image: 'app', pullPolicy: 'never' } } }, true],
    ['an empty list', { task: { container: { image: 'app', args: [] } } }, true],
    ['the image', { task: { container: { image: 'app:2' } } }, false],
    ['ports', { ...base, endpoint: { ports: [{ target: 80, mode: 'host' }] } }, false],
    ['resources', { task: { ...base.task, resources: { limits: { cpus: 1 } } } }, false],
    ['a forced update', { task: { ...base.task, forceUpdate: 1 } }, false],
  ] as const)('differ in %s: %s', (_what, other, expected) => {
    expect(runsTheSame(base, other as unknown as RevisionTemplate)).toBe(expected);
  });

  it('pull the same by default', () => {
    const explicit: RevisionTemplate = {
      task: { container: { image: 'app', pullPolicy: 'always' } },
    };
    expect(pullsTheSame(base, explicit)).toBe(true);
  });
});

describe('nodeStandingOf', () => {
  it.each([
    [undefined, undefined, 'gone'],
    [aNode('n'), undefined, 'available'],
    [aNode('n'), aNodeHealth('n', { state: 'unknown' }), 'available'],
    [aNode('n'), aNodeHealth('n', { state: 'lost' }), 'lost'],
    [aNode('n', { availability: 'drain' }), aNodeHealth('n'), 'draining'],
    [aNode('n', { availability: 'drain' }), aNodeHealth('n', { state: 'lost' }), 'lost'],
    [aNode('n', { availability: 'pause' }), aNodeHealth('n'), 'paused'],
  ] as const)('%#', (node, health, expected) => {
    expect(nodeStandingOf(node, health)).toBe(expected);
  });
});

describe('schedulingNodeOf', () => {
  it('is not ready before it ever connected', () => {
    expect(schedulingNodeOf({ node: aNode('n') })).toMatchObject({
      ready: false,
      reasonNotReady: 'never connected',
      resources: { cpuNano: 0, memoryBytes: 0 },
    });
  });

  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['10.0.0.1:2377', '10.0.0.1'],
    ['[fe80::1]:2377', 'fe80::1'],
    ['fe80::1', 'fe80::1'],
  ])('reads the address %s', (address, expected) => {
    const status = aNodeStatus('n', { address });
    expect(schedulingNodeOf({ node: aNode('n'), status }).address).toBe(expected);
  });
});

describe('groupsOf', () => {
  const facts = {
    strategy: 'binpack',
    serviceIdOf: (name: string) => (name === 'db' ? 'uid-db' : undefined),
    priorityOf: (name: string) => (name === 'web' ? 7 : 0),
    mayPreempt: () => false,
    failuresOf: () => new Map([['n1', 5]]),
  } as const;

  it('looks up what a template only names', () => {
    const demand = templateDemandOf({
      task: {
        container: { image: 'app' },
        placement: {
          soft: [{ constraint: 'node.role == worker' }],
          maxPer: [{ key: 'node.labels.rack', max: 2 }],
          affinity: [{ service: 'db', topology: 'node.labels.az' }],
          antiAffinity: [{ service: 'gone', weight: 3 }],
        },
      },
    });
    const [group] = groupsOf([{ ...aTask({ id: 'a' }), demand }], facts);
    expect(group).toMatchObject({
      serviceId: 'uid-web',
      serviceName: 'web',
      priority: 7,
      strategy: 'binpack',
      soft: [{ constraint: 'node.role == worker', weight: 1 }],
      maxPer: [{ key: 'node.labels.rack', max: 2 }],
      affinity: [{ service: 'db', serviceId: 'uid-db', topology: 'node.labels.az' }],
      antiAffinity: [{ service: 'gone', serviceId: undefined, weight: 3 }],
      recentFailures: new Map([['n1', 5]]),
    });
  });

  it('lets a service have a strategy of its own', () => {
    const demand = templateDemandOf({
      task: { container: { image: 'app' }, placement: { strategy: 'random' } },
    });
    const [group] = groupsOf([{ ...aTask({ id: 'a' }), demand }], facts);
    expect(group?.strategy).toBe('random');
  });
});

describe('templateDemandOf', () => {
  it('reads reservations, fixed host ports and plugins', () => {
    const demand = templateDemandOf({
      task: {
        container: {
          image: 'app',
          platform: 'linux/arm/v7',
          mounts: [
            { type: 'volume', target: '/a', volume: { driver: 'nfs' } },
            { type: 'volume', target: '/b', volume: { driver: 'local' } },
          ],
        },
        resources: {
          reservations: {
            cpus: 0.5,
            memory: '64Mi',
            genericResources: [{ kind: 'gpu', value: 1 }],
          },
        },
        logDriver: { name: 'journald' },
      },
      endpoint: {
        ports: [
          { target: 80, published: 8080, mode: 'host' },
          { target: 81, mode: 'host' },
          { target: 82, published: 8082 },
        ],
      },
    });
    expect(demand).toMatchObject({
      reservations: { cpuNano: 5e8, memoryBytes: 64 * 2 ** 20, generic: { gpu: 1 } },
      platforms: [{ os: 'linux', architecture: 'arm' }],
      hostPorts: [{ protocol: 'tcp', port: 8080 }],
      plugins: [
        { type: 'Log', name: 'journald' },
        { type: 'Volume', name: 'nfs' },
      ],
    });
  });
});
