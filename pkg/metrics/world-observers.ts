import type { Handles } from './registry.js';
import { LIST_REASONS } from './subsystems.js';
import type { cacheMetrics, leaderMetrics, rolloutMetrics } from './subsystems.js';
import type { UpdateState } from '../../api/v1/index.js';

/** The observer port of pkg/informer. */
export interface CacheObserver {
  listed(reason: string): void;
  applied(events: number): void;
  watchBroken(): void;
  invalidObjects(count: number): void;
  compared(mismatches: number): void;
  historyBroken(): void;
}

/** What a scrape reads from the cache itself. */
export interface ObservedCache {
  readonly revision: number;
  /** For how long it may be out of date; Infinity before the first list. */
  readonly disconnectedMs: number;
}

/** Counts what happens to the cache. An unknown reason of a list counts as `doubt`. */
export function observeCache(metrics: Handles<typeof cacheMetrics.metrics>): CacheObserver {
  return {
    listed: (reason) => {
      const known = LIST_REASONS.find((name) => name === reason) ?? 'doubt';
      metrics.relists.inc({ reason: known });
    },
    applied: (events) => metrics.events.inc({}, events),
    watchBroken: () => metrics.watchBreaks.inc({}),
    invalidObjects: (count) => metrics.invalidObjects.set({}, count),
    compared: (mismatches) => metrics.mismatches.inc({}, mismatches),
    historyBroken: () => metrics.historyBreaks.inc({}),
  };
}

/** Shows the cache's revision and lag at every scrape. */
export function collectCache(
  metrics: Handles<typeof cacheMetrics.metrics>,
  cache: ObservedCache,
): void {
  metrics.revision.onCollect(() => [[{}, cache.revision]]);
  metrics.watchLag.onCollect(() => [[{}, cache.disconnectedMs / 1000]]);
}

/** The observer port of the service controller. */
export interface RolloutObserver {
  /** An update or a rollback came to this state. */
  cameTo(state: UpdateState): void;
}

/** Counts what becomes of updates. */
export function observeRollouts(metrics: Handles<typeof rolloutMetrics.metrics>): RolloutObserver {
  return { cameTo: (state) => metrics.transitions.inc({ state }) };
}

/** The observer port of pkg/election. */
export interface LeadershipObserver {
  elected(): void;
  termEnded(): void;
  keepAliveFailed(): void;
}

/** Shows and counts leadership. */
export function observeLeadership(
  metrics: Handles<typeof leaderMetrics.metrics>,
): LeadershipObserver {
  return {
    elected: () => {
      metrics.leading.set({}, 1);
      metrics.transitions.inc({ to: 'leading' });
    },
    termEnded: () => {
      metrics.leading.set({}, 0);
      metrics.transitions.inc({ to: 'following' });
    },
    keepAliveFailed: () => metrics.keepAliveFailures.inc({}),
  };
}
