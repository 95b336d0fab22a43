import { describe, it, expect } from 'vitest';
import type { LeaderElectionObserver } from '../election/index.js';
import type { WorldCacheObserver } from '../informer/index.js';
import type { StoreObserver } from '../store/index.js';
import type { EngineObserver } from '../engine/index.js';
import {
  collectCache,
  createAgentMetrics,
  createManagerMetrics,
  observeCache,
  observeEngine,
  observeEtcd,
  observeLeadership,
  observeRollouts,
} from './index.js';

async function line(
  scrape: { text(): Promise<string> },
  series: string,
): Promise<string | undefined> {
  const lines = (await scrape.text()).split('\n');
  return lines.find((text) => text.startsWith(`${series} `))?.slice(series.length + 1);
}

describe('the observers of the world', () => {
  it('fit the ports that they are made for', () => {
    const { etcd, cache, leader } = createManagerMetrics().of;
    const store: StoreObserver = observeEtcd(etcd);
    const world: WorldCacheObserver = observeCache(cache);
    const election: LeaderElectionObserver = observeLeadership(leader);
    const engine: EngineObserver = observeEngine(createAgentMetrics().of.engine);
    expect([store, world, election, engine]).toHaveLength(4);
  });

  it('count lists, events, breaks and mismatches of the cache', async () => {
    const metrics = createManagerMetrics();
    const observer = observeCache(metrics.of.cache);
    observer.listed('start');
    observer.listed('unheard-of');
    observer.applied(3);
    observer.watchBroken();
    observer.compared(0);
    observer.compared(2);
    observer.invalidObjects(4);
    observer.historyBroken();
    expect(await line(metrics, 'swarm_cache_relists_total{reason="start"}')).toBe('1');
    expect(await line(metrics, 'swarm_cache_relists_total{reason="doubt"}')).toBe('1');
    expect(await line(metrics, 'swarm_cache_events_total')).toBe('3');
    expect(await line(metrics, 'swarm_cache_watch_breaks_total')).toBe('1');
    expect(await line(metrics, 'swarm_cache_mismatches_total')).toBe('2');
    expect(await line(metrics, 'swarm_cache_invalid_objects')).toBe('4');
    expect(await line(metrics, 'swarm_cache_history_breaks_total')).toBe('1');
  });

  it('read lag and revision at the scrape', async () => {
    const metrics = createManagerMetrics();
    const cache = { revision: 0, disconnectedMs: Infinity };
    collectCache(metrics.of.cache, cache);
    expect(await line(metrics, 'swarm_cache_watch_lag_seconds')).toBe('+Inf');
    Object.assign(cache, { revision: 42, disconnectedMs: 1500 });
    expect(await line(metrics, 'swarm_cache_watch_lag_seconds')).toBe('1.5');
    expect(await line(metrics, 'swarm_cache_revision')).toBe('42');
  });

  it('count what becomes of updates', async () => {
    const metrics = createManagerMetrics();
    const observer = observeRollouts(metrics.of.rollout);
    observer.cameTo('updating');
    observer.cameTo('rollback_completed');
    observer.cameTo('rollback_completed');
    const series = 'swarm_rollout_transitions_total{state="rollback_completed"}';
    expect(await line(metrics, series)).toBe('2');
    expect(await line(metrics, 'swarm_rollout_services{state="paused"}')).toBe('0');
  });

  it('show who leads', async () => {
    const metrics = createManagerMetrics();
    const observer = observeLeadership(metrics.of.leader);
    observer.elected();
    observer.keepAliveFailed();
    expect(await line(metrics, 'swarm_leader_leading')).toBe('1');
    observer.termEnded();
    expect(await line(metrics, 'swarm_leader_leading')).toBe('0');
    expect(await line(metrics, 'swarm_leader_transitions_total{to="following"}')).toBe('1');
    expect(await line(metrics, 'swarm_leader_keep_alive_failures_total')).toBe('1');
  });
});
