import type { SkipReason } from '../../api/v1/index.js';
import type { Handles } from './registry.js';
import type { jobMetrics } from './subsystems.js';

/** The observer port of the controllers of jobs and cron jobs. */
export interface JobObserver {
  /** The run of a job has ended. */
  finished(outcome: 'complete' | 'failed'): void;
  /** A run of a cron job was started so long after it was due. */
  started(delayMs: number): void;
  /** A time of a cron job was due and started nothing. */
  skipped(reason: SkipReason): void;
}

/** Counts runs of jobs and times of cron jobs. */
export function observeJobs(metrics: Handles<typeof jobMetrics.metrics>): JobObserver {
  return {
    finished: (outcome) => metrics.runsFinished.inc({ outcome }),
    started: (delayMs) => {
      metrics.cronTicks.inc({ outcome: 'started' });
      metrics.cronDelay.observe({}, delayMs / 1000);
    },
    skipped: (reason) => metrics.cronTicks.inc({ outcome: reason }),
  };
}
