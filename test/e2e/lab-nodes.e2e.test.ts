/**
 * Many hosts of which one at a time is in trouble: no task may be lost, doubled or stuck, and no container left
 * over. Every scenario ends with a look at every engine (`assertWhole`).
 */
import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Service } from '../../api/v1/index.js';
import { startLab } from '../lab/boot.js';
import { describeWithLab } from '../lab/describe-with-lab.js';
import type { Lab } from '../lab/lab.js';
import { Scenario, aLabService, lossBoundMs, shortOrLong } from '../lab/scenario.js';
import { eventually } from '../fixtures/eventually.js';
import { must } from '../fixtures/program.js';

/** Nodes are given up soon, so that nobody has to wait for the usual times. */
const IMPATIENT = { nodeHeartbeat: '500ms', nodeUnknownAfter: '1500ms', nodeLostAfter: '3s' };
/** Nodes are not given up while a test looks. */
const PATIENT = { nodeHeartbeat: '500ms', nodeUnknownAfter: '2s', nodeLostAfter: '120s' };
const HOUR_MS = 3_600_000;

/** So many tasks at once that nobody may try twice; each ends well when there is a file /go in its container. */
function aLabJob(name: string, tasks: number): Service {
  const { spec, ...service } = aLabService(name);
  const command = ['sh', '-c', 'while ! test -e /go; do sleep 0.2; done'];
  return {
    ...service,
    apiVersion: 'swarm/v1',
    kind: 'Service',
    spec: {
      mode: { replicatedJob: { totalCompletions: tasks, backoffLimit: 0 } },
      task: { ...spec.task, container: { ...spec.task.container, command } },
    },
  };
}

describeWithLab('nodes of a lab', () => {
  let lab: Lab;
  let scenario: Scenario;

  beforeAll(async () => {
    lab = await startLab({ settings: IMPATIENT });
    scenario = new Scenario(lab);
  });
  afterAll(() => lab.dispose());
  afterEach(async () => {
    await scenario.cleanUp();
    await scenario.settings(IMPATIENT);
  });

  const withinMs = lossBoundMs(IMPATIENT);
  const untilReplaced = (replicas: number, host: string) =>
    scenario.untilRunsElsewhere('web', replicas, { host, withinMs });

  it('replaces the tasks of a worker that lost power, and takes it back', async () => {
    await scenario.apply('web', { replicas: 10 });
    await lab.host('h2').powerOff();
    await untilReplaced(10, 'h2');
    await lab.host('h2').powerOn();
    await lab.assertWhole();
    expect(await scenario.runningOn('h2')).toEqual([]);
  });

  it('begins what a job had at work on a worker that lost power anew, and takes that for no failure', async () => {
    await lab.client.apply('services', aLabJob('pack', 5));
    await eventually('five at work', async () => (await scenario.running('pack')).length === 5);
    expect(await scenario.runningOn('h2')).toHaveLength(1);
    await lab.host('h2').powerOff();
    await scenario.untilRunsElsewhere('pack', 5, { host: 'h2', withinMs });
    await lab.host('h2').powerOn();
    await lab.assertWhole();
    const running = await scenario.running('pack');
    expect(running).toHaveLength(5);
    for (const { host, id } of running) {
      await lab
        .host(host)
        .engine.execInContainer(id, { command: ['touch', '/go'], timeoutMs: 20_000 });
    }
    await eventually('its end', async () => {
      const { status } = await lab.client.get('services', 'pack');
      return status?.job?.succeeded === 5 && status.job.failed === 0;
    });
    await lab.assertWhole();
    expect(await scenario.running('pack')).toEqual([]);
  });

  it('lets everything be when a worker was cut off and comes back in time', async () => {
    await scenario.settings(PATIENT);
    await scenario.apply('web', { replicas: 10 });
    const before = await scenario.ids();
    await lab.host('h2').cut();
    await scenario.untilNode('h2', 'unknown');
    await lab.host('h2').mend();
    await lab.assertWhole();
    expect(await scenario.ids()).toEqual(before);
  });

  it('ends what a worker kept running when it was cut off and comes back too late', async () => {
    await scenario.apply('web', { replicas: 10 });
    const kept = await scenario.runningOn('h2');
    await lab.host('h2').cut();
    await untilReplaced(10, 'h2');
    expect(await scenario.runningOn('h2')).toEqual(kept); // blind, so it touches nothing
    await lab.host('h2').mend();
    await lab.assertWhole();
    expect(await scenario.runningOn('h2')).toEqual([]);
  });

  it.each(['in', 'out'] as const)(
    'treats a wire that is dead one way (%s) as dead',
    async (way) => {
      await scenario.apply('web', { replicas: 10 });
      await lab.host('h3').cut(undefined, way);
      await untilReplaced(10, 'h3');
      await lab.host('h3').mend();
      await lab.assertWhole();
    },
  );

  it('keeps the containers of an engine that crashes and starts again', async () => {
    await scenario.settings(PATIENT);
    await scenario.apply('web', { replicas: 10 });
    const before = await scenario.ids();
    await lab.host('h4').kill('engine');
    await scenario.untilNode('h4', 'unknown');
    await lab.host('h4').start('engine');
    await lab.assertWhole();
    expect(await scenario.ids()).toEqual(before);
  });

  it('replaces the tasks of an engine that hangs, and ends them when it goes on', async () => {
    await scenario.apply('web', { replicas: 10 });
    await lab.host('h4').freeze('engine');
    await untilReplaced(10, 'h4');
    await lab.host('h4').thaw('engine');
    await lab.assertWhole();
  });

  it('keeps the containers of an agent that crashes and starts again', async () => {
    await scenario.settings(PATIENT);
    await scenario.apply('web', { replicas: 10 });
    const before = await scenario.ids();
    await lab.host('h5').kill('agent');
    await scenario.untilNode('h5', 'unknown');
    await lab.host('h5').start('agent');
    await lab.assertWhole();
    expect(await scenario.ids()).toEqual(before);
  });

  it('replaces the tasks of an agent that hangs, and ends them when it goes on', async () => {
    await scenario.apply('web', { replicas: 10 });
    await lab.host('h5').freeze('agent');
    await untilReplaced(10, 'h5');
    await lab.host('h5').thaw('agent');
    await lab.assertWhole();
  });

  it.each([HOUR_MS, -HOUR_MS])('does not mind a clock that is off by %i ms', async (byMs) => {
    await scenario.settings(PATIENT);
    await scenario.apply('web', { replicas: 10 });
    const before = await scenario.ids();
    await lab.host('h1').shiftClock(byMs);
    await lab.assertWhole();
    expect(await scenario.ids()).toEqual(before);
    const [victim] = await scenario.runningOn('h1');
    await lab.host('h1').engine.killContainer(victim!.id);
    await eventually('end of the killed container', async () =>
      (await scenario.runningOn('h1')).every(({ id }) => id !== victim!.id),
    );
    await lab.assertWhole(20_000); // restarted now, and not in an hour
    await scenario.apply('web', { replicas: 12 });
  });

  it('drains a node while its tasks are needed, and fills it again', async () => {
    const replicas = shortOrLong(15, 250);
    await scenario.apply('web', { replicas });
    const moved = (await scenario.runningOn('h1')).length;
    expect(moved).toBeGreaterThanOrEqual(shortOrLong(3, 50));
    const drained = lab.swarmctl(['drain', 'h1', '--wait', '--timeout', '2m']);
    const isOver = () => Promise.race([drained.then(() => true), setImmediate(false)]);
    while (!(await isOver())) {
      // In this order nothing is missed that moves from there to elsewhere.
      const here = await scenario.runningOn('h1');
      const away = (await scenario.running('web')).filter(({ host }) => host !== 'h1');
      expect(here.length + away.length).toBeGreaterThanOrEqual(replicas);
    }
    must(await drained);
    expect(await scenario.runningOn('h1')).toEqual([]);
    await lab.assertWhole();
    must(await lab.swarmctl(['uncordon', 'h1']));
    await scenario.apply('web', { replicas: replicas + moved });
    expect((await scenario.runningOn('h1')).length).toBeGreaterThan(0);
  });

  it('moves the tasks of a node whose label does not suit them any more', async () => {
    const update = (label: readonly string[], node: string) =>
      lab.swarmctl(['node', 'update', ...label, node]).then(must);
    for (const node of ['h1', 'h2', 'h3']) await update(['--label-add', 'disk=ssd'], node);
    await scenario.apply('web', { replicas: 6, constraints: ['node.labels.disk == ssd'] });
    expect(await scenario.runningOn('h1')).toHaveLength(2);
    await update(['--label-rm', 'disk'], 'h1');
    await eventually('an empty h1', async () => (await scenario.runningOn('h1')).length === 0);
    await lab.assertWhole();
    expect(await scenario.runningOn('h2')).toHaveLength(3);
    for (const node of ['h2', 'h3']) await update(['--label-rm', 'disk'], node);
  });
});
