import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../pkg/base/index.js';
import type { EventReport } from '../../pkg/events/index.js';
import { createManagerMetrics } from '../../pkg/metrics/index.js';
import type { StoreHealth } from '../../pkg/store/index.js';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { recordingLogger } from '../../test/fakes/recording-logger.js';
import { EtcdHealth } from './etcd-health.js';
import { ManagerHealth } from './manager-health.js';

const WELL: StoreHealth = {
  clusterId: 'c',
  revision: 1,
  alarms: [],
  members: [
    { endpoint: 'http://e1:2379', version: '3.5.21', dbSizeBytes: 100 },
    { endpoint: 'http://e2:2379', version: '3.5.21', dbSizeBytes: 200 },
  ],
};
const FULL = { ...WELL, alarms: ['NOSPACE'] };
const AWAY = new UnavailableError('no connection');

function setUp() {
  const clock = new FakeClock();
  const log = recordingLogger();
  const events: EventReport[] = [];
  const etcd: { says: StoreHealth | Error; asked: number } = { says: WELL, asked: 0 };
  const health = new EtcdHealth({
    clock,
    log,
    events: { record: (event) => void events.push(event) },
    clusterId: 'c1',
    random: () => 0.5,
    store: {
      health: () => {
        etcd.asked += 1;
        return etcd.says instanceof Error ? Promise.reject(etcd.says) : Promise.resolve(etcd.says);
      },
    },
  });
  const stop = new AbortController();
  const running = health.run(stop.signal);
  const end = async () => {
    stop.abort();
    await running;
  };
  const next = async (says: StoreHealth | Error) => {
    etcd.says = says;
    await clock.advance(10_000);
    return health.troubles?.map(({ reason }) => reason);
  };
  return { clock, log, events, etcd, health, next, end };
}

describe('EtcdHealth', () => {
  it('looks at once and then every ten seconds, until it is stopped', async () => {
    const { clock, etcd, health, end } = setUp();
    expect(health.troubles).toBeUndefined();
    await clock.advance(35_000);
    expect([health.troubles, etcd.asked]).toEqual([[], 4]);
    await end();
    await clock.advance(60_000);
    expect(etcd.asked).toBe(4);
  });

  it('tells of each trouble once, and of its end', async () => {
    const { events, log, next, end } = setUp();
    expect(await next(WELL)).toEqual([]);
    expect(events).toEqual([]);
    expect(await next(FULL)).toEqual(['NoSpace']);
    expect(await next(FULL)).toEqual(['NoSpace']);
    expect(await next(AWAY)).toEqual(['OutOfReach']);
    expect(await next(WELL)).toEqual([]);
    expect(events.map(({ type, reason }) => `${type} ${reason}`)).toEqual([
      'warning EtcdNoSpace',
      'warning EtcdOutOfReach',
      'normal EtcdHealthy',
    ]);
    expect(log.linesOf('etcd is not well')).toHaveLength(2);
    await end();
  });

  it('calls nobody for mere advice', async () => {
    const { events, next, end } = setUp();
    const members = [{ endpoint: 'http://e1:2379', version: '3.4.23', dbSizeBytes: 1 }];
    expect(await next({ ...WELL, members })).toEqual(['VersionNotRecommended']);
    await next(WELL);
    expect(events).toEqual([]);
    await end();
  });

  it('is seen at scrapes and by whoever asks for readiness', async () => {
    const { health, next, end } = setUp();
    const metrics = createManagerMetrics();
    health.collect(metrics.of.etcd);
    const manager = new ManagerHealth();
    manager.watch({
      cache: { isSynced: true, ready: true, disconnectedMs: 0 },
      server: { port: 1 },
      isRegistered: () => true,
      etcd: health,
    });
    await next({
      ...FULL,
      members: [WELL.members[0]!, { endpoint: 'http://e2:2379', failure: 'x' }],
    });
    const text = await metrics.text();
    expect(text).toContain('swarm_etcd_db_size_bytes{endpoint="http://e1:2379"} 100');
    expect(text).toContain('swarm_etcd_member_up{endpoint="http://e1:2379"} 1');
    expect(text).toContain('swarm_etcd_member_up{endpoint="http://e2:2379"} 0');
    expect(text).toContain('swarm_etcd_trouble{reason="NoSpace"} 1');
    expect(text).toContain('swarm_etcd_trouble{reason="Corrupt"} 0');
    const report = manager.report();
    expect(report.notReady).toEqual([]);
    expect(report.degraded?.map((words) => words.slice(0, 12))).toEqual([
      'etcd is full',
      '1 of 2 membe',
    ]);
    await end();
  });
});
