import type { NodeShape, WorldShape } from '../cluster/sim-world.js';
import { Random } from '../machines/random.js';
import type { HostClock } from '../machines/sim-host.js';
import { ROLLOUT_ACTIONS } from '../../../api/v1/index.js';
import type { Direction, Scenario, Step } from './steps.js';
import { WishMaker, ZONES } from './wishes.js';

/** How long it takes until a cluster is up. */
const WARM_UP_MS = 2_000;
/** How long nothing may be written at the end; now and then until everybody has compared and looked again. */
const QUIET_MS = 25_000;
const LONG_QUIET_MS = 780_000;

/** The story of a seed. Its steps do not depend on what becomes of them, so that any can be left out. */
export function generateScenario(seed: number): Scenario {
  const random = Random.of(seed, 'scenario');
  const isTimeless = random.chance(0.06);
  const shape = shapeOf(seed, random, isTimeless);
  const steps = new StepMaker(random, shape).steps();
  const lastMs = steps.reduce((last, { atMs }) => Math.max(last, atMs), WARM_UP_MS);
  return {
    shape,
    steps,
    calmMs: lastMs + random.between(0, 10_000),
    quietMs: random.chance(0.01) ? LONG_QUIET_MS : QUIET_MS,
    isTimeless,
  };
}

function shapeOf(seed: number, random: Random, isTimeless: boolean): WorldShape {
  const managers = random.oneOf([1, 2, 3, 3]);
  const nodes = Array.from({ length: 1 + random.below(5) }, (): NodeShape => nodeShape(random));
  const [heartbeat, unknown, lost] = random.oneOf([
    ['2s', '5s', '10s'],
    ['4s', '9s', '14s'],
    ['4s', '9s', '14s'],
    ['1s', '3s', '5s'],
  ] as const);
  const isSkewed = random.chance(0.4);
  const isTogether = random.chance(0.4);
  return {
    seed,
    managers,
    members: random.oneOf([1, 3]),
    isTogether,
    nodes,
    cluster: {
      nodeHeartbeat: heartbeat,
      nodeUnknownAfter: unknown,
      nodeLostAfter: lost,
      taskHistoryLimit: random.below(6),
    },
    latency: { leastMs: 0.2, mostMs: random.oneOf([1, 3, 10, 60]) },
    clocks: Array.from({ length: managers + nodes.length }, (_, index) => {
      if (!isSkewed && !isTimeless) return { offsetMs: 0, rate: 1 };
      return skewed(random, index < managers && !isTimeless ? SYNCHRONISED : WILD);
    }),
  };
}

function nodeShape(random: Random): NodeShape {
  return {
    labels: random.chance(0.7) ? { zone: random.oneOf(ZONES) } : {},
    engineLabels: {},
    cpus: random.oneOf([1, 2, 4]),
    memoryGib: random.oneOf([1, 4, 8]),
    gpus: ['g1', 'g2', 'g3'].slice(0, random.below(4)),
  };
}

/** How wrong clocks are, in milliseconds: of machines that ask others for the time, and of any. */
const SYNCHRONISED = [20, 200, 1_500];
const WILD = [50, 2_000, 60_000, 3_600_000];

function skewed(random: Random, ranges: readonly number[]): HostClock {
  const most = random.oneOf(ranges);
  return { offsetMs: random.between(-most, most), rate: 1 + random.between(-0.0005, 0.0005) };
}

type Maker = (random: Random) => Omit<Step, 'atMs'>;

/** Makes the steps of one story: each story has its own few kinds of trouble, so that it gets to the bottom of them. */
class StepMaker {
  private readonly wishes: WishMaker;

  constructor(
    private readonly random: Random,
    private readonly shape: WorldShape,
  ) {
    this.wishes = new WishMaker(random, shape.nodes.length, {
      jobs: random.chance(0.35),
      neighbours: random.chance(0.25),
      gpus: random.chance(0.25),
      probes: random.chance(0.25),
    });
  }

  steps(): readonly Step[] {
    const { random } = this;
    const makers = this.chosen();
    const count = 4 + random.below(random.oneOf([10, 20, 36]));
    const meanGapMs = random.oneOf([60, 400, 1_500, 4_000]);
    let atMs = random.chance(0.2) ? 0 : WARM_UP_MS;
    const steps: Step[] = [];
    for (let index = 0; index < count; index += 1) {
      const make = index < 2 ? makers[0] : random.oneOf(makers);
      if (make) steps.push({ atMs, ...make(random) } as Step);
      atMs += -Math.log(1 - random.next()) * meanGapMs;
    }
    return steps;
  }

  /** The first is always the one that makes services. */
  private chosen(): readonly Maker[] {
    const { random } = this;
    const deeds = DEEDS(this).filter(() => random.chance(0.7));
    const isCalm = random.chance(0.1);
    const faults = FAULTS(this).filter(() => !isCalm && random.chance(0.3));
    const apply: Maker = () => this.apply();
    return [apply, apply, apply, ...deeds, ...faults];
  }

  apply(): Omit<Step, 'atMs'> {
    const service = this.service();
    return { kind: 'apply', service, wish: this.wishes.wish(service) } as Omit<Step, 'atMs'>;
  }

  service(): number {
    return this.wishes.service();
  }

  get managers(): number {
    return this.shape.managers;
  }

  node(): number {
    return this.random.below(this.shape.nodes.length);
  }

  manager(): number {
    return this.random.below(this.shape.managers);
  }

  machine(): number {
    return this.random.below(this.shape.nodes.length + this.shape.managers);
  }

  /** Machines of etcd's members included, where they have their own. */
  anyMachine(): number {
    return this.random.below(this.shape.nodes.length + this.shape.managers + this.shape.members);
  }

  /** Short ones are as telling as long ones. */
  duration(): number {
    const { random } = this;
    return random.oneOf([
      random.between(5, 300),
      random.between(300, 4_000),
      random.between(3_000, 15_000),
      random.between(10_000, 50_000),
    ]);
  }

  direction(): Direction {
    return this.random.oneOf(['both', 'both', 'to', 'from'] as const);
  }
}

const WILD_OFFSETS = [-3_600_000, -10_000, -500, 500, 10_000, 3_600_000];

const DEEDS = (make: StepMaker): readonly Maker[] => [
  (random) => ({ kind: 'scale', service: random.below(2), replicas: random.below(8) }),
  () => ({ kind: 'delete', service: make.service() }),
  (random) => ({
    kind: 'rollout',
    service: make.service(),
    action: random.oneOf(ROLLOUT_ACTIONS),
  }),
  (random) => ({
    kind: 'availability',
    node: make.node(),
    availability: random.oneOf(['active', 'active', 'pause', 'drain'] as const),
    isForced: random.chance(0.2),
  }),
  (random) => ({ kind: 'label', node: make.node(), zone: random.oneOf(ZONES) }),
  (random) => ({ kind: 'history-limit', limit: random.below(6) }),
];

const FAULTS = (make: StepMaker): readonly Maker[] => [
  () => ({ kind: 'manager-kill', manager: make.manager(), forMs: make.duration() }),
  () => ({ kind: 'manager-stop', manager: make.manager(), forMs: make.duration() }),
  () => ({ kind: 'manager-freeze', manager: make.manager(), forMs: make.duration() }),
  () => ({ kind: 'manager-power', manager: make.manager(), forMs: make.duration() }),
  () => ({
    kind: 'manager-cut',
    manager: make.manager(),
    direction: make.direction(),
    forMs: make.duration(),
  }),
  (random) => ({
    kind: 'watch-lag',
    manager: make.manager(),
    mostMs: random.oneOf([50, 500, 4_000]),
    forMs: make.duration(),
  }),
  (random) => ({
    kind: 'node-cut',
    node: make.node(),
    direction: make.direction(),
    ...(random.chance(0.4) && { manager: make.manager() }),
    forMs: make.duration(),
  }),
  () => ({ kind: 'node-power', node: make.node(), forMs: make.duration() }),
  () => ({ kind: 'agent-kill', node: make.node(), forMs: make.duration() }),
  () => ({ kind: 'agent-freeze', node: make.node(), forMs: make.duration() }),
  (random) => ({
    kind: random.oneOf(['engine-kill', 'engine-kill-live'] as const),
    node: make.node(),
    forMs: make.duration(),
  }),
  () => ({ kind: 'engine-freeze', node: make.node(), forMs: make.duration() }),
  () => ({ kind: 'engine-bad', node: make.node(), forMs: make.duration() }),
  (random) => ({
    kind: 'slow',
    machine: make.machine(),
    factor: random.oneOf([3, 20, 100]),
    forMs: make.duration(),
  }),
  (random) => {
    const machine = make.machine();
    const offsets = machine < make.managers ? [-1_000, -100, 100, 1_000] : WILD_OFFSETS;
    return { kind: 'clock', machine, offsetMs: random.oneOf(offsets) };
  },
  (random) => ({
    kind: 'container-end',
    pick: random.next(),
    exitCode: random.oneOf([0, 1, 7]),
  }),
  (random) => ({ kind: 'container-remove', pick: random.next() }),
  (random) => ({
    kind: 'etcd-away',
    watches: random.oneOf(['broken', 'silent'] as const),
    forMs: make.duration(),
  }),
  () => ({ kind: 'host-power', machine: make.anyMachine(), forMs: make.duration() }),
  (random) => ({
    kind: 'partition',
    machines: Array.from({ length: 1 + random.below(3) }, () => make.anyMachine()),
    direction: make.direction(),
    forMs: make.duration(),
  }),
  (random) => ({
    kind: random.oneOf(['member-kill', 'member-freeze'] as const),
    member: random.below(3),
    forMs: make.duration(),
  }),
  () => ({ kind: 'quorum-loss', forMs: make.duration() }),
  () => ({ kind: 'all-managers', forMs: make.duration() }),
  () => ({ kind: 'etcd-restart' }),
  () => ({ kind: 'etcd-compact' }),
  () => ({ kind: 'remove-node', node: make.node() }),
];
