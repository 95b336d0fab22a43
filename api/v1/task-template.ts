import { Type, type Static } from 'typebox';
import { duration } from './common.js';
import { ContainerSpec } from './container.js';
import { LogDriver } from './log-driver.js';
import { Placement } from './placement.js';
import { Resources } from './resources.js';
import { RestartPolicy } from './restart-policy.js';

const closed = { additionalProperties: false } as const;

/** Template of a service's tasks. A change of it makes a new revision and restarts tasks. */
export const TaskTemplate = Type.Object(
  {
    container: ContainerSpec,
    resources: Type.Optional(Resources),
    restartPolicy: Type.Optional(RestartPolicy),
    placement: Type.Optional(Placement),
    priority: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1_000,
        default: 0,
        description: 'Tasks of a higher one get their nodes first. A change restarts nothing.',
      }),
    ),
    preemption: Type.Optional(
      Type.Enum(['never', 'lower'], {
        default: 'lower',
        description:
          'Where the cluster allows it: whether tasks that find no node send tasks of a lower priority away. A change restarts nothing.',
      }),
    ),
    logDriver: Type.Optional(LogDriver),
    networks: Type.Optional(Type.Array(Type.Unknown(), { description: 'Not supported yet.' })),
    minReady: Type.Optional(
      duration({
        default: '0s',
        description:
          'A task counts as available when it has been in service for so long; updates wait for that.',
      }),
    ),
    forceUpdate: Type.Optional(
      Type.Integer({
        minimum: 0,
        default: 0,
        description: 'Counts forced redeployments; a change restarts tasks.',
      }),
    ),
  },
  { ...closed, description: 'Template of the tasks. A change of it restarts tasks.' },
);
export type TaskTemplate = Static<typeof TaskTemplate>;
