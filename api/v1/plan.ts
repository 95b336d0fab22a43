import { Type, type Static } from 'typebox';
import { UPDATE_STATES } from './rollout.js';

const closed = { additionalProperties: false } as const;
const text = (description: string) => Type.String({ description });
const count = (description: string) => Type.Integer({ minimum: 0, description });

/** Objects at most in one plan. */
export const MAX_PLANNED_OBJECTS = 500;

/** What to try: nothing of it is written. */
export const PlanRequest = Type.Object(
  {
    apply: Type.Optional(
      Type.Array(Type.Object({}, { description: 'An object as an apply takes it.' }), {
        maxItems: MAX_PLANNED_OBJECTS,
        description: 'Objects to create or to merge into what is there, as an apply does.',
      }),
    ),
    delete: Type.Optional(
      Type.Array(Type.Object({ kind: text('Such as Service.'), name: text('Its name.') }, closed), {
        maxItems: MAX_PLANNED_OBJECTS,
        description: 'Objects to delete.',
      }),
    ),
  },
  { ...closed, description: 'What to try; nothing of it is written.' },
);
export type PlanRequest = Static<typeof PlanRequest>;

/** What would become of one object of a plan. */
export const PlannedObject = Type.Object({
  kind: Type.String(),
  name: Type.String(),
  result: Type.Enum(['created', 'configured', 'unchanged', 'deleting', 'deleted']),
});
export type PlannedObject = Static<typeof PlannedObject>;

/** What can happen to the task of a slot. */
export const PLANNED_ACTIONS = ['create', 'place', 'update', 'move', 'stay', 'stop'] as const;
export type PlannedAction = (typeof PLANNED_ACTIONS)[number];

/** Something that would happen to the task of a slot. */
export const PlannedMove = Type.Object({
  service: Type.String(),
  task: text('Name of the slot, such as web.1.'),
  action: Type.Enum([...PLANNED_ACTIONS], {
    description:
      'create: a new task. place: one that waits finds a node. update: a new task of another revision for the old one. move: a new task because the old one has to leave its node. stay: it should leave its node, and keeps it until it finds another. stop: no task follows.',
  }),
  from: Type.Optional(text('Id of the node of the old task.')),
  to: Type.Optional(text('Id of the node of the new task. Absent: it finds none.')),
  why: Type.Optional(text('For a move: what drives it away.')),
});
export type PlannedMove = Static<typeof PlannedMove>;

/** What would happen at the same time. */
export const PlanStep = Type.Object({
  afterMs: count(
    'Waits (delays, minimum times) that lie before it; starting tasks is not counted.',
  ),
  moves: Type.Array(PlannedMove),
});
export type PlanStep = Static<typeof PlanStep>;

/** What a node says to a task. */
export const NodeAnswer = Type.Object({
  nodeId: Type.String(),
  hostname: Type.String(),
  ok: Type.Boolean(),
  filter: Type.Optional(text('The first filter that it does not pass.')),
  message: Type.String(),
});
export type NodeAnswer = Static<typeof NodeAnswer>;

/** Tasks of one service and revision that have no node, and what every node says to them. */
export const UnplacedTasks = Type.Object({
  service: Type.String(),
  revision: Type.Integer(),
  tasks: Type.Array(Type.String(), { description: 'Names of their slots; the first 100.' }),
  count: count('How many there are.'),
  message: text('Such as "0/5 nodes: 3 insufficient memory, 2 constraint".'),
  filters: Type.Array(
    Type.Object({ filter: Type.String(), nodes: Type.Integer(), message: Type.String() }),
  ),
  nodes: Type.Array(NodeAnswer, { description: 'By host name; the first 1,000.' }),
});
export type UnplacedTasks = Static<typeof UnplacedTasks>;

const counts = Type.Object({
  tasks: count('Tasks that are meant to run.'),
  placed: count('Those of them that have a node.'),
  nodes: Type.Record(Type.String(), Type.Integer(), { description: 'Tasks by id of their node.' }),
});

/** What would become of a service. */
export const PlannedService = Type.Object({
  service: Type.String(),
  before: counts,
  after: counts,
  unplacedBefore: Type.Array(UnplacedTasks),
  unplacedAfter: Type.Array(UnplacedTasks),
  update: Type.Optional(
    Type.Object(
      { state: Type.Enum([...UPDATE_STATES]), message: Type.String() },
      { description: 'How its update would stand at the end, when there is one.' },
    ),
  ),
  /** More steps than can be tried one by one are tried so many slots at a time. */
  atOnce: Type.Optional(
    count('Slots that were tried at once, because by its own policy it takes too many steps.'),
  ),
});
export type PlannedService = Static<typeof PlannedService>;

/** What an apply would do: to objects, and then to tasks, in order. */
export const PlanAnswer = Type.Object(
  {
    revision: Type.Integer({ description: 'Of the store; the plan begins from what was there.' }),
    objects: Type.Array(PlannedObject),
    services: Type.Array(PlannedService, {
      description: 'Those of the plan, and all others whose tasks it would touch.',
    }),
    steps: Type.Array(PlanStep),
    settled: Type.Boolean({
      description: 'False when the plan was not followed to its end, because it is too long.',
    }),
  },
  {
    description:
      'What would happen if every task started and ran well, and nobody else did anything. Ids of tasks are not known before.',
  },
);
export type PlanAnswer = Static<typeof PlanAnswer>;

/** Why tasks of a service have no node. */
export const PlacementAnswer = Type.Object({
  revision: Type.Integer(),
  unplaced: Type.Array(UnplacedTasks),
});
export type PlacementAnswer = Static<typeof PlacementAnswer>;
