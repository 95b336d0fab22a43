import { describe, expect, it } from 'vitest';
import type { Node, Service, Task, TaskState } from '../../api/v1/index.js';
import { CONTAINER_LABEL } from '../../pkg/agent/index.js';
import { flawsOf, type Findings, type FoundContainer } from './wholeness.js';

const aNode = (name: string, state: 'ready' | 'lost' = 'ready'): Node => ({
  apiVersion: 'swarm/v1',
  kind: 'Node',
  metadata: { name, uid: `id-${name}` },
  spec: { role: 'worker', availability: 'active' },
  status: { state, reason: 'because', since: '', address: '', conditions: [] },
});

const aService = (replicas: number, running = replicas): Service => ({
  apiVersion: 'swarm/v1',
  kind: 'Service',
  metadata: { name: 'web', uid: 'uid-web', generation: 3 },
  spec: { mode: { replicated: { replicas } }, task: { container: { image: 'app:1' } } },
  status: {
    observedGeneration: 3,
    revision: 1,
    desired: replicas,
    running,
    updated: running,
    pending: 0,
    failed: 0,
    conditions: [],
  },
});

interface TaskWishes {
  readonly uid?: string;
  readonly host?: string;
  readonly state?: TaskState;
  readonly desiredState?: Task['spec']['desiredState'];
}

function aTask(slot: number, wishes: TaskWishes = {}): Task {
  const { uid = `t${slot}`, host = 'h1', state = 'running', desiredState = 'running' } = wishes;
  return {
    apiVersion: 'swarm/v1',
    kind: 'Task',
    metadata: { name: `web.${slot}`, uid },
    spec: {
      ...{ service: 'web', serviceUid: 'uid-web', revision: 1, slot, desiredState },
      ...{ nodeId: `id-${host}`, restarts: 0, failures: 0 },
    },
    status: { state, at: '', message: '', containerId: `c-${uid}` },
  };
}

const aContainer = (task: string, more: Partial<FoundContainer> = {}): FoundContainer => ({
  host: 'h1',
  id: `c-${task}`,
  state: 'running',
  labels: { [CONTAINER_LABEL.task]: task },
  ...more,
});

const whole: Findings = {
  nodes: [aNode('h1'), aNode('h2')],
  services: [aService(2)],
  tasks: [aTask(1), aTask(2, { host: 'h2' }), aTask(1, { uid: 'old', state: 'failed' })],
  containers: [
    aContainer('t1'),
    aContainer('t2', { host: 'h2' }),
    aContainer('old', { state: 'exited' }),
  ],
};
const flaws = (change: Partial<Findings>) => flawsOf({ ...whole, ...change });

describe('flawsOf', () => {
  it('finds nothing when all that is declared runs, and nothing else', () => {
    expect(flawsOf(whole)).toEqual([]);
    expect(flawsOf({ nodes: whole.nodes, services: [], tasks: [], containers: [] })).toEqual([]);
  });

  it('takes a job for whole when it is at work, and when it has ended', () => {
    const { spec, status, ...service } = aService(1);
    const mode = { replicatedJob: { totalCompletions: 2 } };
    const aJob = (running: number): Service => ({
      ...service,
      spec: { ...spec, mode },
      status: { ...status!, desired: running, running, updated: running },
    });
    const working = aTask(1, { desiredState: 'complete' });
    const ended = aTask(2, { desiredState: 'complete', state: 'complete' });
    const containers = [aContainer('t1'), aContainer('t2', { state: 'exited' })];
    const job = { tasks: [working, ended], containers };
    expect(flaws({ ...job, services: [aJob(1)] })).toEqual([]);
    expect(flaws({ ...job, services: [aJob(0)] })).toEqual([
      'stuck: web says that 0 tasks run, and 1 do',
    ]);
    const done = aTask(1, { desiredState: 'complete', state: 'complete' });
    expect(flaws({ ...job, tasks: [done, ended], services: [aJob(0)] })).toEqual([
      'zombie: web.1 (t1), complete and to be complete, still runs on h1',
    ]);
  });

  it('finds a slot without a task', () => {
    expect(flaws({ tasks: [aTask(1)], containers: [aContainer('t1')] })).toEqual([
      'lost: web runs in 1 slots, and 2 are wanted',
    ]);
  });

  it('does not mind which slots are taken', () => {
    const tasks = [aTask(1), aTask(7, { uid: 't2', host: 'h2' })];
    expect(flaws({ tasks, containers: whole.containers.slice(0, 2) })).toEqual([]);
  });

  it('finds a task whose container is gone', () => {
    expect(flaws({ containers: [aContainer('t1')] })).toEqual([
      'lost: web.2 (t2), running and to be running, has 0 running containers of its own',
    ]);
  });

  it('finds a container that stands in for the one that was reported', () => {
    const containers = [aContainer('t1', { id: 'another' }), whole.containers[1]!];
    expect(flaws({ containers })).toEqual([
      'lost: web.1 (t1), running and to be running, has 1 running containers of its own',
    ]);
  });

  it('finds two tasks in one slot', () => {
    const twin = aTask(1, { uid: 'twin', host: 'h2' });
    const containers = [...whole.containers, aContainer('twin', { host: 'h2' })];
    expect(flaws({ tasks: [...whole.tasks, twin], containers })).toEqual([
      'doubled: web.1 runs as two tasks',
    ]);
  });

  it('finds a task that nobody asked for', () => {
    expect(flaws({ services: [aService(1)] })).toEqual([
      'too many: web runs in 2 slots, and 1 are wanted',
    ]);
  });

  it('finds a container that lives on after its task', () => {
    const containers = [...whole.containers.slice(0, 2), aContainer('old')];
    expect(flaws({ containers })).toEqual([
      'zombie: web.1 (old), failed and to be running, still runs on h1',
    ]);
  });

  it('finds containers of no task, and of a task that is elsewhere', () => {
    const containers = [
      ...whole.containers,
      aContainer('nobody'),
      aContainer('t2', { id: 'c-moved', state: 'exited' }),
    ];
    expect(flaws({ containers })).toEqual([
      'orphan: container c-nobody on h1, running, is of no task',
      'orphan: container c-moved on h1, exited, is of a task of node h2',
    ]);
  });

  it('finds tasks that neither run nor have ended', () => {
    const stuck = [
      aTask(3, { state: 'preparing' }),
      aTask(4, { state: 'running', desiredState: 'shutdown' }),
    ];
    const containers = [...whole.containers, aContainer('t4')];
    expect(flaws({ tasks: [...whole.tasks, ...stuck], containers })).toEqual([
      'stuck: web.3 (t3), preparing and to be running',
      'stuck: web.4 (t4), running and to be shutdown',
    ]);
  });

  it('finds tasks of a service that is gone', () => {
    expect(flaws({ services: [], tasks: [aTask(1)], containers: [aContainer('t1')] })).toEqual([
      'stuck: web.1 (t1), running and to be running, has no service',
    ]);
  });

  it('finds a node that is not ready', () => {
    expect(flaws({ nodes: [aNode('h1'), aNode('h2', 'lost')] })).toEqual([
      'node h2 is lost: because',
    ]);
  });

  it('finds a status that is not true', () => {
    expect(flaws({ services: [aService(2, 1)] })).toEqual([
      'stuck: web says that 1 new and 1 of 2 tasks run',
    ]);
    const ahead = aService(2);
    ahead.metadata.generation = 4;
    expect(flaws({ services: [ahead] })).toEqual(['stuck: web has an old status']);
    const going = aService(2);
    going.metadata.deletingAt = '2026-01-01T00:00:00.000Z';
    expect(flaws({ services: [going] })).toEqual(['stuck: web is being deleted']);
  });

  it('wants one task of a global service on every node that takes tasks', () => {
    const service = { ...aService(2), spec: { ...aService(2).spec, mode: { global: {} } } };
    const paused = { ...aNode('h3'), spec: { role: 'worker', availability: 'pause' } as const };
    const tasks = [aTask(0, { uid: 't1' }), aTask(0, { uid: 't2', host: 'h2' })];
    const found = { services: [service], tasks, containers: whole.containers.slice(0, 2) };
    expect(flaws({ ...found, nodes: [...whole.nodes, paused] })).toEqual([]);
    expect(flaws({ ...found, nodes: [...whole.nodes, aNode('h3')] })).toEqual([
      'lost: web.id-h3 does not run',
    ]);
  });
});
