import { describe, expect, it } from 'vitest';
import { createManagerMetrics, observeJobs } from './index.js';

describe('observeJobs', () => {
  it('counts ends of runs, and what became of the times of cron jobs', async () => {
    const metrics = createManagerMetrics();
    const observer = observeJobs(metrics.of.job);
    observer.finished('failed');
    observer.started(300);
    observer.skipped('ConcurrencyForbidden');
    const lines = (await metrics.text()).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'swarm_job_runs_finished_total{outcome="failed"} 1',
        'swarm_job_runs_finished_total{outcome="complete"} 0',
        'swarm_job_cron_ticks_total{outcome="started"} 1',
        'swarm_job_cron_ticks_total{outcome="ConcurrencyForbidden"} 1',
        'swarm_job_cron_start_delay_seconds_bucket{le="1"} 1',
      ]),
    );
  });
});
