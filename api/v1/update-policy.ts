import { Type, type Static } from 'typebox';
import { duration } from './common.js';

const closed = { additionalProperties: false } as const;

/** Schema of a number of tasks, or a share of those that are wanted: `2`, `25%`. */
export const amount = (description: string, standard?: number) =>
  Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: '^(100|[0-9]{1,2})%$' })], {
    expected: 'a whole number of at least 0 or a share such as 25%',
    description,
    ...(standard !== undefined && { default: standard }),
  });
/** A number of tasks, or a share of them. */
export type Amount = number | string;

/** What an update and a rollback have in common. */
const common = {
  parallelism: Type.Optional(
    amount('Tasks replaced at once, as a number or a share (rounded up); 0 means all.', 1),
  ),
  delay: Type.Optional(
    duration({ default: '0s', description: 'Wait after a task before the next one.' }),
  ),
  monitor: Type.Optional(
    duration({
      default: '5s',
      description: 'A new task that ends this soon after it ran counts as failed.',
    }),
  ),
  maxFailureRatio: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0,
      description: 'Share of the tasks to replace of which the new ones may fail.',
    }),
  ),
  order: Type.Optional(
    Type.Enum(['stop-first', 'start-first'], {
      default: 'stop-first',
      description: 'Whether the old task stops before the new one starts, or when it runs.',
    }),
  ),
  progressDeadline: Type.Optional(
    duration({
      default: '10m',
      description: 'Without progress for this long it counts as failed. 0 means never.',
    }),
  ),
  maxSurge: Type.Optional(
    amount(
      'In place of parallelism and order: tasks above the wanted number, as a number or a share (rounded up). Default 0.',
    ),
  ),
  maxUnavailable: Type.Optional(
    amount(
      'In place of parallelism and order: tasks below the wanted number, for whatever reason, as a number or a share (rounded down). Default 0.',
    ),
  ),
} as const;

/** How a new revision replaces an old one. */
export const UpdatePolicy = Type.Object(
  {
    ...common,
    failureAction: Type.Optional(
      Type.Enum(['pause', 'continue', 'rollback'], {
        default: 'pause',
        description: 'When more new tasks fail than maxFailureRatio allows.',
      }),
    ),
    canary: Type.Optional(
      amount(
        'Tasks that are replaced first, as a number or a share (rounded up); the others follow when the rollout is promoted.',
      ),
    ),
  },
  { ...closed, description: 'How a new revision replaces an old one.' },
);
export type UpdatePolicy = Static<typeof UpdatePolicy>;

/** How tasks are brought back to an earlier revision. */
export const RollbackPolicy = Type.Object(
  {
    ...common,
    failureAction: Type.Optional(
      Type.Enum(['pause', 'continue'], {
        default: 'pause',
        description: 'When more tasks fail than maxFailureRatio allows.',
      }),
    ),
  },
  { ...closed, description: 'How tasks are brought back to an earlier revision.' },
);
export type RollbackPolicy = Static<typeof RollbackPolicy>;
