import { Type, type Static } from 'typebox';
import { duration } from './common.js';
import { amount } from './update-policy.js';

const closed = { additionalProperties: false } as const;

/** How tasks leave nodes that are drained, and how rebalancing moves them. */
export const Disruption = Type.Object(
  {
    order: Type.Optional(
      Type.Enum(['start-first', 'stop-first'], {
        description:
          'Whether the old task goes on until the new one is available. Default: start-first, unless the update policy says that two tasks of a slot must never meet (order: stop-first).',
      }),
    ),
    maxUnavailable: Type.Optional(
      amount(
        'Tasks that may be missing meanwhile, for whatever reason, as a number or a share (rounded down). Default: any number with stop-first; with start-first none, so that a task stays as long as there is no other place for it.',
      ),
    ),
  },
  {
    ...closed,
    description: 'How tasks leave nodes that are drained, and how rebalancing moves them.',
  },
);
export type Disruption = Static<typeof Disruption>;

/** What becomes of tasks whose node is not heard of any more. */
export const OnNodeLoss = Type.Object(
  {
    after: Type.Optional(
      duration({
        description:
          "Silence of the node after which the action is taken. Default, and not sooner than: the cluster's nodeLostAfter.",
      }),
    ),
    action: Type.Optional(
      Type.Enum(['reschedule', 'wait'], {
        default: 'reschedule',
        description:
          'reschedule: others take their place. wait: they keep it until the node is back or removed.',
      }),
    ),
  },
  { ...closed, description: 'What becomes of tasks whose node is not heard of any more.' },
);
export type OnNodeLoss = Static<typeof OnNodeLoss>;
