import {
  effectiveDisruption,
  effectiveUpdatePolicy,
  replicasOf,
  type ServiceStatus,
  type StoredService,
  type StoredServiceRevision,
  type StoredServiceStatus,
} from '../../api/v1/index.js';
import type { TaskView } from '../../pkg/lifecycle/index.js';
import type { SchedulingNode } from '../../pkg/scheduler/index.js';
import type { ServiceChange } from './plan-changes.js';
import { planDepartures } from './plan-departures.js';
import type { Departure } from './plan-moves.js';
import { planDeletion } from './plan-deletion.js';
import { planGlobal, type GlobalNode } from './plan-global.js';
import { planReplicas, type EmptyPlace, type ScalePlan } from './plan-replicated.js';
import {
  availabilityOf,
  planRevisionTrim,
  planWantedRevision,
  policiesOf,
  type WantedRevision,
} from './plan-revisions.js';
import { slotsOf, type Policies, type Slot } from './plan-slots.js';
import { planStable, type StablePlan } from './plan-stable.js';
import { planDeletingStatus, planStatus } from './plan-status.js';
import { planUpdate, type UpdatePlan } from './plan-update.js';

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
  /** By id; at least those of tasks whose revision differs from the spec in nothing but its placement. */
  readonly placedNodes: ReadonlyMap<string, SchedulingNode>;
  /** Ids of lost nodes, at least of those that hold one of `tasks`. */
  readonly lostNodes: ReadonlySet<string>;
  /** Nodes whose tasks leave them, by id; at least those that hold one of `tasks`. */
  readonly departures: ReadonlyMap<string, Departure>;
  /** The stored status of this very service. */
  readonly status?: StoredServiceStatus | undefined;
  /** Since when this leader leads (milliseconds since 1970): before that perhaps nobody did anything. */
  readonly leadingSince: number;
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
  /** When time alone may bring new changes (milliseconds since 1970). */
  readonly lookAgainAt?: number | undefined;
}

/** Brings a service closer to its spec. Pure: same snapshot, same plan. */
export function planService(snapshot: ServiceSnapshot): ServicePlan {
  const { service, tasks, revisions } = snapshot;
  if (service.metadata.deletingAt !== undefined) return planDeleting(snapshot);
  const wanted = planWantedRevision(snapshot);
  const policies = policiesOf(revisions);
  const availableAt = availabilityOf(revisions);
  const scale = planScale(snapshot, slotsOf(tasks, policies));
  const update = planUpdateOf(snapshot, { wanted, scale, policies, availableAt });
  const departures = planDepartures({
    ...update,
    desired: reachable(scale),
    disruption: effectiveDisruption(service.spec),
    policies,
  });
  const stable = planStableOf(snapshot, scale, update);
  const { status, lookAgainAt } = planStatus({
    generation: service.metadata.generation,
    revision: wanted.revision,
    desired: scale.desired,
    slots: scale.counted,
    isCurrent: update.isCurrent,
    attempt: update.attempt,
    outdated: update.moves.filter(({ current }) => current === undefined).length,
    isHeld: wanted.isHeld,
    leaving: departures.leaving,
    stable: stable.stable,
    lostNodes: snapshot.lostNodes,
    availableAt,
    previous: snapshot.status,
    now: snapshot.now,
  });
  return {
    changes: [
      ...wanted.changes,
      ...scale.empty.map((place) => fill(place, update)),
      ...scale.changes,
      ...update.changes,
      ...departures.changes,
      ...planRevisionTrim({
        service,
        revisions,
        tasks,
        wanted: wanted.revision,
        update: update.attempt,
        stable: stable.stable,
      }),
    ],
    status,
    updating: update.isUnderway || departures.isUnderway,
    lookAgainAt: [update.lookAgainAt, departures.lookAgainAt, stable.lookAgainAt].reduce(
      earlier,
      lookAgainAt,
    ),
  };
}

function planDeleting({ service, tasks, revisions, status, now }: ServiceSnapshot): ServicePlan {
  const { generation } = service.metadata;
  return {
    changes: planDeletion({ tasks, revisions }),
    status: planDeletingStatus({ generation, previous: status, now }, tasks),
    updating: false,
  };
}

type Scale = ScalePlan & { readonly desired: number };

function planScale({ service, nodes, departures }: ServiceSnapshot, slots: readonly Slot[]): Scale {
  const replicas = replicasOf(service.spec);
  if (replicas !== undefined) {
    const plan = planReplicas(slots, replicas, (id) => departures.has(id));
    return { ...plan, desired: replicas };
  }
  const constraints = service.spec.task.placement?.constraints ?? [];
  return planGlobal({ slots, nodes, constraints });
}

interface UpdateParts {
  readonly wanted: WantedRevision;
  readonly scale: Scale;
  readonly policies: Policies;
  readonly availableAt: (view: TaskView) => number | undefined;
}

function planUpdateOf(snapshot: ServiceSnapshot, parts: UpdateParts) {
  const { wanted, scale, policies, availableAt } = parts;
  const { service, revisions, placedNodes, status, leadingSince, now } = snapshot;
  return planUpdate({
    slots: scale.kept,
    desired: reachable(scale),
    wanted,
    revisions,
    nodes: placedNodes,
    policies,
    update: effectiveUpdatePolicy(service.spec.update),
    rollback: effectiveUpdatePolicy(service.spec.rollback),
    rollout: service.rollout,
    previous: status?.update,
    stable: status?.stable ?? [],
    lostNodes: snapshot.lostNodes,
    departures: snapshot.departures,
    availableAt,
    leadingSince,
    now,
  });
}

function planStableOf(
  { service, revisions, status }: ServiceSnapshot,
  scale: Scale,
  { moves, goal, reading }: UpdatePlan,
): StablePlan {
  return planStable({
    moves,
    desired: reachable(scale),
    goal,
    monitorMs: effectiveUpdatePolicy(service.spec.update).monitorMs,
    known: status?.stable ?? [],
    revisions,
    reading,
  });
}

/** Without the tasks of a global service that nobody can do anything about. */
const reachable = ({ kept, empty }: Scale): number => kept.length + empty.length;

function fill(place: EmptyPlace, { creation, attempt }: UpdatePlan): ServiceChange {
  const task = { ...place, revision: creation, attempt: attempt?.attempt };
  return { kind: 'create-task', task };
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}
