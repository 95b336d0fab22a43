/**
 * The task controllers: placement, the life of the tasks of a slot (restart, start, removal, history), and
 * enforcement of what tasks ask of their nodes. Three queues, because their keys are of three kinds.
 */
import { isTerminal } from '../../api/v1/index.js';
import { defineController, mapsTo, owns, type WorldReader } from '../../pkg/controller/index.js';
import { SINGLETON_KEY } from '../../pkg/informer/index.js';
import {
  cluster,
  nodeHealths,
  nodeStatuses,
  nodes,
  services,
  slotKey,
  taskStatuses,
  tasks,
} from '../../pkg/objects/index.js';
import { EnforcementReconciler } from './enforcement-reconciler.js';
import { PlacementReconciler } from './placement-reconciler.js';
import { SlotReconciler, strayKey } from './slot-reconciler.js';

export { EnforcementReconciler } from './enforcement-reconciler.js';
export { PlacementReconciler } from './placement-reconciler.js';
export { SlotReconciler, type TaskReconcilerOptions } from './slot-reconciler.js';

/** All tasks are placed together. The cluster's one key stands for that batch. */
const everything = (): readonly string[] => [SINGLETON_KEY];

/** Declares placement: woken by every task that waits and by everything that makes room. */
export const placementController = defineController({
  name: 'task-placement',
  for: cluster,
  watches: [
    mapsTo(tasks, everything, {
      when: (before, after) =>
        (after !== undefined && after.spec.nodeId === undefined) ||
        after === undefined ||
        before?.spec.desiredState !== after.spec.desiredState,
    }),
    mapsTo(taskStatuses, everything, {
      when: (_before, after) => after === undefined || isTerminal(after.state),
    }),
    mapsTo(nodes, everything),
    mapsTo(nodeStatuses, everything),
    mapsTo(nodeHealths, everything),
  ],
  reconciler: PlacementReconciler,
  concurrency: 1,
});

const slotsOnNode = (world: WorldReader, nodeId: string): readonly string[] =>
  world
    .collection(tasks)
    .byIndex('node', nodeId)
    .map(({ spec }) => slotKey(spec));

/** Somewhere to go has come up for them. */
const slotsOnLostNodes = (world: WorldReader): readonly string[] =>
  world
    .collection(nodeHealths)
    .list()
    .filter(({ state }) => state === 'lost')
    .flatMap(({ nodeId }) => slotsOnNode(world, nodeId));

const allSlots = (world: WorldReader): readonly string[] =>
  world
    .collection(tasks)
    .list()
    .map(({ spec }) => slotKey(spec));

/** Declares the life of slots. Keys are those of `slotKey` and `strayKey`; the cluster's own stands for none. */
export const slotController = defineController({
  name: 'task-slot',
  for: cluster,
  watches: [
    owns(tasks, ({ spec }) => slotKey(spec), {
      // That a task found its node, or why it has none yet, decides nothing about its slot.
      when: (before, after) => before?.spec.desiredState !== after?.spec.desiredState,
    }),
    mapsTo(
      taskStatuses,
      (_status, id, world) => {
        const task = world.collection(tasks).get(id);
        return [task ? slotKey(task.spec) : strayKey(id)];
      },
      // A slot changes when one of its tasks has ended.
      {
        when: (before, after) =>
          before?.state !== after?.state &&
          (before === undefined || after === undefined || isTerminal(after.state)),
      },
    ),
    mapsTo(nodes, (_node, id, world) => slotsOnNode(world, id)),
    mapsTo(nodeHealths, (_health, id, world) => slotsOnNode(world, id), {
      when: (before, after) => before?.state !== after?.state,
    }),
    mapsTo(nodeHealths, (_health, _id, world) => slotsOnLostNodes(world), {
      when: (before, after) => before?.state !== 'ready' && after?.state === 'ready',
    }),
    mapsTo(nodes, (_node, _id, world) => slotsOnLostNodes(world), {
      when: (before, after) =>
        before?.spec.availability !== 'active' && after?.spec.availability === 'active',
    }),
    mapsTo(
      services,
      ({ metadata }, _name, world) =>
        world
          .collection(tasks)
          .byIndex('service', metadata.uid)
          .map(({ spec }) => slotKey(spec)),
      {
        when: (before, after) => before?.metadata.uid !== after?.metadata.uid,
      },
    ),
    mapsTo(cluster, (_cluster, _key, world) => allSlots(world), {
      when: (before, after) => before?.spec.taskHistoryLimit !== after?.spec.taskHistoryLimit,
    }),
  ],
  reconciler: SlotReconciler,
  /** Slots are decided about together, so that their writes can share transactions. */
  concurrency: 100,
});

/** Declares enforcement. Keys are nodes' ids. */
export const enforcementController = defineController({
  name: 'task-enforcement',
  for: nodes,
  watches: [owns(nodeStatuses, ({ nodeId }) => nodeId)],
  reconciler: EnforcementReconciler,
  concurrency: 4,
});
