import { Type, type Static } from 'typebox';

/** Annotation that says why the template became what it is; shown by the history of rollouts. */
export const CHANGE_CAUSE = 'swarm/change-cause';

/**
 * What the last apply said and nobody has changed since: the fields that belong to the document. A field that
 * leaves the document leaves the object only when it is still here.
 */
export const Applied = Type.Object(
  {
    labels: Type.Optional(Type.Record(Type.String(), Type.String())),
    annotations: Type.Optional(Type.Record(Type.String(), Type.String())),
    spec: Type.Optional(Type.Object({}, { additionalProperties: true })),
  },
  {
    additionalProperties: false,
    description:
      'Fields that came from the last apply and were not changed by others since. Kept by the server; shown only when asked for.',
  },
);
export type Applied = Static<typeof Applied>;
