import { CONTAINER_LABEL } from '../../../pkg/agent/index.js';
import type { SimNode } from '../cluster/sim-node.js';
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
      world.unplug(host);
      manager.kill();
      later(() => {
        world.plug(host);
        manager.start();
      });
      return;
    case 'manager-cut':
      cut(world, host, [world.etcd.process.host], fault.direction);
      later(() => mend(world, host, [world.etcd.process.host]));
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
      loseNodePower(world, node);
      later(() => {
        world.plug(node.host);
        node.engine.start();
        node.start();
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

function loseNodePower(world: SimWorld, node: SimNode): void {
  world.unplug(node.host);
  node.kill();
  node.engine.kill({ containersSurvive: false });
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
  const hosts = [...world.managers, ...world.nodes].map(({ host }) => host);
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
