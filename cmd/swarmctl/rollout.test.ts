import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Condition, ServiceStatus, StoredService, UpdateStatus } from '../../api/v1/index.js';
import { puts } from '../../pkg/objects/index.js';
import { aRevision, aService, BUILT_AT } from '../../test/builders/objects.js';
import { SwarmctlFixture } from '../../test/fixtures/swarmctl.js';

let ctl: SwarmctlFixture;
beforeEach(async () => {
  ctl = await SwarmctlFixture.start();
});
afterEach(() => ctl.dispose());

const WEB = aService({ image: 'app:3', replicas: 2 });

/** Three revisions, of which the last is in the spec. */
async function aHistory(service: StoredService = WEB): Promise<void> {
  const revisions = ['app:1', 'app:2', 'app:3'].map((image, index) => ({
    ...aRevision(aService({ image }), index + 1),
    ...(index === 1 && { cause: 'release 2' }),
  }));
  await ctl.api.put(
    puts.service(ctl.api.keys, service),
    ...revisions.map((revision) => puts.serviceRevision(ctl.api.keys, revision)),
  );
}

/** What the leader tells of it. */
async function told(
  progressing: readonly [status: 'true' | 'false', reason: string, message: string],
  update: Partial<UpdateStatus> = {},
  more: Partial<ServiceStatus> = {},
): Promise<void> {
  const [status, reason, message] = progressing;
  const condition: Condition = {
    type: 'Progressing',
    status,
    reason,
    message,
    changedAt: BUILT_AT,
  };
  const { metadata } = await (await ctl.api.client()).get('services', 'web');
  await ctl.api.put(
    puts.serviceStatus(ctl.api.keys, 'web', {
      ...{ observedGeneration: metadata.generation ?? 0, revision: 3, desired: 2, running: 2 },
      ...{ updated: 2, pending: 0, failed: 0, serviceUid: 'uid-web', conditions: [condition] },
      update: {
        ...{ state: 'updating', attempt: 1, from: 2, to: 3, wanted: 3, retries: 0, tasks: 2 },
        ...{ failed: [], startedAt: BUILT_AT, message: '', ...update },
      },
      ...more,
    }),
  );
}

const settled = () => told(['false', 'Settled', 'nothing to do'], { state: 'completed' });

describe('rollout status', () => {
  it.each([
    [['false', 'Settled', 'nothing to do'], 0, 'rolled out: 2 of 2 tasks run revision 3'],
    [['true', 'UpdateInProgress', '1/2 tasks moved'], 3, '1/2 tasks moved'],
    [['false', 'UpdatePaused', 'update paused due to web.1'], 1, 'update paused due to web.1'],
    [['false', 'RolledBack', 'it failed'], 1, 'it failed'],
    [['false', 'AwaitingPromotion', 'waits for its promotion'], 0, 'waits for its promotion'],
  ] as const)('looks without waiting: %j exits with %i', async (progressing, code, words) => {
    await aHistory();
    await told(progressing);
    const result = await ctl.run('rollout status web --no-wait');
    expect(result).toEqual({ code, out: `service/web: ${words}\n`, err: '' });
  });

  it('waits until it is done', async () => {
    await aHistory();
    await told(['true', 'UpdateInProgress', ''], {}, { updated: 1 });
    let played: Promise<void> | undefined;
    const { code, out } = await ctl.run('rollout status service/web', {
      onOutput: (text) => {
        if (text.includes('overall progress')) played ??= settled();
      },
    });
    await played;
    expect(code).toBe(0);
    expect(out).toContain('verify: Service web converged');
  });

  it('fails when it stops, and when time is up', async () => {
    await aHistory();
    await told(['false', 'UpdatePaused', 'update paused due to web.1'], { state: 'paused' });
    const stopped = await ctl.run('rollout status web');
    expect(stopped.code).toBe(1);
    expect(stopped.err).toContain('will not converge: update paused due to web.1');
    await told(['true', 'UpdateInProgress', ''], {}, { updated: 1 });
    expect((await ctl.run('rollout status web --timeout 1ms')).code).toBe(3);
  });

  it('names what is near', async () => {
    await aHistory();
    const { code, err } = await ctl.run('rollout status wep --no-wait');
    expect(code).toBe(1);
    expect(err).toContain('did you mean web?');
  });
});

describe('rollout history', () => {
  it('shows the revisions, and why they were made', async () => {
    await aHistory();
    await told(['false', 'Settled', ''], { state: 'completed' }, { stable: [1, 3] });
    const { out } = await ctl.run('rollout history service web');
    expect(out).toMatchInlineSnapshot(`
      "REVISION   AGE   STATE             IMAGE   CHANGE-CAUSE
      1          5m    stable            app:1   <none>
      2          5m                      app:2   release 2
      3          5m    current, stable   app:3   <none>
      "
    `);
  });

  it('shows one of them, and what it changed', async () => {
    await aHistory();
    const { out } = await ctl.run('rollout history web --revision 2');
    expect(out).toContain('Change cause:  release 2\n');
    expect(out).toContain('Changes since revision 1:\n    task.container.image: app:1 -> app:2\n');
    const none = await ctl.run('rollout history web --revision 9');
    expect(none.code).toBe(2);
    expect(none.err).toContain('service/web has no revision 9; it has 1, 2, 3');
  });

  it('prints objects', async () => {
    await aHistory();
    const { out } = await ctl.run('rollout history web --revision 2 -o json');
    expect(JSON.parse(out)).toMatchObject({ kind: 'ServiceRevision', revision: 2 });
    expect((await ctl.run('rollout history web -o yaml')).out).toContain('kind: List');
  });
});

describe('rollout undo and service rollback', () => {
  const imageOf = async () =>
    (await (await ctl.api.client()).get('services', 'web')).spec.task.container.image;

  it('goes back by one, or to a certain revision, with the reason', async () => {
    await aHistory();
    const back = await ctl.run('rollout undo web');
    expect(back).toEqual({ code: 0, out: 'service/web goes back to revision 2\n', err: '' });
    expect(await imageOf()).toBe('app:2');
    await ctl.run(['rollout', 'undo', 'service/web', '--to-revision', '1', '-m', 'bad build']);
    expect(await imageOf()).toBe('app:1');
    const { metadata } = await (await ctl.api.client()).get('services', 'web');
    expect(metadata.annotations).toEqual({ 'swarm/change-cause': 'bad build' });
    expect((await ctl.run('rollout undo web --to-revision 1')).out).toBe('service/web unchanged\n');
  });

  it('only tries it', async () => {
    await aHistory();
    const { out } = await ctl.run('rollout undo web --dry-run');
    expect(out).toBe('service/web goes back to revision 2 (dry run)\n');
    expect(await imageOf()).toBe('app:3');
  });

  it('says which revisions there are', async () => {
    await aHistory();
    const { code, err } = await ctl.run('rollout undo web --to-revision 8');
    expect(code).toBe(1);
    expect(err).toContain('service web has no revision 8; it has 1, 2, 3');
    expect((await ctl.run('rollout undo web --to-revision last')).code).toBe(2);
  });

  it('follows the way back, as Docker shows it', async () => {
    await aHistory();
    const steps = [
      () =>
        told(['true', 'RollbackInProgress', ''], {
          ...{ state: 'rollback_started', from: 3, to: 4, cause: 'manually requested rollback' },
        }),
      () =>
        told(['false', 'Settled', ''], { state: 'rollback_completed', from: 3, to: 4, wanted: 4 }),
    ];
    const played: Promise<void>[] = [];
    const { code, out } = await ctl.run('service rollback web', {
      isTerminal: true,
      env: { NO_COLOR: '1' },
      onOutput: (text) => {
        if (text.includes('leading manager') && played.length === 0) played.push(steps[0]!());
        if (text.includes('rolling back') && played.length === 1) played.push(steps[1]!());
      },
    });
    await Promise.all(played);
    expect(code).toBe(0);
    expect(out.startsWith('web\n')).toBe(true);
    expect(out).toContain('overall progress: rolling back update: 0 out of 2 tasks');
    expect(out).toContain('rollback: manually requested rollback');
    expect(out).toContain('verify: Service web converged');
    expect(await imageOf()).toBe('app:2');
  });

  it.each([['service rollback --detach web'], ['service update --rollback -d web']])(
    'does not wait with: %s',
    async (line) => {
      await aHistory();
      expect(await ctl.run(line)).toEqual({ code: 0, out: 'web\n', err: '' });
      expect(await imageOf()).toBe('app:2');
    },
  );

  it('refuses --rollback together with other changes, as Docker does', async () => {
    await aHistory();
    const { code, err } = await ctl.run('service update --rollback --image app:9 web');
    expect(code).toBe(2);
    expect(err).toContain('other flags may not be combined with --rollback');
  });

  it('says that there is nothing to go back to', async () => {
    await ctl.api.put(puts.service(ctl.api.keys, WEB));
    const { code, err } = await ctl.run('service rollback web');
    expect(code).toBe(1);
    expect(err).toContain('service web has no earlier revision to go back to');
  });
});

describe('orders about rollouts', () => {
  it('pause and resume, several at once', async () => {
    await aHistory();
    await ctl.api.put(puts.service(ctl.api.keys, aService({ name: 'api' })));
    expect((await ctl.run('rollout pause web api')).out).toBe(
      'service/web paused\nservice/api paused\n',
    );
    expect((await ctl.run('rollout pause service/web')).out).toBe('service/web unchanged\n');
    expect((await ctl.run('rollout resume web')).out).toBe('service/web resumed\n');
    const again = await ctl.run('rollout resume web');
    expect(again.code).toBe(1);
    expect(again.err).toContain('the rollout of service web is not paused');
  });

  it('restart, and follow it', async () => {
    await aHistory();
    let played: Promise<void> | undefined;
    const { code, out } = await ctl.run('rollout restart web --wait', {
      onOutput: (text) => {
        if (text.includes('leading manager')) played ??= settled();
      },
    });
    await played;
    expect(code).toBe(0);
    expect(out).toContain('service/web restarted\n');
  });

  it('promote and abort a canary, which is followed until it waits', async () => {
    await aHistory({ ...WEB, spec: { ...WEB.spec, update: { canary: 1 } } });
    const waits = 'update waits for its promotion: 1 of 2 tasks have revision 3';
    await told(['false', 'AwaitingPromotion', waits], {
      state: 'paused',
      reason: 'AwaitingPromotion',
      message: waits,
    });
    const status = await ctl.run('rollout status web');
    expect(status.code).toBe(0);
    expect(status.out).toContain(`hold: ${waits}; \`swarmctl rollout promote web\` or \`abort\`\n`);
    expect((await ctl.run('rollout promote web')).out).toBe('service/web promoted\n');
    expect((await ctl.run('rollout abort web')).out).toBe('service/web aborted\n');
  });

  it.each([
    ['rollout pause', 2, 'missing'],
    ['rollout pause node/a', 2, '"node/a" is no service'],
    ['rollout pause none', 1, 'service/none not found'],
  ])('refuse what they cannot be about: %s', async (line, code, words) => {
    const result = await ctl.run(line);
    expect(result.code).toBe(code);
    expect(result.err).toContain(words);
  });
});

describe('describe service', () => {
  it('shows how the update goes, by which policy, and what people ordered', async () => {
    const policy = { parallelism: '25%', order: 'start-first', failureAction: 'rollback' } as const;
    await aHistory({ ...WEB, spec: { ...WEB.spec, update: policy, rollback: { maxSurge: 1 } } });
    await ctl.run('rollout pause web');
    await told(['false', 'UpdatePaused', 'update paused by order'], {
      ...{ state: 'paused', reason: 'Ordered', message: 'update paused by order', failed: ['2'] },
    });
    const { out } = await ctl.run('describe service web');
    expect(out).toContain(
      [
        'Update:       paused (Ordered): update paused by order',
        '              from revision 2 to 3, 2 tasks to move, 1 failed',
        '              begun 2026-01-01T00:00:00Z (5m ago)',
        'Orders:       paused: `swarmctl rollout resume` goes on',
        'Update by:    25% at a time, start-first; on failure rollback; monitor 5s; deadline 10m',
        'Rollback by:  up to 1 too many, none too few at once; on failure pause; monitor 5s; deadline 10m',
      ].join('\n'),
    );
  });
});
