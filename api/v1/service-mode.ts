import { Type, type Static } from 'typebox';

const closed = { additionalProperties: false } as const;

const JobMode = Type.Object(
  {
    maxConcurrent: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Tasks that run at once.' }),
    ),
    totalCompletions: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Tasks that have to end well.' }),
    ),
  },
  closed,
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
    replicatedJob: Type.Optional(
      Type.Object(JobMode.properties, { ...closed, description: 'Not supported yet.' }),
    ),
    globalJob: Type.Optional(Type.Object({}, { ...closed, description: 'Not supported yet.' })),
  },
  {
    ...closed,
    oneOfMembers: ['replicated', 'global', 'replicatedJob', 'globalJob'],
    description: 'Exactly one of replicated and global. Default: replicated with 1 replica.',
  },
);
export type ServiceMode = Static<typeof ServiceMode>;
