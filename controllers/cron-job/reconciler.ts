import { isDeepStrictEqual } from 'node:util';
import type { StoredCronJobStatus, StoredService } from '../../api/v1/index.js';
import type { Clock } from '../../pkg/base/index.js';
import type {
  GuardedWriter,
  ReconcileContext,
  ReconcileResult,
  Reconciler,
} from '../../pkg/controller/index.js';
import type { EventRecorder } from '../../pkg/events/index.js';
import type { JobObserver } from '../../pkg/metrics/index.js';
import { atVersion, remove, type World } from '../../pkg/objects/index.js';
import { packTransactions, type Keys, type TxnPart } from '../../pkg/store/index.js';
import { deletionPart, partOf } from './apply.js';
import { recordPlan } from './cron-job-events.js';
import { planCronJob, type CronJobPlan, type CronJobSnapshot } from './plan.js';
import type { CronJobChange, NewStatus } from './plan-changes.js';
import { snapshotOf } from './snapshot.js';

/** What a {@link CronJobReconciler} is made of. */
export interface CronJobReconcilerOptions {
  readonly world: World;
  readonly keys: Keys;
  readonly writer: GuardedWriter;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly jobs?: JobObserver;
}

/** Clocks may be set: however far the next time is, it is looked after it this often. */
const LONGEST_SLEEP_MS = 60_000;

/** Starts runs when they are due: each once, whoever leads. Keys are names of cron jobs. */
export class CronJobReconciler implements Reconciler {
  constructor(private readonly options: CronJobReconcilerOptions) {}

  async reconcile(name: string, context: ReconcileContext): Promise<ReconcileResult> {
    const { world, clock } = this.options;
    const cronJob = world.cronJobs.get(name);
    if (!cronJob) {
      await this.deleteRemains(name, context);
      return {};
    }
    const now = clock.now().getTime();
    const snapshot = snapshotOf(world, cronJob, now);
    const plan = this.allowed(planCronJob(snapshot));
    await this.apply(snapshot, plan, context);
    const { lookAgainAt } = plan;
    if (lookAgainAt === undefined) return {};
    return { requeueAfterMs: Math.min(LONGEST_SLEEP_MS, Math.max(0, lookAgainAt - now)) };
  }

  /** What seems gone in a store that lost history may be there: nothing is removed for it. */
  private allowed(plan: CronJobPlan): CronJobPlan {
    if (!this.options.world.cache.historyBreak) return plan;
    return { ...plan, changes: plan.changes.filter(removesNothing) };
  }

  /** The status first: what it remembers of a run is known before the run goes. */
  private async apply(
    { cronJob, status, now }: CronJobSnapshot,
    plan: CronJobPlan,
    context: ReconcileContext,
  ): Promise<void> {
    const { keys, events, writer } = this.options;
    const changes = plan.changes.filter((change) => isNews(change, status));
    if (changes.length === 0) return;
    context.log.info({ changes: changes.length }, 'applying cron job plan');
    const applied = { keys, cronJob, status, now: new Date(now).toISOString() };
    for (const change of changes) await writer.commit(partOf(change, applied), context);
    recordPlan(events, cronJob, { ...plan, changes });
    this.observe(plan, now);
  }

  private observe({ changes, skipped }: CronJobPlan, now: number): void {
    const { jobs } = this.options;
    for (const { reason } of skipped) jobs?.skipped(reason);
    for (const change of changes) {
      if (change.kind === 'start-run') jobs?.started(Math.max(0, now - change.dueMs));
    }
  }

  /** A cron job that was deleted by hand leaves its status and its runs. */
  private async deleteRemains(name: string, context: ReconcileContext): Promise<void> {
    const { world, keys, clock, writer } = this.options;
    if (world.cronJobs.isInvalid(name) || world.cache.historyBreak) return;
    const status = world.cronJobStatuses.get(name);
    const applied = { keys, now: clock.now().toISOString() };
    const parts: TxnPart[] = world.services
      .list()
      .filter((service) => isOrphanOf(name, service))
      .map((service) => deletionPart(service, applied));
    if (status) {
      const statusKey = keys.cronJobStatus(name);
      const compare = [atVersion(statusKey, status.version)];
      parts.push({ compare, operations: [remove(statusKey)] });
    }
    const nameIsFree = atVersion(keys.cronJob(name), 0);
    const guarded = parts.map((part) => ({ ...part, compare: [nameIsFree, ...part.compare] }));
    for (const txn of packTransactions(guarded)) await writer.commit(txn, context);
  }
}

const isOrphanOf = (name: string, { metadata }: StoredService): boolean =>
  metadata.ownedBy?.kind === 'CronJob' &&
  metadata.ownedBy.name === name &&
  metadata.deletingAt === undefined;

const removesNothing = ({ kind }: CronJobChange): boolean =>
  kind !== 'delete-run' && kind !== 'delete-cron-job';

/** A status is written when it says something new. */
function isNews(change: CronJobChange, stored: StoredCronJobStatus | undefined): boolean {
  return change.kind !== 'write-status' || !stored || !isSame(stored, change.status);
}

function isSame({ version: _version, ...before }: StoredCronJobStatus, after: NewStatus): boolean {
  return isDeepStrictEqual(before, after);
}
