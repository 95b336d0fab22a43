import { Type, type Static } from 'typebox';
import { duration } from './common.js';

const closed = { additionalProperties: false } as const;

/** How a new revision replaces an old one. Only the defaults are supported yet. */
export const UpdatePolicy = Type.Object(
  {
    parallelism: Type.Optional(
      Type.Integer({ minimum: 0, default: 1, description: 'Tasks replaced at once; 0 means all.' }),
    ),
    delay: Type.Optional(duration({ default: '0s', description: 'Wait between groups of tasks.' })),
    failureAction: Type.Optional(
      Type.Enum(['pause', 'continue', 'rollback'], {
        default: 'pause',
        description: 'When new tasks fail.',
      }),
    ),
    monitor: Type.Optional(
      duration({
        default: '5s',
        description: 'A new task that fails this soon counts as failed update.',
      }),
    ),
    maxFailureRatio: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        default: 0,
        description: 'Share of new tasks that may fail.',
      }),
    ),
    order: Type.Optional(
      Type.Enum(['stop-first', 'start-first'], {
        default: 'stop-first',
        description: 'Whether the old task stops before the new one starts.',
      }),
    ),
  },
  {
    ...closed,
    description: 'How a new revision replaces an old one. Only the defaults are supported yet.',
  },
);
export type UpdatePolicy = Static<typeof UpdatePolicy>;
