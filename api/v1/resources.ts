import { Type, type Static } from 'typebox';
import { byteSize, cpuCount } from './common.js';

const closed = { additionalProperties: false } as const;

const GenericResource = Type.Object(
  {
    kind: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$',
      expected: 'at most 63 letters, digits, "-", "_" and ".", the first a letter or digit',
      description: 'As the node advertises it, such as gpu.',
    }),
    value: Type.Integer({ minimum: 1, description: 'How many of them.' }),
  },
  closed,
);

/** What a task may use at most, and what a node must have free for it. */
export const Resources = Type.Object(
  {
    limits: Type.Optional(
      Type.Object(
        {
          cpus: Type.Optional(
            cpuCount({ description: 'At most this much CPU time. Default: unlimited.' }),
          ),
          memory: Type.Optional(byteSize({ description: 'At least 4Mi. Default: unlimited.' })),
          pids: Type.Optional(
            Type.Integer({ minimum: 0, default: 0, description: '0 means unlimited.' }),
          ),
        },
        { ...closed, description: 'What a task may use at most.' },
      ),
    ),
    reservations: Type.Optional(
      Type.Object(
        {
          cpus: Type.Optional(cpuCount({ description: 'Must be free on the node.' })),
          memory: Type.Optional(
            byteSize({ description: 'Must be free on the node. At least 4Mi.' }),
          ),
          genericResources: Type.Optional(
            Type.Array(GenericResource, {
              maxItems: 20,
              description:
                'Must be free on the node. Named ones are picked there; the container finds what it got in DOCKER_RESOURCE_<KIND>.',
            }),
          ),
        },
        { ...closed, description: 'What a node must have free for a task.' },
      ),
    ),
    memorySwap: Type.Optional(
      Type.Union([byteSize(), Type.Literal(-1)], {
        expected: 'a size such as 1g, or -1 for unlimited',
        description: 'Swap on top of the memory limit, which it needs. -1 means unlimited.',
      }),
    ),
    memorySwappiness: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 100,
        description: "How readily its memory is swapped out. Default: the kernel's.",
      }),
    ),
  },
  { ...closed, description: 'Limits and reservations of a task.' },
);
export type Resources = Static<typeof Resources>;
