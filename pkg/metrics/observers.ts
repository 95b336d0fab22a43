import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { IntervalHistogram } from 'node:perf_hooks';
import type { Handles } from './registry.js';
import { RECONCILE_OUTCOMES } from './subsystems.js';
import type {
  controllerMetrics,
  engineMetrics,
  etcdMetrics,
  processMetrics,
} from './subsystems.js';

/** The observer port of pkg/store and pkg/engine: told once about every call that ended. */
export interface CallObserver {
  /** `outcome` is `ok`, or a short word for why it failed (an error's code, `timeout`, ...). */
  onCall(operation: string, durationMs: number, outcome: string): void;
}

/** The observer port of pkg/controller. */
export interface ReconcileObserver {
  onReconcile(controller: string, outcome: string, durationMs: number): void;
  /** `oldestMs` is the age of the oldest waiting key, 0 for an empty queue. */
  onQueueDepth(controller: string, depth: number, oldestMs?: number): void;
}

/** Outcomes that are no errors of the peer: it worked, or we gave up ourselves. */
const GOOD_OUTCOMES = new Set(['ok', 'success', 'aborted']);

/** Counts calls to etcd. */
export function observeEtcd(metrics: Handles<typeof etcdMetrics.metrics>): CallObserver {
  return callObserver(metrics);
}

/** Counts calls to the Docker Engine. */
export function observeEngine(metrics: Handles<typeof engineMetrics.metrics>): CallObserver {
  return callObserver(metrics);
}

type CallHandles = Pick<Handles<typeof etcdMetrics.metrics>, 'callDuration' | 'errors'>;

function callObserver({ callDuration, errors }: CallHandles): CallObserver {
  return {
    onCall: (operation, durationMs, outcome) => {
      callDuration.observe({ operation }, durationMs / 1000);
      if (!GOOD_OUTCOMES.has(outcome)) errors.inc({ operation, outcome });
    },
  };
}

/**
 * Counts runs of the named controllers, whose series begin at zero. An outcome that is not one of
 * {@link RECONCILE_OUTCOMES} counts as `error`.
 */
export function observeControllers(
  metrics: Handles<typeof controllerMetrics.metrics>,
  controllers: readonly string[],
): ReconcileObserver {
  for (const controller of controllers) startAtZero(metrics, controller);
  return {
    onReconcile: (controller, outcome, durationMs) => {
      const known = RECONCILE_OUTCOMES.find((name) => name === outcome) ?? 'error';
      metrics.reconciles.inc({ controller, outcome: known });
      metrics.reconcileDuration.observe({ controller }, durationMs / 1000);
    },
    onQueueDepth: (controller, depth, oldestMs) => {
      metrics.queueDepth.set({ controller }, depth);
      if (oldestMs !== undefined) metrics.queueOldest.set({ controller }, oldestMs / 1000);
    },
  };
}

function startAtZero(metrics: Handles<typeof controllerMetrics.metrics>, controller: string): void {
  for (const outcome of RECONCILE_OUTCOMES) metrics.reconciles.inc({ controller, outcome }, 0);
  metrics.queueDepth.set({ controller }, 0);
  metrics.queueOldest.set({ controller }, 0);
}

/** How often the event loop is probed. Each probe wakes the process, so not more than needed. */
const PROBE_MS = 20;

/**
 * Measures this process until it is disposed: event-loop delay, CPU, memory, build. Dispose it on
 * shutdown: the probe of the event loop holds native memory.
 */
export function observeProcess(
  metrics: Handles<typeof processMetrics.metrics>,
  { version }: { readonly version: string },
): Disposable {
  const probe = monitorEventLoopDelay({ resolution: PROBE_MS });
  probe.enable();
  let stopped = false;
  metrics.eventLoopDelay.onCollect(() => (stopped ? [] : takeDelays(probe)));
  metrics.cpu.onCollect(cpuSeconds);
  metrics.residentMemory.onCollect(() => [[{}, process.memoryUsage.rss()]]);
  metrics.heapUsed.onCollect(() => [[{}, process.memoryUsage().heapUsed]]);
  metrics.startTime.set({}, Date.now() / 1000 - process.uptime());
  metrics.build.set({ version, node: process.version }, 1);
  return {
    [Symbol.dispose]: () => {
      stopped = true;
      probe.disable();
    },
  };
}

type DelaySample = readonly [{ readonly quantile: '0.5' | '0.99' | '1' }, number];

/** The delays since the last call; the probe's own period is part of what it records. */
function takeDelays(probe: IntervalHistogram): readonly DelaySample[] {
  if (probe.count === 0) return [];
  const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - PROBE_MS / 1000);
  const samples: readonly DelaySample[] = [
    [{ quantile: '0.5' }, seconds(probe.percentile(50))],
    [{ quantile: '0.99' }, seconds(probe.percentile(99))],
    [{ quantile: '1' }, seconds(probe.max)],
  ];
  probe.reset();
  return samples;
}

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return [
    [{ mode: 'user' }, user / 1e6],
    [{ mode: 'system' }, system / 1e6],
  ] as const;
}

/** How an image pull ended, as the metric's label. */
export type PullOutcome = 'success' | 'not-found' | 'denied' | 'unavailable' | 'error';

/** Counts image pulls. */
export function observePulls(metrics: Handles<typeof engineMetrics.metrics>) {
  return {
    onPull: (outcome: PullOutcome, durationMs: number) => {
      metrics.pulls.inc({ outcome });
      metrics.pullDuration.observe({}, durationMs / 1000);
    },
  };
}
