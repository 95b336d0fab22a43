import { ClusterState } from './cluster-state.js';
import { DomainTable } from './domains.js';
import { explain } from './explain.js';
import type { Check } from './filters/index.js';
import { openGroup } from './group-work.js';
import { Ledger } from './ledger.js';
import { inQueueOrder } from './plan.js';
import { hashOf } from './stable-hash.js';
import type { FilterName, PendingTask, PlacedTask, SchedulingNode, TaskGroup } from './types.js';

/** A task on a node, as those see it who may take its place. */
export interface Occupant extends PlacedTask {
  readonly serviceName: string;
  readonly priority: number;
  /** It was told to stop: its place is free when it has. */
  readonly isLeaving: boolean;
  /** It may be sent away: it would find another place, or wait for one. */
  readonly isMovable: boolean;
  /** Milliseconds since 1970: of equals the younger goes. */
  readonly createdAt: number;
}

/** What preemption rests on. */
export interface PreemptionInput {
  /** As things stand. */
  readonly state: ClusterState;
  /** Those that found no place and may send others away, with the tasks that are left; in any order. */
  readonly groups: readonly TaskGroup[];
  /** Everything on a node, and what was decided for it since. */
  readonly occupantsOf: (nodeId: string) => readonly Occupant[];
}

/** A task that gets a place where others have to go first. */
export interface Preemption {
  readonly taskId: string;
  readonly nodeId: string;
  /** Ids of tasks that have to go; none when those that go already are enough. */
  readonly victims: readonly string[];
}

/** Filters that a task passes when others have gone. */
const CURABLE: ReadonlySet<FilterName> = new Set(['resources', 'host-ports']);
/** Nodes that are looked at for one group: the best of a hundred is good enough. */
const MOST_NODES = 100;
/** Tasks that get a place in one go; the others ask again when these have theirs. */
const MOST_TASKS = 100;
/** They go together, in one write. */
const MOST_VICTIMS = 40;

/**
 * Finds places for tasks of a higher priority by sending away tasks of a lower one: on the node where the highest
 * of those that go is the lowest, and where the fewest go. Pure; the tasks themselves are placed as all others,
 * when the room is there.
 */
export function planPreemption(input: PreemptionInput): readonly Preemption[] {
  const rooms = new Rooms(input);
  const preemptions: Preemption[] = [];
  for (const group of inQueueOrder(input.groups)) {
    const candidates = rooms.for(group);
    for (const task of group.tasks) {
      if (preemptions.length >= MOST_TASKS) return preemptions;
      const best = bestOffer(candidates, group, task);
      if (best === undefined) continue;
      best.room.take(group, task.id, best);
      const victims = best.victims.map(({ taskId }) => taskId);
      preemptions.push({ taskId: task.id, nodeId: best.room.node.id, victims });
    }
  }
  return preemptions;
}

function bestOffer(
  candidates: Candidates,
  group: TaskGroup,
  { preassignedNodeId }: PendingTask,
): Offer | undefined {
  const own = preassignedNodeId === undefined ? undefined : candidates.byId(preassignedNodeId);
  const rooms = preassignedNodeId === undefined ? candidates.some : own ? [own] : [];
  return rooms
    .flatMap((room) => room.offerFor(group) ?? [])
    .reduce<Offer | undefined>(better, undefined);
}

/** Nodes of one group that want nothing but room. */
interface Candidates {
  readonly some: readonly NodeRoom[];
  readonly byId: (nodeId: string) => NodeRoom | undefined;
}

/** What is left on nodes, kept while decisions are taken. */
class Rooms {
  private readonly known = new Map<string, NodeRoom>();

  constructor(private readonly input: PreemptionInput) {}

  for(group: TaskGroup): Candidates {
    const { state } = this.input;
    const { checks } = openGroup(group, new Ledger(state), new DomainTable(state.table));
    const lasting = checks.filter(({ name }) => !CURABLE.has(name));
    const { nodes } = state.table;
    const fitting = nodes.filter((node, slot) => node !== undefined && passes(lasting, slot));
    const found = fitting.filter((node) => node !== undefined);
    return {
      some: inOwnOrder(group, found)
        .slice(0, MOST_NODES)
        .map((node) => this.roomOf(node)),
      byId: (nodeId) => {
        const node = found.find(({ id }) => id === nodeId);
        return node && this.roomOf(node);
      },
    };
  }

  private roomOf(node: SchedulingNode): NodeRoom {
    const room = this.known.get(node.id) ?? new NodeRoom(node, this.input.occupantsOf(node.id));
    this.known.set(node.id, room);
    return room;
  }
}

/** In an order of the service's own, so that not all services ask the same ones. */
function inOwnOrder(
  { serviceId }: TaskGroup,
  nodes: readonly SchedulingNode[],
): readonly SchedulingNode[] {
  return nodes
    .map((node) => ({ node, rank: hashOf(`${serviceId} ${node.id}`) }))
    .sort((a, b) => a.rank - b.rank || (a.node.id < b.node.id ? -1 : 1))
    .map(({ node }) => node);
}

const passes = (checks: readonly Check[], slot: number): boolean =>
  checks.every((check) => check.passes(slot));

/** What it would take to place a task on a node. */
interface Offer {
  readonly room: NodeRoom;
  readonly victims: readonly Occupant[];
  /** The highest priority among the victims; -1 without any. */
  readonly highest: number;
}

/** One node with what is on it, while decisions are taken. */
class NodeRoom {
  private occupants: readonly Occupant[];

  constructor(
    readonly node: SchedulingNode,
    occupants: readonly Occupant[],
  ) {
    this.occupants = occupants.filter(({ isLeaving }) => !isLeaving);
  }

  /** Undefined when it has no room even without all that may be sent away. */
  offerFor(group: TaskGroup): Offer | undefined {
    const removable = this.occupants.filter((occupant) => mayGo(occupant, group)).sort(toKeepFirst);
    const going = new Set(removable);
    const state = ClusterState.from(
      [this.node],
      this.occupants.filter((occupant) => !going.has(occupant)),
    );
    const demand = demandOnly(group);
    const fits = () => explain(demand, state)[0]?.ok === true;
    if (!fits()) return undefined;
    const victims = removable.filter((occupant) => {
      state.setTask(occupant);
      if (fits()) return false;
      state.removeTask(occupant.taskId);
      return true;
    });
    if (victims.length > MOST_VICTIMS) return undefined;
    return {
      room: this,
      victims,
      highest: Math.max(-1, ...victims.map(({ priority }) => priority)),
    };
  }

  /** From now on the task counts as there, and its victims as gone. */
  take(group: TaskGroup, taskId: string, { victims }: Offer): void {
    const gone = new Set(victims);
    const { serviceId, serviceName = '', priority = 0, reservations, hostPorts } = group;
    this.occupants = [
      ...this.occupants.filter((occupant) => !gone.has(occupant)),
      {
        taskId,
        serviceId,
        serviceName,
        nodeId: this.node.id,
        reservations,
        hostPorts,
        priority,
        countsForSpread: true,
        isLeaving: false,
        isMovable: false,
        createdAt: 0,
      },
    ];
  }
}

/** What it must be near cannot be sent away for it. */
function mayGo({ priority, isMovable, serviceName }: Occupant, group: TaskGroup): boolean {
  if (!isMovable || priority >= (group.priority ?? 0)) return false;
  return !(group.affinity ?? []).some(
    ({ service, weight }) => weight === undefined && service === serviceName,
  );
}

/** Of the group only what others can stand in the way of; the rest was asked of the whole cluster. */
function demandOnly({ serviceId, revision, reservations, hostPorts }: TaskGroup): TaskGroup {
  const tasks = [{ id: '' }];
  return { serviceId, revision, position: 0, tasks, reservations, hostPorts };
}

/** The most important first, then the oldest. */
function toKeepFirst(a: Occupant, b: Occupant): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt;
  return a.taskId < b.taskId ? -1 : 1;
}

function better(best: Offer | undefined, offer: Offer): Offer {
  if (best === undefined) return offer;
  if (offer.highest !== best.highest) return offer.highest < best.highest ? offer : best;
  return offer.victims.length < best.victims.length ? offer : best;
}
