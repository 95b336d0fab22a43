import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Service, Task, TaskTemplate } from '../../api/v1/index.js';
import { puts } from '../../pkg/objects/index.js';
import { BUILT_AT, aNode, aRevision, aService, aTask } from '../../test/builders/objects.js';
import { SwarmctlFixture } from '../../test/fixtures/swarmctl.js';
import { renderSheet } from './describe/sheet.js';
import { templateRows } from './describe/spec-words.js';
import { backoffWords, shownState } from './output/backoff.js';
import { progressOf, troublesOf } from './progress/service-progress.js';

const NOW = new Date('2026-01-01T00:05:00.000Z');
const unready = { reason: 'ReadinessFailed', message: 'HTTP 503: overloaded', since: BUILT_AT };

const heldBack = (failures: number, lastFailure?: string): Task =>
  aTask({
    desiredState: 'ready',
    startAt: '2026-01-01T00:05:12.000Z',
    failures,
    ...(lastFailure !== undefined && { lastFailure }),
  }).task;

describe('a restart that is held back', () => {
  it.each([
    [heldBack(4, 'exit code 1'), 'next try in 12s (failure 4 in a row, exit code 1)'],
    [heldBack(1, 'ImageNotFound'), 'next try in 12s (after a failure, ImageNotFound)'],
    [heldBack(2), 'next try in 12s (failure 2 in a row)'],
  ])('is shown as backoff with the time of the next try (%#)', (task, words) => {
    expect(shownState(task, NOW)).toBe('backoff');
    expect(backoffWords(task, NOW)).toBe(words);
  });

  it.each([
    ['did not fail', heldBack(0), NOW],
    ['may start', heldBack(4), new Date('2026-01-01T00:05:12.000Z')],
  ])('is not, of a task that %s', (_what, task, now) => {
    expect(shownState(task, now)).toBe('pending');
    expect(backoffWords(task, now)).toBe('');
  });
});

describe('a task that runs and is not in service', () => {
  let ctl: SwarmctlFixture;

  beforeEach(async () => {
    ctl = await SwarmctlFixture.start();
    const { keys } = ctl.api;
    const service = aService({ replicas: 1 });
    const { task, status } = aTask({
      id: 'taskaaaaaaaaaa1',
      state: 'running',
      status: { ready: false, unready, message: 'not ready: HTTP 503: overloaded' },
    });
    await ctl.api.put(
      puts.service(keys, service),
      puts.serviceRevision(keys, aRevision(service)),
      puts.serviceStatus(keys, 'web', {
        serviceUid: 'uid-web',
        observedGeneration: 1,
        revision: 1,
        desired: 1,
        running: 1,
        ready: 0,
        updated: 1,
        pending: 0,
        failed: 0,
        conditions: [],
      }),
      puts.node(keys, aNode('n1')),
      puts.task(keys, task),
      puts.taskStatus(keys, status!),
    );
  });
  afterEach(() => ctl.dispose());

  it('is told apart by get and describe', async () => {
    const table = (await ctl.run('get tasks')).out;
    expect(table).toMatch(/running +running +\w+ +not ready: HTTP 503: overloaded/);
    expect((await ctl.run('get services')).out).toMatch(/web +replicated +1\/1 /);
    expect((await ctl.run('describe service web')).out).toMatch(/1 of 1 task running, 0 ready/);
    expect((await ctl.run('describe task web.1')).out).toMatch(
      /Ready: +no \(ReadinessFailed\): HTTP 503: overloaded, since 5m/,
    );
  });

  it('is waited for', async () => {
    const waited = await ctl.run('wait service/web --for=running --timeout 1ms');
    expect(waited.code).not.toBe(0);
    expect(waited.err).toContain('1 of 1 tasks run, 0 ready');
  });
});

describe('progress', () => {
  it('goes on until tasks are in service, and says what keeps them', () => {
    const stored = aService({ replicas: 2 });
    const status = { observedGeneration: 1, revision: 1, desired: 2, running: 2, updated: 2 };
    const of = (ready: number) => {
      const counts = { ...status, ready, pending: 0, failed: 0, conditions: [] };
      const service = { ...stored, status: counts } as Service;
      const tasks = [1, 2].map((slot) => {
        const standing = slot <= ready ? { ready: true } : { ready: false, unready };
        const view = aTask({ slot, state: 'running', status: standing });
        return { ...view.task, status: view.status } as Task;
      });
      return progressOf({ name: 'web', service, tasks, now: NOW, nodeName: (id) => id });
    };
    expect(of(1)).toMatchObject({ running: 1, wanted: 2, outcome: { kind: 'working' } });
    expect(troublesOf(of(1))).toEqual(['web.2: HTTP 503: overloaded']);
    expect(of(2)).toMatchObject({ running: 2, outcome: { kind: 'converged' } });
  });
});

describe('a template with probes and hooks', () => {
  it('is described with what is in effect', () => {
    const task: TaskTemplate = {
      container: {
        image: 'app:1',
        probes: {
          startup: { tcp: { port: 80 }, failureThreshold: 30, period: '1s' },
          readiness: { http: { port: 80, path: '/ready' }, successThreshold: 2 },
          liveness: { exec: { command: ['check', '-q'] }, initialDelay: '90s' },
        },
        hooks: { preStop: { sleep: '5s' } },
      },
      minReady: '10s',
    };
    const sheet = renderSheet(templateRows({ task }));
    expect(sheet.split('\n').filter((line) => /^(Sta|Read|Live|Avail|Before)/.test(line))).toEqual([
      'Startup:       connect to port 80 (every 1s, timeout 1s, fails after 30)',
      'Readiness:     GET http port 80 /ready (every 10s, timeout 1s, fails after 3, passes after 2)',
      'Liveness:      run check -q (every 10s, timeout 1s, after 1m30s, fails after 3)',
      'Available:     after 10s in service',
      'Before stop:   sleep 5s',
    ]);
  });
});
