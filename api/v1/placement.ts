import { Type, type Static } from 'typebox';

const closed = { additionalProperties: false } as const;

/** Which nodes may run tasks, and how tasks spread over them. */
export const Placement = Type.Object(
  {
    constraints: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 1_024 }), {
        description:
          'All must hold, such as node.labels.disk == ssd, node.hostname in (a, b), node.labels.gpu exists, engine.version >= 24 or node.hostname =~ ^web-. Operators: == != in notin exists !exists < <= > >= =~ !~.',
      }),
    ),
    preferences: Type.Optional(
      Type.Array(
        Type.Object(
          {
            spread: Type.String({
              pattern: '^(node|engine)\\.labels\\..+$',
              expected: 'node.labels.NAME or engine.labels.NAME',
              description: 'The label.',
            }),
          },
          closed,
        ),
        { description: 'Spread evenly over the values of a label; several nest.' },
      ),
    ),
    maxReplicasPerNode: Type.Optional(
      Type.Integer({
        minimum: 0,
        default: 0,
        description: 'Replicated services only. 0 means no limit.',
      }),
    ),
  },
  { ...closed, description: 'Which nodes may run tasks.' },
);
export type Placement = Static<typeof Placement>;
