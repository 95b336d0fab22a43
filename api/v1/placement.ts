import { Type, type Static } from 'typebox';

const closed = { additionalProperties: false } as const;

const ATTRIBUTE = 'an attribute such as node.id, node.labels.NAME or engine.labels.NAME';

function attributeKey(description: string, more: { readonly default?: string } = {}) {
  return Type.String({ minLength: 1, maxLength: 256, expected: ATTRIBUTE, description, ...more });
}

function weight(description: string, more: { readonly default?: number } = {}) {
  return Type.Integer({ minimum: 1, maximum: 100, description, ...more });
}

function constraint(description: string) {
  return Type.String({ minLength: 1, maxLength: 1_024, description });
}

/** How nodes that pass every filter are ranked. */
export const STRATEGIES = ['spread', 'binpack', 'random'] as const;
export type PlacementStrategy = (typeof STRATEGIES)[number];

/** Whether tasks of a higher priority may send others away from their nodes. */
export const PREEMPTIONS = ['off', 'on'] as const;
export type Preemption = (typeof PREEMPTIONS)[number];

/** Another service (or the same) whose tasks should be near, or far. */
function neighbours(description: string) {
  return Type.Array(
    Type.Object(
      {
        service: Type.String({
          minLength: 1,
          maxLength: 63,
          description: 'Name of a service; it may be this one.',
        }),
        topology: Type.Optional(
          attributeKey('What has the same value of it is near. Default: the same node.', {
            default: 'node.id',
          }),
        ),
        weight: Type.Optional(
          weight('1 to 100: preferred, as much as that against other wishes. Default: required.'),
        ),
      },
      closed,
    ),
    { maxItems: 10, description },
  );
}

/** Which nodes may run tasks, and how tasks spread over them. */
export const Placement = Type.Object(
  {
    constraints: Type.Optional(
      Type.Array(constraint('Such as node.labels.disk == ssd.'), {
        maxItems: 50,
        description:
          'All must hold, such as node.labels.disk == ssd, node.hostname in (a, b), node.labels.gpu exists, engine.version >= 24 or node.hostname =~ ^web-. Operators: == != in notin exists !exists < <= > >= =~ !~.',
      }),
    ),
    preferences: Type.Optional(
      Type.Array(Type.Object({ spread: attributeKey('Such as node.labels.zone.') }, closed), {
        maxItems: 10,
        description: 'Spread evenly over the values of an attribute; several nest.',
      }),
    ),
    soft: Type.Optional(
      Type.Array(
        Type.Object(
          {
            constraint: constraint('Such as node.labels.disk == ssd.'),
            weight: Type.Optional(weight('How much it matters beside others.', { default: 1 })),
          },
          closed,
        ),
        {
          maxItems: 20,
          description:
            'Constraints that should hold: nodes that keep more of them, by weight, come first. Replicated services only.',
        },
      ),
    ),
    strategy: Type.Optional(
      Type.Enum([...STRATEGIES], {
        description:
          "How nodes that pass are ranked. spread: the emptiest first. binpack: the fullest first. random: by lot. Default: the cluster's. Replicated services only.",
      }),
    ),
    maxReplicasPerNode: Type.Optional(
      Type.Integer({
        minimum: 0,
        default: 0,
        description: 'Replicated services only. 0 means no limit.',
      }),
    ),
    maxPer: Type.Optional(
      Type.Array(
        Type.Object(
          {
            key: attributeKey('Such as node.labels.rack.'),
            max: Type.Integer({ minimum: 1, description: 'Tasks on all nodes of one value.' }),
          },
          closed,
        ),
        {
          maxItems: 10,
          description:
            'At most so many tasks for each value of an attribute. Replicated services only.',
        },
      ),
    ),
    affinity: Type.Optional(
      neighbours('Services whose tasks must, or should, be near. Replicated services only.'),
    ),
    antiAffinity: Type.Optional(
      neighbours(
        'Services whose tasks must, or should, not be near; a required one binds both. Replicated services only.',
      ),
    ),
  },
  { ...closed, description: 'Which nodes may run tasks.' },
);
export type Placement = Static<typeof Placement>;
