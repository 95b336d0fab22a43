import type { Lab } from './lab.js';
import type { Member } from './member.js';
import type { SeededRandom } from './seeded-random.js';

/** Something that can go wrong with a lab, by name. `lab.heal()` takes all of them back. */
export interface Fault {
  readonly name: string;
  /** What happens, for people. */
  readonly summary: string;
  /** The machines that it may befall; one of them is chosen. Absent: it befalls no single one. */
  readonly candidates?: (lab: Lab) => Promise<readonly Member[]>;
  /** Lets it happen. `target` is one of the candidates' names. */
  readonly inject: (lab: Lab, target: string, random: SeededRandom) => Promise<void>;
}

const HOUR_MS = 3_600_000;

const hosts = async (lab: Lab) => lab.hosts;
const managers = async (lab: Lab) => lab.managers;
const leader = async (lab: Lab) => [await lab.leader()];
const etcds = async (lab: Lab) => lab.etcds;
const etcdLeader = async (lab: Lab) => [await lab.etcdLeader()];
const names = (members: readonly Member[]) => members.map(({ name }) => name);

const NODES: readonly Fault[] = [
  {
    name: 'worker-killed',
    summary: 'a host loses power',
    candidates: hosts,
    inject: (lab, target) => lab.host(target).powerOff(),
  },
  {
    name: 'worker-cut',
    summary: 'a host is cut off from everybody',
    candidates: hosts,
    inject: (lab, target) => lab.host(target).cut(),
  },
  {
    name: 'worker-deaf',
    summary: 'a host hears nobody, and everybody hears it',
    candidates: hosts,
    inject: (lab, target) => lab.host(target).cut(undefined, 'in'),
  },
  {
    name: 'worker-mute',
    summary: 'a host hears everybody, and nobody hears it',
    candidates: hosts,
    inject: (lab, target) => lab.host(target).cut(undefined, 'out'),
  },
  {
    name: 'engine-killed',
    summary: 'the Docker Engine of a host crashes',
    candidates: hosts,
    inject: (lab, target) => lab.host(target).kill('engine'),
  },
  {
    name: 'engine-frozen',
    summary: 'the Docker Engine of a host hangs',
    candidates: hosts,
    inject: (lab, target) => lab.host(target).freeze('engine'),
  },
  {
    name: 'agent-killed',
    summary: 'the agent of a host crashes',
    candidates: hosts,
    inject: (lab, target) => lab.host(target).kill('agent'),
  },
  {
    name: 'agent-frozen',
    summary: 'the agent of a host hangs',
    candidates: hosts,
    inject: (lab, target) => lab.host(target).freeze('agent'),
  },
  {
    name: 'clock-ahead',
    summary: 'the clock of a host is an hour ahead',
    candidates: hosts,
    inject: (lab, target) => lab.host(target).shiftClock(HOUR_MS),
  },
  {
    name: 'clock-behind',
    summary: 'the clock of a host is an hour behind',
    candidates: hosts,
    inject: (lab, target) => lab.host(target).shiftClock(-HOUR_MS),
  },
];

const MANAGERS: readonly Fault[] = [
  {
    name: 'leader-killed',
    summary: 'the manager that leads crashes',
    candidates: leader,
    inject: (lab, target) => lab.manager(target).kill(),
  },
  {
    name: 'leader-frozen',
    summary: 'the manager that leads hangs',
    candidates: leader,
    inject: (lab, target) => lab.manager(target).freeze(),
  },
  {
    name: 'leader-cut-from-etcd',
    summary: 'the manager that leads does not reach etcd, and everybody reaches it',
    candidates: leader,
    inject: (lab, target) => lab.manager(target).cut(names(lab.etcds)),
  },
  {
    name: 'leader-cut-from-agents',
    summary: 'no agent reaches the manager that leads',
    candidates: leader,
    inject: (lab, target) => lab.manager(target).cut(names(lab.hosts)),
  },
  {
    name: 'leader-clock-ahead',
    summary: 'the clock of the manager that leads is an hour ahead',
    candidates: leader,
    inject: (lab, target) => lab.manager(target).shiftClock(HOUR_MS),
  },
  {
    name: 'manager-killed',
    summary: 'a manager crashes',
    candidates: managers,
    inject: (lab, target) => lab.manager(target).kill(),
  },
  {
    name: 'manager-cut',
    summary: 'a manager is cut off from everybody',
    candidates: managers,
    inject: (lab, target) => lab.manager(target).cut(),
  },
  {
    name: 'managers-restarted',
    summary: 'all managers crash at once and start again',
    inject: async (lab) => {
      await Promise.all(lab.managers.map((manager) => manager.kill()));
      await Promise.all(lab.managers.map((manager) => manager.start()));
    },
  },
];

const ETCD: readonly Fault[] = [
  {
    name: 'etcd-leader-killed',
    summary: 'the member of etcd that leads crashes',
    candidates: etcdLeader,
    inject: (lab, target) => lab.etcd(target).kill(),
  },
  {
    name: 'etcd-leader-frozen',
    summary: 'the member of etcd that leads hangs',
    candidates: etcdLeader,
    inject: (lab, target) => lab.etcd(target).freeze(),
  },
  {
    name: 'etcd-member-cut',
    summary: 'a member of etcd is cut off from everybody',
    candidates: etcds,
    inject: (lab, target) => lab.etcd(target).cut(),
  },
  {
    name: 'etcd-quorum-lost',
    summary: 'all members of etcd but one crash',
    candidates: etcds,
    inject: async (lab, target) => {
      await Promise.all(lab.etcds.filter(({ name }) => name !== target).map((each) => each.kill()));
    },
  },
];

const EVERYWHERE: readonly Fault[] = [
  {
    name: 'hosts-parted',
    summary: 'half of the hosts are cut off from everybody but themselves',
    inject: async (lab, _target, random) => {
      const some = random.shuffled(names(lab.hosts)).slice(0, Math.floor(lab.hosts.length / 2));
      const others = names(lab.members).filter((name) => !some.includes(name));
      await lab.partition(some, others);
    },
  },
  {
    name: 'loss',
    summary: 'one packet in five is lost, everywhere',
    inject: (lab) => lab.loss(0.2),
  },
  {
    name: 'power-cycled',
    summary: 'all machines lose power at once, and boot in random order',
    inject: async (lab, _target, random) => {
      await Promise.all(lab.members.map((member) => member.powerOff()));
      for (const member of random.shuffled(lab.members)) await member.powerOn();
    },
  },
];

/** Every fault there is. */
export const FAULTS: readonly Fault[] = [...NODES, ...MANAGERS, ...ETCD, ...EVERYWHERE];

/** Errors: names all faults when there is none of the name. */
export function requireFault(name: string): Fault {
  const fault = FAULTS.find((each) => each.name === name);
  if (fault) return fault;
  throw new Error(`no fault is called "${name}": ${FAULTS.map((each) => each.name).join(', ')}`);
}

/** Which fault, and where. */
export interface FaultRequest {
  readonly fault: Fault;
  /** Name of a machine; chosen at random when absent. */
  readonly target?: string | undefined;
  readonly random: SeededRandom;
}

/** Lets a fault happen. Returns the name of the machine that it befell, if it befell one. */
export async function breakLab(lab: Lab, request: FaultRequest): Promise<string | undefined> {
  const { fault, random } = request;
  const target = await chooseTarget(lab, request);
  await fault.inject(lab, target ?? '', random);
  return target;
}

async function chooseTarget(
  lab: Lab,
  { fault, target, random }: FaultRequest,
): Promise<string | undefined> {
  const candidates = await fault.candidates?.(lab);
  if (!candidates) {
    if (target !== undefined) throw new Error(`${fault.name} befalls no single machine`);
    return undefined;
  }
  if (target === undefined) return random.pick(candidates).name;
  if (names(candidates).includes(target)) return target;
  throw new Error(`${fault.name} can befall ${names(candidates).join(', ')}, not ${target}`);
}
