import { Type, type Static } from 'typebox';
import { ObjectMeta, Timestamp, type StoredMeta } from './common.js';
import { Endpoint } from './endpoint.js';
import { TaskTemplate } from './task-template.js';

const closed = { additionalProperties: false } as const;

/** The part of a service's spec that restarts tasks when it changes: what a revision stores. */
export const RevisionTemplate = Type.Object(
  { task: TaskTemplate, endpoint: Type.Optional(Endpoint) },
  closed,
);
export type RevisionTemplate = Static<typeof RevisionTemplate>;

/** One stored template of a service. Immutable. */
export const ServiceRevision = Type.Object(
  {
    apiVersion: Type.Literal('swarm/v1'),
    kind: Type.Literal('ServiceRevision'),
    metadata: ObjectMeta,
    service: Type.String({ description: 'Name of the service.' }),
    serviceUid: Type.String(),
    revision: Type.Integer({ minimum: 1 }),
    hash: Type.String({ description: 'Of the canonical template: equal templates, equal hashes.' }),
    template: RevisionTemplate,
    createdAt: Timestamp,
    cause: Type.Optional(
      Type.String({ description: 'Why the template became what it is, in the words of a person.' }),
    ),
    status: Type.Optional(
      Type.Object(
        {
          current: Type.Boolean({ description: 'Tasks are of it, or brought to it.' }),
          stable: Type.Boolean({ description: 'All tasks ran it for longer than the monitor.' }),
        },
        { description: 'How the service stands to it. Set by the server.' },
      ),
    ),
  },
  { ...closed, description: 'One stored task template of a service: rollout history.' },
);
export type ServiceRevision = Static<typeof ServiceRevision>;

/** A revision as stored. */
export interface StoredServiceRevision extends Omit<ServiceRevision, 'metadata' | 'status'> {
  readonly metadata: StoredMeta;
}
