import {
  replicasOf,
  type ServiceStatus,
  type StoredService,
  type StoredServiceRevision,
  type StoredServiceStatus,
} from '../../api/v1/index.js';
import type { TaskView } from '../../pkg/lifecycle/index.js';
import type { ServiceChange } from './plan-changes.js';
import { planDeletion } from './plan-deletion.js';
import { planGlobal, type GlobalNode } from './plan-global.js';
import { planReplicas, type ScalePlan } from './plan-replicated.js';
import { planRevisionTrim, planTargetRevision, policiesOf } from './plan-revisions.js';
import { slotsOf, type Slot } from './plan-slots.js';
import { planDeletingStatus, planStatus, storedPauseOf } from './plan-status.js';
import { planUpdate } from './plan-update.js';

/** Everything one decision about a service needs, read at one store revision. */
export interface ServiceSnapshot {
  readonly service: StoredService;
  /** Hash of the template in the service's spec. */
  readonly templateHash: string;
  /** Of this very service, in any order. */
  readonly revisions: readonly StoredServiceRevision[];
  /** A revision number that is free in the store, above all of `revisions`. */
  readonly freeRevision: number;
  /** Of this very service, in any order. */
  readonly tasks: readonly TaskView[];
  /** All nodes; needed for global services only. */
  readonly nodes: readonly GlobalNode[];
  /** Ids of lost nodes, at least of those that hold one of `tasks`. */
  readonly lostNodes: ReadonlySet<string>;
  /** The stored status of this very service. */
  readonly status?: StoredServiceStatus | undefined;
  /** ISO 8601, the leader's wall clock. */
  readonly now: string;
}

/** What is to be done for a service, and what to say about it. */
export interface ServicePlan {
  /** In order; each is applied whole, and they may be spread over several transactions. */
  readonly changes: readonly ServiceChange[];
  /** What the service looks like before the changes. */
  readonly status: ServiceStatus;
  /** True while an update waits for tasks: their changes should be looked at without delay. */
  readonly updating: boolean;
}

/** Brings a service closer to its spec. Pure: same snapshot, same plan. */
export function planService(snapshot: ServiceSnapshot): ServicePlan {
  const { service, tasks, revisions } = snapshot;
  const { generation, deletingAt } = service.metadata;
  if (deletingAt !== undefined) {
    const status = planDeletingStatus(
      { generation, previous: snapshot.status, now: snapshot.now },
      tasks,
    );
    return { changes: planDeletion({ tasks, revisions }), status, updating: false };
  }
  const target = planTargetRevision(snapshot);
  const slots = slotsOf(tasks, policiesOf(revisions));
  const scale = planScale(snapshot, slots, target.revision);
  const update = planUpdate({
    slots: scale.kept,
    revision: target.revision,
    specChangedAt: service.metadata.updatedAt,
    storedPause: storedPauseOf(snapshot.status, { generation, revision: target.revision }),
  });
  return {
    changes: [
      ...target.changes,
      ...scale.changes,
      ...update.changes,
      ...planRevisionTrim(revisions, tasks, target.revision),
    ],
    status: planStatus({
      generation,
      revision: target.revision,
      desired: scale.desired,
      slots: scale.counted,
      update: update.state,
      lostNodes: snapshot.lostNodes,
      previous: snapshot.status,
      now: snapshot.now,
    }),
    updating: update.state.outdated > 0,
  };
}

function planScale(
  { service, nodes }: ServiceSnapshot,
  slots: readonly Slot[],
  revision: number,
): ScalePlan & { readonly desired: number } {
  const replicas = replicasOf(service.spec);
  if (replicas !== undefined) {
    return { ...planReplicas(slots, replicas, revision), desired: replicas };
  }
  const constraints = service.spec.task.placement?.constraints ?? [];
  return planGlobal({ slots, nodes, constraints, revision });
}
