import { Type, type Static } from 'typebox';
import { duration } from './common.js';

const closed = { additionalProperties: false } as const;

const LIMITS = { maximum: 100_000 } as const;

const deadline = (of: string) =>
  Type.Optional(
    duration({
      default: '0s',
      description: `${of}: what has not ended by then fails. 0 means no limit.`,
    }),
  );
const ttlAfterFinished = Type.Optional(
  duration({
    description:
      'The service is deleted this long after its run has finished, well or not. Default: it stays.',
  }),
);

/** A number of tasks that have to end well. */
export const ReplicatedJob = Type.Object(
  {
    totalCompletions: Type.Optional(
      Type.Integer({
        minimum: 1,
        ...LIMITS,
        description:
          'Tasks that have to end well, numbered from 1. Default: maxConcurrent, else 1.',
      }),
    ),
    maxConcurrent: Type.Optional(
      Type.Integer({
        minimum: 1,
        ...LIMITS,
        description: 'Tasks that run at once. Default: totalCompletions.',
      }),
    ),
    backoffLimit: Type.Optional(
      Type.Integer({
        minimum: 0,
        ...LIMITS,
        default: 6,
        description:
          'Failures of the whole run that are followed by another try; one more fails it.',
      }),
    ),
    deadline: deadline('Time for the whole run'),
    ttlAfterFinished,
  },
  { ...closed, description: 'A number of tasks that have to end well, some of them at once.' },
);

/** One task that has to end well on every eligible node. */
export const GlobalJob = Type.Object(
  {
    backoffLimit: Type.Optional(
      Type.Integer({
        minimum: 0,
        ...LIMITS,
        default: 6,
        description:
          'Failures on each node that are followed by another try; one more gives it up.',
      }),
    ),
    deadline: deadline('Time on each node'),
    ttlAfterFinished,
  },
  {
    ...closed,
    description: 'One task that has to end well on every eligible node, new ones included.',
  },
);

/** How many tasks there are; exactly one member is set. It cannot be changed later. */
export const ServiceMode = Type.Object(
  {
    replicated: Type.Optional(
      Type.Object(
        {
          replicas: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 100_000,
              default: 1,
              description: 'Tasks wanted.',
            }),
          ),
        },
        { ...closed, description: 'A number of equal tasks.' },
      ),
    ),
    global: Type.Optional(
      Type.Object({}, { ...closed, description: 'One task on every eligible node.' }),
    ),
    replicatedJob: Type.Optional(ReplicatedJob),
    globalJob: Type.Optional(GlobalJob),
  },
  {
    ...closed,
    oneOfMembers: ['replicated', 'global', 'replicatedJob', 'globalJob'],
    description:
      'Exactly one of replicated, global, replicatedJob and globalJob. Default: replicated with 1 replica.',
  },
);
export type ServiceMode = Static<typeof ServiceMode>;
