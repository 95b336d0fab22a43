import { Type, type Static } from 'typebox';
import { Applied } from './applied.js';
import { Condition, ObjectMeta, type StoredMeta } from './common.js';
import { Disruption, OnNodeLoss } from './disruption.js';
import { Endpoint } from './endpoint.js';
import { JobStatus } from './job.js';
import { ServiceRollout, UpdateStatus } from './rollout.js';
import { ServiceMode } from './service-mode.js';
import { TaskTemplate } from './task-template.js';
import { RollbackPolicy, UpdatePolicy } from './update-policy.js';

const closed = { additionalProperties: false } as const;

/** Desired state of a service, as users write it. */
export const ServiceSpec = Type.Object(
  {
    mode: Type.Optional(ServiceMode),
    task: TaskTemplate,
    update: Type.Optional(UpdatePolicy),
    rollback: Type.Optional(RollbackPolicy),
    disruption: Type.Optional(Disruption),
    onNodeLoss: Type.Optional(OnNodeLoss),
    endpoint: Type.Optional(Endpoint),
    revisionHistoryLimit: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1000,
        default: 10,
        description: 'Revisions kept that no task runs: those one can go back to.',
      }),
    ),
  },
  { ...closed, description: 'Desired state of the service.' },
);
export type ServiceSpec = Static<typeof ServiceSpec>;

/** What controllers found about a service. */
export const ServiceStatus = Type.Object(
  {
    observedGeneration: Type.Integer({
      minimum: 0,
      description: 'Generation of the spec this status speaks of.',
    }),
    revision: Type.Integer({ minimum: 0, description: 'Newest service revision.' }),
    desired: Type.Integer({ minimum: 0, description: 'Tasks wanted now.' }),
    running: Type.Integer({
      minimum: 0,
      description: 'Tasks observed running that are meant to run.',
    }),
    ready: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'Of the running tasks those in service, for minReady at least.',
      }),
    ),
    updated: Type.Integer({ minimum: 0, description: 'Running tasks of the newest revision.' }),
    pending: Type.Integer({ minimum: 0, description: 'Tasks without a node.' }),
    failed: Type.Integer({
      minimum: 0,
      description: 'Slots whose newest task failed and waits for its next try or gave up.',
    }),
    update: Type.Optional(UpdateStatus),
    stable: Type.Optional(
      Type.Array(Type.Integer(), {
        description: 'Revisions of which all tasks ran for longer than the monitor.',
      }),
    ),
    job: Type.Optional(JobStatus),
    conditions: Type.Array(Condition),
  },
  { description: 'What controllers found.' },
);
export type ServiceStatus = Static<typeof ServiceStatus>;

/** A service: what to run and how many of it. */
export const Service = Type.Object(
  {
    apiVersion: Type.Literal('swarm/v1'),
    kind: Type.Literal('Service'),
    metadata: ObjectMeta,
    spec: ServiceSpec,
    rollout: Type.Optional(ServiceRollout),
    status: Type.Optional(ServiceStatus),
    applied: Type.Optional(Applied),
  },
  { ...closed, description: 'What to run and how many of it.' },
);
export type Service = Static<typeof Service>;

/** A service as stored: its desired half, normalised (defaults filled in, see normalise.ts). */
export interface StoredService {
  readonly apiVersion: 'swarm/v1';
  readonly kind: 'Service';
  readonly metadata: StoredMeta;
  readonly spec: ServiceSpec;
  readonly applied?: Applied;
  readonly rollout?: ServiceRollout;
}

/** The observed half of a service. `serviceUid` tells it from that of an earlier service of the name. */
export interface StoredServiceStatus extends ServiceStatus {
  readonly serviceUid: string;
  readonly version: number;
}
