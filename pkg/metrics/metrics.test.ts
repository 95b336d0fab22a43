import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it, expect } from 'vitest';
import {
  counter,
  createAgentMetrics,
  createManagerMetrics,
  createMetrics,
  defineSubsystem,
  gauge,
  metricName,
  observeControllers,
  observeEngine,
  observeEtcd,
  observeProcess,
  observePulls,
  renderMetricsDoc,
} from './index.js';
import type { Scrape } from './index.js';

/** The sample lines of a scrape by series. */
async function samples(scrape: Scrape): Promise<ReadonlyMap<string, number>> {
  const lines = (await scrape.text()).split('\n').filter((line) => line && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const cut = line.lastIndexOf(' ');
      return [line.slice(0, cut), Number(line.slice(cut + 1))];
    }),
  );
}

const programs = [
  { program: 'swarm-manager', subsystems: createManagerMetrics().subsystems },
  { program: 'swarm-agent', subsystems: createAgentMetrics().subsystems },
];
const declared = programs
  .flatMap(({ subsystems }) => subsystems)
  .flatMap((part) => Object.values(part.metrics).map((metric) => ({ part, metric })));

describe('the declarations', () => {
  it.each(declared.map(({ part, metric }) => [metricName(part, metric), metric] as const))(
    '%s is named by kind and unit, explained, and has no ids in its labels',
    (name, metric) => {
      expect(name).toMatch(/^swarm_[a-z]+(_[a-z]+)+$/);
      expect(name.endsWith('_total')).toBe(metric.kind === 'counter');
      if (metric.kind === 'histogram') expect(name).toMatch(/_seconds$/);
      expect(metric.buckets.length > 0).toBe(metric.kind === 'histogram');
      expect(metric.help).toMatch(/^[A-Z0-9].*\.$/);
      for (const label of Object.keys(metric.labels)) {
        expect(label).not.toMatch(/(^|_)(id|uid|task|container|node_id|name|address|key)$/);
      }
    },
  );

  it('shows closed series at zero before anything happened', async () => {
    const values = await samples(createManagerMetrics());
    expect(values.get('swarm_cluster_tasks{state="running"}')).toBe(0);
    expect(values.get('swarm_cluster_desired_tasks{state="remove"}')).toBe(0);
    expect(values.get('swarm_cache_mismatches_total')).toBe(0);
    expect(values.get('swarm_leader_transitions_total{to="leading"}')).toBe(0);
    const agent = await samples(createAgentMetrics());
    expect(agent.get('swarm_engine_image_pull_duration_seconds_count')).toBe(0);
    expect(agent.get('swarm_agent_session_connected')).toBe(0);
  });

  it('refuses two metrics of one name', () => {
    const part = defineSubsystem('a', 'A', { one: gauge('x', 'X.'), two: gauge('x', 'X.') });
    expect(() => createMetrics({ part })).toThrow(/already been registered/);
  });

  it('keeps the metrics of two registries apart', async () => {
    const [one, two] = [createManagerMetrics(), createManagerMetrics()];
    one.of.cluster.services.set({}, 7);
    expect((await samples(one)).get('swarm_cluster_services')).toBe(7);
    expect((await samples(two)).get('swarm_cluster_services')).toBe(0);
  });
});

describe('collecting at the scrape', () => {
  it('resets closed series to zero and drops open ones', async () => {
    const part = defineSubsystem('test', 'Test', {
      closed: gauge('closed', 'C.', { state: ['a', 'b'] }),
      open: gauge('open', 'O.', { queue: 'open' }),
      total: counter('read_total', 'R.'),
    });
    const metrics = createMetrics({ part });
    let round = 0;
    metrics.of.part.closed.onCollect(() => (round === 1 ? [[{ state: 'a' }, 5]] : []));
    metrics.of.part.open.onCollect(() => (round === 1 ? [[{ queue: 'q' }, 5]] : []));
    metrics.of.part.total.onCollect(() => [[{}, 10 + round]]);
    round = 1;
    const first = await samples(metrics);
    expect(first.get('swarm_test_closed{state="a"}')).toBe(5);
    expect(first.get('swarm_test_open{queue="q"}')).toBe(5);
    round = 2;
    const second = await samples(metrics);
    expect(second.get('swarm_test_closed{state="a"}')).toBe(0);
    expect(second.has('swarm_test_open{queue="q"}')).toBe(false);
    expect(second.get('swarm_test_read_total')).toBe(12);
  });
});

describe('the observers', () => {
  it('count calls to etcd and the engine, in seconds, and only failures as errors', async () => {
    const manager = createManagerMetrics();
    const etcd = observeEtcd(manager.of.etcd);
    etcd.onCall('txn', 15, 'ok');
    etcd.onCall('txn', 3000, 'ERR_UNAVAILABLE');
    const values = await samples(manager);
    expect(values.get('swarm_etcd_call_duration_seconds_count{operation="txn"}')).toBe(2);
    expect(values.get('swarm_etcd_call_duration_seconds_sum{operation="txn"}')).toBeCloseTo(3.015);
    expect(values.get('swarm_etcd_errors_total{operation="txn",outcome="ERR_UNAVAILABLE"}')).toBe(
      1,
    );
    expect([...values.keys()].filter((key) => key.startsWith('swarm_etcd_errors'))).toHaveLength(1);

    const agent = createAgentMetrics();
    observeEngine(agent.of.engine).onCall('start', 40, 'ok');
    observePulls(agent.of.engine).onPull('denied', 500);
    const engine = await samples(agent);
    expect(engine.get('swarm_engine_call_duration_seconds_count{operation="start"}')).toBe(1);
    expect(engine.get('swarm_engine_image_pulls_total{outcome="denied"}')).toBe(1);
  });

  it('count reconciles from zero and file unknown outcomes under error', async () => {
    const manager = createManagerMetrics();
    const observer = observeControllers(manager.of.controller, ['service', 'task']);
    const before = await samples(manager);
    expect(
      before.get('swarm_controller_reconciles_total{controller="task",outcome="conflict"}'),
    ).toBe(0);
    observer.onReconcile('service', 'success', 20);
    observer.onReconcile('service', 'exploded', 20);
    observer.onQueueDepth('service', 3, 1500);
    const after = await samples(manager);
    const total = (outcome: string) =>
      after.get(`swarm_controller_reconciles_total{controller="service",outcome="${outcome}"}`);
    expect([total('success'), total('error')]).toEqual([1, 1]);
    expect(after.get('swarm_controller_queue_depth_keys{controller="service"}')).toBe(3);
    expect(after.get('swarm_controller_queue_oldest_age_seconds{controller="service"}')).toBe(1.5);
  });

  it('measure a blocked event loop and stop when disposed', async () => {
    const manager = createManagerMetrics();
    const watching = observeProcess(manager.of.process, { version: '1.2.3' });
    await sleep(60);
    const until = Date.now() + 300;
    while (Date.now() < until); // blocks the loop, which is what is to be seen
    await sleep(60);
    const busy = await samples(manager);
    expect(busy.get('swarm_process_event_loop_delay_seconds{quantile="1"}')).toBeGreaterThan(0.2);
    expect(busy.get('swarm_process_resident_memory_bytes')).toBeGreaterThan(1e6);
    expect(busy.get('swarm_process_cpu_seconds_total{mode="user"}')).toBeGreaterThan(0);
    expect(busy.get(`swarm_process_build{version="1.2.3",node="${process.version}"}`)).toBe(1);
    watching[Symbol.dispose]();
    const quiet = await samples(manager);
    expect(quiet.get('swarm_process_event_loop_delay_seconds{quantile="1"}')).toBe(0);
  });
});

describe('renderMetricsDoc', () => {
  it('names every metric once, with who serves it', () => {
    const text = renderMetricsDoc(programs);
    for (const { part, metric } of declared) {
      expect(text.split(`| \`${metricName(part, metric)}\` |`)).toHaveLength(2);
    }
    expect(text).toContain('## Process\n\nServed by `swarm-manager` and `swarm-agent`.');
    expect(text).toContain('## Docker Engine\n\nServed by `swarm-agent`.');
  });
});
