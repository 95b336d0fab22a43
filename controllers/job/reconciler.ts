import { isDeepStrictEqual } from 'node:util';
import {
  isJob,
  type ServiceStatus,
  type StoredService,
  type StoredServiceStatus,
} from '../../api/v1/index.js';
import { Pacer, type Clock } from '../../pkg/base/index.js';
import type {
  GuardedWriter,
  ReconcileContext,
  ReconcileResult,
  Reconciler,
} from '../../pkg/controller/index.js';
import type { EventRecorder } from '../../pkg/events/index.js';
import type { JobObserver } from '../../pkg/metrics/index.js';
import { atVersion, puts, type World } from '../../pkg/objects/index.js';
import { packTransactions, type Keys, type TxnPart } from '../../pkg/store/index.js';
import { partOf } from './apply.js';
import { recordChanges, recordTransition } from './job-events.js';
import { planJob, type JobPlan, type JobSnapshot } from './plan.js';
import type { JobChange } from './plan-changes.js';
import { snapshotOf } from './snapshot.js';

/** What a {@link JobReconciler} is made of. */
export interface JobReconcilerOptions {
  readonly world: World;
  readonly keys: Keys;
  readonly writer: GuardedWriter;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly jobs?: JobObserver;
}

/** Each completion is looked at at once, unless there are so many of them that looking is expensive. */
const PACE = { minIntervalMs: 0, costFactor: 3, maxIntervalMs: 1_000 };
/** Transactions under way at once: the store works while the next ones travel. */
const PARALLEL_COMMITS = 4;
/** A store that lost history is looked at by a person; nothing is deleted meanwhile. */
const HISTORY_CHECK_MS = 30_000;

/** When a job was last looked at; only a matter of pace. */
interface Pace {
  readonly version: number;
  readonly pacer: Pacer;
}

/** Brings jobs to the end of their run. Services of other modes are the service controller's. */
export class JobReconciler implements Reconciler {
  private readonly paces = new Map<string, Pace>();

  constructor(private readonly options: JobReconcilerOptions) {}

  async reconcile(name: string, context: ReconcileContext): Promise<ReconcileResult> {
    const { world, clock } = this.options;
    const service = world.services.get(name);
    if (!service || !isJob(service.spec)) {
      this.paces.delete(name);
      return {}; // what a deleted service left behind is the service controller's
    }
    const pacer = this.pacerOf(service);
    const waitMs = pacer.waitMs(clock.monotonicMs());
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    if (service.metadata.deletingAt !== undefined && world.cache.historyBreak) {
      return { requeueAfterMs: HISTORY_CHECK_MS };
    }
    const startedMs = clock.monotonicMs();
    const now = clock.now();
    const snapshot = snapshotOf(world, service, now.toISOString());
    const plan = this.allowed(planJob(snapshot));
    pacer.ran(startedMs, clock.monotonicMs());
    await this.apply(snapshot, plan, context);
    const { lookAgainAt } = plan;
    return lookAgainAt === undefined
      ? {}
      : { requeueAfterMs: Math.max(0, lookAgainAt - now.getTime()) };
  }

  /** What seems gone in a store that lost history may be there: nothing is removed for it. */
  private allowed(plan: JobPlan): JobPlan {
    if (!this.options.world.cache.historyBreak) return plan;
    return { ...plan, changes: plan.changes.filter(removesNothing) };
  }

  /** A changed spec never waits. */
  private pacerOf({ metadata: { name, version } }: StoredService): Pacer {
    const known = this.paces.get(name);
    if (known?.version === version) return known.pacer;
    const pacer = new Pacer(PACE);
    this.paces.set(name, { version, pacer });
    return pacer;
  }

  private async apply(
    snapshot: JobSnapshot,
    plan: JobPlan,
    context: ReconcileContext,
  ): Promise<void> {
    const { service, now } = snapshot;
    const { keys, events } = this.options;
    if (plan.changes.length > 0) {
      context.log.info({ changes: plan.changes.length }, 'applying job plan');
      const parts = plan.changes.map((change) => partOf(change, { keys, service, now }));
      await this.commitAll(parts, context);
      recordChanges(events, service, plan);
      // The service is another one now: it is looked at again, with its own version.
      if (plan.changes.some(changesService)) return;
    }
    await this.writeStatus(snapshot, plan.status, context);
  }

  /**
   * Several transactions when one does not hold everything. The first, which may bring the revision that
   * the others build on, goes alone; a service that goes is the last of all, so nothing overtakes there.
   */
  private async commitAll(parts: readonly TxnPart[], context: ReconcileContext): Promise<void> {
    const [first, ...rest] = packTransactions(parts);
    if (!first) return;
    await this.options.writer.commit(first, context);
    const atOnce = rest.some(deletesSomething) ? 1 : PARALLEL_COMMITS;
    for (let start = 0; start < rest.length; start += atOnce) {
      const commits = rest
        .slice(start, start + atOnce)
        .map((txn) => this.options.writer.commit(txn, context));
      // All of them have ended before the key may run again, whichever failed.
      await Promise.allSettled(commits);
      await Promise.all(commits);
    }
  }

  /** Written when it says something new. */
  private async writeStatus(
    { service, status: before }: JobSnapshot,
    after: ServiceStatus,
    context: ReconcileContext,
  ): Promise<void> {
    if (before && isSame(before, after)) return;
    const { keys, writer, events } = this.options;
    const { name, uid, version } = service.metadata;
    await writer.commit(
      {
        compare: [atVersion(keys.service(name), version)],
        operations: [puts.serviceStatus(keys, name, { ...after, serviceUid: uid })],
      },
      context,
    );
    const ended = recordTransition(events, service, before, after);
    if (ended) this.options.jobs?.finished(ended);
  }
}

const changesService = ({ kind }: JobChange): boolean =>
  kind === 'delete-service' || kind === 'expire-service';

const deletesSomething = ({ operations }: TxnPart): boolean =>
  operations.some(({ kind }) => kind === 'delete');

function removesNothing(change: JobChange): boolean {
  if (change.kind === 'delete-revision' || changesService(change)) return false;
  return change.kind !== 'set-desired-state' || change.desiredState !== 'remove';
}

function isSame(
  { version: _version, serviceUid: _uid, ...before }: StoredServiceStatus,
  after: ServiceStatus,
): boolean {
  return isDeepStrictEqual(before, after);
}
