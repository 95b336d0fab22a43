import { Type, type Static } from 'typebox';
import { duration } from './common.js';

const closed = { additionalProperties: false } as const;

/** What happens when a task ends. */
export const RestartPolicy = Type.Object(
  {
    condition: Type.Optional(
      Type.Enum(['none', 'on-failure', 'any'], {
        default: 'any',
        description: 'on-failure leaves a task that ended with exit code 0 alone.',
      }),
    ),
    delay: Type.Optional(
      duration({ default: '5s', description: 'Wait before the first restart.' }),
    ),
    maxAttempts: Type.Optional(
      Type.Integer({
        minimum: 0,
        default: 0,
        description: 'Restarts per slot and revision. 0 means no limit.',
      }),
    ),
    window: Type.Optional(
      duration({
        default: '0s',
        description: 'Only restarts this recent count for maxAttempts. 0 means all.',
      }),
    ),
    maxDelay: Type.Optional(
      duration({
        default: '5m',
        description:
          'A task that keeps failing soon after its start waits twice as long each time, up to this.',
      }),
    ),
    resetAfter: Type.Optional(
      duration({
        default: '1m',
        description: 'A task that ran this long starts again from `delay`.',
      }),
    ),
  },
  { ...closed, description: 'What happens when a task ends.' },
);
export type RestartPolicy = Static<typeof RestartPolicy>;
