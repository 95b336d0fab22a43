import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterSpec } from '../../api/v1/index.js';
import { CHECKOUT } from '../../deploy/local/layout.js';
import { toYaml } from '../../pkg/manifest/index.js';
import { TEST_IMAGE, importBusyboxImage } from '../fixtures/busybox-image.js';
import { etcdCertificates, writeEtcdCertificates } from '../fixtures/certificates.js';
import { readContextFile } from '../fixtures/context.js';
import { eventually } from '../fixtures/eventually.js';
import { programPath } from '../fixtures/program.js';
import { LabStateFile, type LabState, type MachineKind, type MachinePlan } from './lab-state.js';
import { Lab, certificateFolder, contextFile } from './lab.js';
import type { LabHost } from './member.js';
import { findFreeNetwork } from './network.js';
import { agentState, apiAddress, engineSocket, etcdFlags, managerState } from './programs.js';
import { TEST_LAB_PREFIX, makerLock, removeForsakenLabs } from './remains.js';

/** How large a lab is, and what its cluster is told. */
export interface LabOptions {
  /** Default 5. */
  readonly hosts?: number;
  /** Default 3. */
  readonly managers?: number;
  /** Default 3. */
  readonly etcds?: number;
  /** Of the cluster. Default: the usual ones. */
  readonly settings?: ClusterSpec;
}

/** Told of every step that is done, and how long it took since the beginning. */
export type Progress = (step: string, ms: number) => void;

/** The last part of the addresses: hosts from .11, managers from .101, etcd from .201, and us. */
const KINDS: Readonly<Record<MachineKind, { readonly letter: string; readonly first: number }>> = {
  host: { letter: 'h', first: 11 },
  manager: { letter: 'm', first: 101 },
  etcd: { letter: 'e', first: 201 },
};
const MAX_HOSTS = 80;
const OPERATOR = 254;
/** The image of deploy/examples/hello.yaml. */
const HELLO_IMAGE = 'swarmkeeper/hello:1';

/**
 * A lab for a test, which ends with its process at the latest. Labs of tests that were killed are removed
 * first. Always `dispose` it.
 */
export async function startLab(options: LabOptions = {}, progress?: Progress): Promise<Lab> {
  await removeForsakenLabs();
  // It gets the name by which forsaken ones are found when it has the lock that says that it is not.
  const draft = await mkdtemp(join(tmpdir(), 'swarm-new-lab-'));
  await makerLock(draft).acquire();
  const folder = `${TEST_LAB_PREFIX}${randomBytes(3).toString('hex')}`;
  await rename(draft, folder);
  return bootLab(folder, { ...options, diesWithMaker: true }, progress);
}

/** Makes a lab in `folder`. One that cannot be made is removed again. */
export async function bootLab(
  folder: string,
  options: LabOptions & { readonly diesWithMaker: boolean },
  progress: Progress = () => undefined,
): Promise<Lab> {
  const state = new LabStateFile(folder);
  await state.create(await planLab(options));
  const lab = new Lab(folder, state);
  try {
    await new Boot(lab, options, progress).run();
    return lab;
  } catch (error) {
    await lab.dispose();
    throw error;
  }
}

async function planLab({
  hosts = 5,
  managers = 3,
  etcds = 3,
  diesWithMaker,
}: LabOptions & { readonly diesWithMaker: boolean }): Promise<LabState> {
  if (hosts > MAX_HOSTS) throw new Error(`a lab has at most ${String(MAX_HOSTS)} hosts`);
  const seed = randomBytes(4);
  const network = await findFreeNetwork(seed.readUInt8());
  const machines = (kind: MachineKind, count: number) =>
    Array.from({ length: count }, (_, index): MachinePlan => {
      const { letter, first } = KINDS[kind];
      const [name, address] = [
        `${letter}${String(index + 1)}`,
        `${network}.${String(first + index)}`,
      ];
      return { name, kind, address };
    });
  return {
    id: seed.toString('hex'),
    startedAt: new Date().toISOString(),
    operator: `${network}.${String(OPERATOR)}`,
    machines: [
      ...machines('etcd', etcds),
      ...machines('manager', managers),
      ...machines('host', hosts),
    ],
    diesWithMaker,
    links: [],
    clockShiftMs: {},
    isUp: false,
  };
}

/** The steps from nothing to a cluster of which every node is ready. */
class Boot {
  private readonly beganMs = performance.now();

  constructor(
    private readonly lab: Lab,
    private readonly options: LabOptions,
    private readonly progress: Progress,
  ) {}

  async run(): Promise<void> {
    const { lab } = this;
    await this.step('wire', lab.network.start());
    await this.step('certificates', this.makeCertificates());
    await this.step('machines', Promise.all(lab.members.map(({ machine }) => machine.powerOn())));
    const engines = this.step('engines', Promise.all(lab.hosts.map((host) => startEngine(host))));
    const control = this.startControlPlane();
    await Promise.all([engines, control]);
    await this.step('join', this.join(await control));
    await this.step('agents', this.startAgents());
    await lab.state.change({ isUp: true });
  }

  private async step<T>(name: string, work: Promise<T>): Promise<T> {
    const result = await work;
    this.progress(name, performance.now() - this.beganMs);
    return result;
  }

  private async makeCertificates(): Promise<void> {
    const addresses = this.lab.etcds.map(({ plan }) => plan.address);
    const folder = certificateFolder(this.lab.folder);
    await writeEtcdCertificates(await etcdCertificates(addresses), folder);
  }

  /** Resolves to the token for workers. */
  private async startControlPlane(): Promise<string> {
    const { etcds, managers } = this.lab;
    await Promise.all(etcds.map((member) => member.start()));
    await this.step('etcd', Promise.all(etcds.map((member) => member.untilReady())));
    const token = await this.step('init', this.initCluster());
    await Promise.all(managers.map((member) => member.start()));
    await this.step('managers', Promise.all(managers.map((member) => member.untilReady())));
    await this.lab.connect();
    const { settings } = this.options;
    if (settings) await this.lab.client.patch('clusters', 'default', { spec: settings });
    return token;
  }

  private async initCluster(): Promise<string> {
    const { folder, managers, etcds } = this.lab;
    const [first] = managers;
    if (!first) throw new Error('a lab needs a manager');
    const plans = etcds.map(({ plan }) => plan);
    const words = await first.machine.run([
      ...[process.execPath, programPath('swarm-manager'), 'init'],
      ...['--state-dir', managerState(first.machine), '--advertise', apiAddress(first.plan)],
      ...['--cluster-name', 'lab', '--admin-context-file', contextFile(folder)],
      ...etcdFlags(plans, this.lab.certificates),
    ]);
    const key = join(managerState(first.machine), 'encryption.key');
    for (const { machine } of managers.slice(1)) {
      await mkdir(managerState(machine), { mode: 0o700, recursive: true });
      await copyFile(key, join(managerState(machine), 'encryption.key'));
    }
    await this.nameAllManagers();
    const token = /SWMTKN-1-[\w-]+/.exec(words)?.[0];
    if (!token) throw new Error(`swarm-manager init printed no join token:\n${words}`);
    return token;
  }

  /** Init knows one manager only, and a person shall not be without an answer when that one is gone. */
  private async nameAllManagers(): Promise<void> {
    const file = contextFile(this.lab.folder);
    const { contexts, ...rest } = await readContextFile(file);
    const managers = this.lab.managers.map(({ plan }) => apiAddress(plan));
    const all = { ...rest, contexts: contexts.map((context) => ({ ...context, managers })) };
    await writeFile(file, toYaml(all), { mode: 0o600 });
  }

  private async join(token: string): Promise<void> {
    const managers = this.lab.managers.map(({ plan }) => apiAddress(plan)).join(',');
    const join = [process.execPath, programPath('swarm-agent'), 'join', '--manager', managers];
    const env = { ...process.env, SWARM_JOIN_TOKEN: token };
    await Promise.all(
      this.lab.hosts.map(({ machine }) =>
        machine.run([...join, '--state-dir', agentState(machine)], env),
      ),
    );
  }

  private async startAgents(): Promise<void> {
    const { hosts, client } = this.lab;
    await Promise.all(hosts.map((host) => host.start('agent')));
    await eventually('ready nodes', async () => {
      const { items } = await client.list('nodes');
      return items.filter(({ status }) => status?.state === 'ready').length === hosts.length;
    });
  }
}

async function startEngine(host: LabHost): Promise<void> {
  await host.start('engine');
  await host.untilReady('engine');
  const socket = engineSocket(host.machine);
  await importBusyboxImage(socket, TEST_IMAGE);
  const content = await readFile(join(CHECKOUT, 'deploy/images/hello/hello.sh'));
  await importBusyboxImage(socket, HELLO_IMAGE, {
    changes: ['CMD ["/hello.sh"]'],
    entries: [{ type: 'file', path: 'hello.sh', mode: 0o755, content }],
  });
}
