import { Type, type Static } from 'typebox';
import { Timestamp } from './common.js';

const closed = { additionalProperties: false } as const;

const revision = (description: string) => Type.Integer({ minimum: 1, description });

/** What people ordered about the rollout of a service. Part of the service, written by the orders only. */
export const ServiceRollout = Type.Object(
  {
    paused: Type.Optional(
      Type.Boolean({
        description: 'Nothing is replaced, and a changed template waits, until it is resumed.',
      }),
    ),
    retries: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'How often a rollout that had stopped was told to go on.',
      }),
    ),
    promoted: Type.Optional(revision('The revision whose canary was found good.')),
    aborted: Type.Optional(revision('The revision that tasks were ordered back from.')),
    undo: Type.Optional(
      revision('The revision that the present template was taken from by an undo.'),
    ),
    changedAt: Timestamp,
  },
  {
    ...closed,
    description: 'Orders about the rollout (swarmctl rollout). Set by the server.',
  },
);
export type ServiceRollout = Static<typeof ServiceRollout>;

/** What people can order about a rollout. */
export const ROLLOUT_ACTIONS = ['pause', 'resume', 'promote', 'abort', 'undo', 'restart'] as const;
export type RolloutAction = (typeof ROLLOUT_ACTIONS)[number];

/** An order about the rollout of a service. */
export const RolloutOrder = Type.Object(
  {
    action: Type.Enum([...ROLLOUT_ACTIONS], {
      description:
        'pause: replace nothing more. resume: go on, also after a failure or a rollback. promote: the canary is well. abort: back to where the tasks came from. undo: the template of an earlier revision. restart: new tasks of the same template.',
    }),
    toRevision: Type.Optional(
      revision('For undo: which one. Default: the last one with another template.'),
    ),
    version: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Only when the service is at this version.' }),
    ),
  },
  { ...closed, description: 'An order about the rollout of a service.' },
);
export type RolloutOrder = Static<typeof RolloutOrder>;

/** What an update of a service can be doing, in Docker's words. */
export const UPDATE_STATES = [
  'updating',
  'paused',
  'completed',
  'rollback_started',
  'rollback_paused',
  'rollback_completed',
] as const;
export type UpdateState = (typeof UPDATE_STATES)[number];

/** Why an update stands still. */
export const PAUSE_REASONS = [
  'Ordered',
  'AwaitingPromotion',
  'TasksFailed',
  'ProgressDeadlineExceeded',
] as const;
export type PauseReason = (typeof PAUSE_REASONS)[number];

/** How far the latest update or rollback of a service is, and everything needed to go on with it. */
export const UpdateStatus = Type.Object(
  {
    state: Type.Enum([...UPDATE_STATES]),
    attempt: Type.Integer({
      minimum: 1,
      description: 'Counts the updates and rollbacks of this service.',
    }),
    from: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'The revision to go back to; in a rollback the one that is left.',
      }),
    ),
    to: Type.Integer({ minimum: 1, description: 'The revision that tasks are brought to.' }),
    wanted: Type.Integer({
      minimum: 1,
      description:
        "The revision of the spec's template; in an automatic rollback not the same as to.",
    }),
    alike: Type.Optional(
      Type.Array(Type.Integer(), {
        description: 'Other revisions that run the same as `to`: their tasks may stay.',
      }),
    ),
    retries: Type.Integer({
      minimum: 0,
      description: 'The orders to go on that it has obeyed.',
    }),
    tasks: Type.Integer({ minimum: 0, description: 'Tasks that it had to replace.' }),
    failed: Type.Array(Type.String(), {
      description: 'Slots (or nodes of a global service) whose new task failed.',
    }),
    startedAt: Timestamp,
    completedAt: Type.Optional(Timestamp),
    reason: Type.Optional(
      Type.Enum([...PAUSE_REASONS], { description: 'Why it stands still, when it does.' }),
    ),
    cause: Type.Optional(Type.String({ description: 'Why it rolls back, when it does.' })),
    message: Type.String({ description: 'A sentence for people.' }),
  },
  { description: 'The latest update or rollback. Absent before the first one.' },
);
export type UpdateStatus = Static<typeof UpdateStatus>;
