import { Type, type Static } from 'typebox';
import { ObjectMeta, Timestamp } from './common.js';

/** Something that happened to an object. Kept for an hour. */
export const Event = Type.Object(
  {
    apiVersion: Type.Literal('swarm/v1'),
    kind: Type.Literal('Event'),
    metadata: ObjectMeta,
    type: Type.Enum(['normal', 'warning']),
    reason: Type.String({ description: 'A CamelCase word, such as TaskFailed.' }),
    message: Type.String(),
    regarding: Type.Object({ kind: Type.String(), name: Type.String(), uid: Type.String() }),
    /** Lets `describe service` show what happened to its tasks. */
    service: Type.Optional(Type.String()),
    source: Type.String({ description: 'Who saw it: a controller, or agent/<node>.' }),
    count: Type.Integer({ minimum: 1, description: 'How often it happened, in a row.' }),
    firstAt: Timestamp,
    lastAt: Timestamp,
  },
  { description: 'Something that happened to an object. Kept for an hour.' },
);
export type Event = Static<typeof Event>;
