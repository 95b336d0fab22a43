import { CONTAINER_LABEL } from '../../../pkg/agent/index.js';
import type { SimWorld } from '../cluster/sim-world.js';
import type { SimHost } from '../machines/sim-host.js';
import type { Direction, Fault } from './steps.js';

/** Lets one thing go wrong, and well again after its time. */
export function strike(
  world: SimWorld,
  fault: Fault,
  removesByHand: (taskId: string) => void,
): void {
  switch (fault.kind) {
    case 'manager-kill':
    case 'manager-stop':
    case 'manager-freeze':
    case 'manager-power':
    case 'manager-cut':
    case 'watch-lag':
      strikeManager(world, fault);
      return;
    case 'container-end':
    case 'container-remove':
      strikeContainer(world, fault, removesByHand);
      return;
    case 'slow':
    case 'clock':
      strikeMachine(world, fault);
      return;
    case 'etcd-away':
    case 'etcd-restart':
    case 'etcd-compact':
      strikeEtcd(world, fault);
      return;
    case 'member-kill':
    case 'member-freeze':
    case 'quorum-loss':
      strikeMembers(world, fault);
      return;
    case 'host-power':
    case 'partition':
    case 'all-managers':
      strikeMany(world, fault);
      return;
    default:
      strikeNode(world, fault);
  }
}

type OfKind<K extends Fault['kind']> = Extract<Fault, { readonly kind: K }>;

function strikeManager(
  world: SimWorld,
  fault: OfKind<
    | 'manager-kill'
    | 'manager-stop'
    | 'manager-freeze'
    | 'manager-power'
    | 'manager-cut'
    | 'watch-lag'
  >,
): void {
  const manager = world.managers[fault.manager];
  if (!manager) return;
  const { host } = manager;
  const later = (work: () => void) => world.people.after(fault.forMs, work);
  switch (fault.kind) {
    case 'manager-kill':
      manager.kill();
      later(() => manager.start());
      return;
    case 'manager-stop':
      manager.stop(fault.forMs);
      return;
    case 'manager-freeze': {
      const { process } = manager;
      process.freeze();
      later(() => process.thaw());
      return;
    }
    case 'manager-power':
      losePower(world, host);
      later(() => {
        regainPower(world, host);
      });
      return;
    case 'manager-cut':
      cut(world, host, world.etcd.hosts, fault.direction);
      later(() => mend(world, host, world.etcd.hosts));
      return;
    case 'watch-lag':
      world.etcd.delayWatches(host, fault.mostMs);
      later(() => world.etcd.delayWatches(host, 0));
  }
}

function strikeNode(
  world: SimWorld,
  fault: OfKind<
    | 'node-cut'
    | 'node-power'
    | 'agent-kill'
    | 'agent-freeze'
    | 'engine-kill'
    | 'engine-kill-live'
    | 'engine-freeze'
    | 'engine-bad'
  >,
): void {
  const node = world.nodes[fault.node];
  if (!node) return;
  const later = (work: () => void) => world.people.after(fault.forMs, work);
  switch (fault.kind) {
    case 'node-cut': {
      const chosen = fault.manager === undefined ? world.managers : [world.managers[fault.manager]];
      const hosts = chosen.flatMap((manager) => manager?.host ?? []);
      cut(world, node.host, hosts, fault.direction);
      later(() => mend(world, node.host, hosts));
      return;
    }
    case 'node-power':
      losePower(world, node.host);
      later(() => {
        regainPower(world, node.host);
      });
      return;
    case 'agent-kill':
      node.kill();
      later(() => node.start());
      return;
    case 'agent-freeze': {
      const { agent } = node;
      agent.freeze();
      later(() => agent.thaw());
      return;
    }
    case 'engine-kill':
    case 'engine-kill-live':
      node.engine.kill({ containersSurvive: fault.kind === 'engine-kill-live' });
      later(() => node.engine.start());
      return;
    case 'engine-freeze': {
      const { process } = node.engine;
      process.freeze();
      later(() => process.thaw());
      return;
    }
    case 'engine-bad':
      node.isEngineBad = true;
      later(() => {
        node.isEngineBad = false;
      });
  }
}

/** Everything on the machine ends at once, and nobody is told. */
function losePower(world: SimWorld, host: SimHost): void {
  world.unplug(host);
  for (const manager of world.managers) if (manager.host === host) manager.kill();
  for (const member of world.etcd.members) if (member.host === host) member.kill();
  for (const node of world.nodes) {
    if (node.host !== host) continue;
    node.kill();
    node.engine.kill({ containersSurvive: false });
  }
}

function regainPower(world: SimWorld, host: SimHost): void {
  world.plug(host);
  for (const member of world.etcd.members) if (member.host === host) member.start();
  for (const manager of world.managers) if (manager.host === host) manager.start();
  for (const node of world.nodes) {
    if (node.host !== host) continue;
    node.engine.start();
    node.start();
  }
}

function strikeMany(
  world: SimWorld,
  fault: OfKind<'host-power' | 'partition' | 'all-managers'>,
): void {
  const { hosts, managers } = world;
  const later = (work: () => void) => world.people.after(fault.forMs, work);
  switch (fault.kind) {
    case 'host-power': {
      const host = hosts[fault.machine % hosts.length];
      if (!host) return;
      losePower(world, host);
      later(() => {
        regainPower(world, host);
      });
      return;
    }
    case 'partition': {
      const inside = new Set(fault.machines.map((machine) => hosts[machine % hosts.length]));
      const outside = hosts.filter((host) => !inside.has(host));
      for (const host of inside) if (host) cut(world, host, outside, fault.direction);
      later(() => {
        for (const host of inside) if (host) mend(world, host, outside);
      });
      return;
    }
    case 'all-managers':
      for (const manager of managers) manager.kill();
      later(() => {
        for (const manager of managers) manager.start();
      });
  }
}

function strikeMembers(
  { etcd, people }: SimWorld,
  fault: OfKind<'member-kill' | 'member-freeze' | 'quorum-loss'>,
): void {
  const { members } = etcd;
  const one = fault.kind === 'quorum-loss' ? undefined : members[fault.member % members.length];
  const struck = one ? [one] : members.slice(0, Math.ceil(members.length / 2));
  const isFrozen = fault.kind === 'member-freeze';
  for (const member of struck) {
    if (isFrozen) member.freeze();
    else member.kill();
  }
  people.after(fault.forMs, () => {
    for (const member of struck) {
      if (isFrozen) member.thaw();
      else member.start();
    }
  });
}

function strikeContainer(
  world: SimWorld,
  fault: OfKind<'container-end' | 'container-remove'>,
  removesByHand: (taskId: string) => void,
): void {
  const running = world.nodes.flatMap(({ engine }) =>
    engine.fake.all
      .filter(({ isRunning }) => isRunning)
      .map((container) => ({ engine, container })),
  );
  const victim = running[Math.floor(fault.pick * running.length)];
  if (!victim) return;
  const { engine, container } = victim;
  world.trace.say(engine.process.name, `${fault.kind} hits ${container.name}`);
  if (fault.kind === 'container-end') {
    engine.fake.exitContainer(container.id, fault.exitCode);
    return;
  }
  removesByHand(container.labels[CONTAINER_LABEL.task] ?? '');
  void engine.fake.removeContainer(container.id, { force: true }).catch(() => undefined);
}

function strikeMachine(world: SimWorld, fault: OfKind<'slow' | 'clock'>): void {
  const { hosts } = world;
  const host = hosts[fault.machine];
  if (!host) return;
  if (fault.kind === 'clock') {
    host.setOffset(fault.offsetMs);
    return;
  }
  world.network.slowDown(host, fault.factor);
  world.people.after(fault.forMs, () => {
    world.network.slowDown(host, 1);
  });
}

function strikeEtcd(
  { etcd, people }: SimWorld,
  fault: OfKind<'etcd-away' | 'etcd-restart' | 'etcd-compact'>,
): void {
  switch (fault.kind) {
    case 'etcd-away':
      etcd.goAway(fault.watches);
      people.after(fault.forMs, () => {
        etcd.comeBack();
      });
      return;
    case 'etcd-restart':
      etcd.breakWatches();
      return;
    case 'etcd-compact':
      if (etcd.memory.revision > etcd.memory.compactedRevision) {
        etcd.memory.compact(etcd.memory.revision);
      }
  }
}

/** `to`: nothing gets from the machine to the others. */
function cut(
  { network }: SimWorld,
  host: SimHost,
  others: readonly SimHost[],
  direction: Direction,
): void {
  for (const other of others) {
    if (direction !== 'from') network.cut(host, other);
    if (direction !== 'to') network.cut(other, host);
  }
}

function mend({ network }: SimWorld, host: SimHost, others: readonly SimHost[]): void {
  for (const other of others) {
    network.mend(host, other);
    network.mend(other, host);
  }
}

/** Everything that went wrong is well again, at once. */
export function healAll(world: SimWorld): void {
  const { network, etcd, managers, nodes } = world;
  network.mendAll();
  for (const member of etcd.members) {
    member.thaw();
    member.start();
  }
  etcd.comeBack();
  for (const manager of managers) {
    etcd.delayWatches(manager.host, 0);
    manager.process.thaw();
    manager.restMs = 0;
    manager.start();
  }
  for (const node of nodes) {
    node.isEngineBad = false;
    node.engine.process.thaw();
    node.engine.start();
    node.agent.thaw();
    node.start();
  }
}
