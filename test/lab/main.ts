/**
 * `make lab` and what belongs to it: a cluster of many hosts on this machine that stays until `make lab-down`, and
 * the ways to break it. docs/lab.md tells people about it.
 */
import 'reflect-metadata';
import { spawn } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { createHash, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addContext, removeContext } from '../../deploy/local/context.js';
import { FileLock } from '../../deploy/local/file-lock.js';
import { CHECKOUT, LAYOUT } from '../../deploy/local/layout.js';
import { complain, say } from '../../deploy/local/progress.js';
import { messageOf } from '../../pkg/base/index.js';
import { bootLab, startLab } from './boot.js';
import { Chaos } from './chaos.js';
import { ChaosLog } from './chaos-log.js';
import { FAULTS, breakLab, requireFault } from './faults.js';
import { Lab, contextFile } from './lab.js';
import { LabStateFile } from './lab-state.js';
import { removeLab } from './remains.js';
import { missingForLab } from './requirements.js';
import { SeededRandom } from './seeded-random.js';

/** The longest path of a socket in a lab's folder, and what the kernel allows. */
const LONGEST_SOCKET = 'machines/h99/run/docker.sock';
const SOCKET_PATH_MAX = 107;
const INTERRUPTED = 130;

/** In `.run/lab`, or among the temporary files when the names of its sockets would be too long there. */
function labFolder(): string {
  const folder = join(LAYOUT.run, 'lab');
  if (join(folder, LONGEST_SOCKET).length <= SOCKET_PATH_MAX) return folder;
  const digest = createHash('sha256').update(CHECKOUT).digest('hex').slice(0, 8);
  return join(tmpdir(), `swarmkeeper-lab-${digest}`);
}

const FOLDER = labFolder();
const lock = new FileLock(join(LAYOUT.run, 'lab.lock'));

async function up(): Promise<number> {
  const missing = missingForLab();
  if (missing.length > 0) throw new Error(`a lab needs ${missing.join(', ')}`);
  const state = await LabStateFile.read(FOLDER);
  if (state?.isUp) {
    const lab = await Lab.open(FOLDER);
    if (await lab.members[0]?.machine.isOn()) {
      say(`a lab is up already, since ${state.startedAt}; to stop it: make lab-down`);
      return 0;
    }
  }
  if (state) await removeAll();
  onInterruption();
  const lab = await bootLab(
    FOLDER,
    { hosts: count('NODES', 5), managers: count('MANAGERS', 3), diesWithMaker: false },
    (step, ms) => say(`${step.padEnd(12)} (${(ms / 1000).toFixed(1)} s)`),
  );
  say(await pointSwarmctl(lab));
  say(WELCOME);
  return 0;
}

const WELCOME = `
The lab is up. What to try next:
  bin/swarmctl get nodes,managers
  bin/swarmctl apply --wait -f deploy/examples/hello.yaml
  make lab-break                                  # lists what can go wrong
  make lab-break FAULT=worker-killed TARGET=h2
  make lab-heal                                   # takes all of it back
  make lab-shell ON=h2                            # a shell on that machine: docker ps
  make lab-down`;

function count(variable: string, byDefault: number): number {
  const value = Number(process.env[variable] ?? byDefault);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`${variable} has to be a whole number from 1 on`);
}

/** Half a lab is of no use to anybody. */
function onInterruption(): void {
  const stop = () => {
    say('\nremoving what was made; a moment, please');
    void removeAll().then(() => process.exit(INTERRUPTED));
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, stop);
}

const pointSwarmctl = ({ state, folder }: Lab): Promise<string> =>
  addContext({
    source: contextFile(folder),
    record: state.value.context,
    remember: (context) => state.change({ context }),
  });

async function removeAll(): Promise<void> {
  const state = await LabStateFile.read(FOLDER);
  await removeContext(contextFile(FOLDER), state?.context);
  await removeLab(FOLDER);
}

async function down(): Promise<number> {
  await removeAll();
  say('the lab is removed');
  return 0;
}

async function breakIt(): Promise<number> {
  const name = process.env['FAULT'];
  if (!name) {
    say('make lab-break FAULT=name [TARGET=machine]:');
    for (const fault of FAULTS) say(`  ${fault.name.padEnd(24)}${fault.summary}`);
    return 0;
  }
  const fault = requireFault(name);
  const random = new SeededRandom(randomInt(2 ** 31));
  const lab = await Lab.open(FOLDER);
  const target = await breakLab(lab, { fault, target: process.env['TARGET'], random });
  say(
    `${target === undefined ? '' : `${target}: `}${fault.summary}; to take it back: make lab-heal`,
  );
  return 0;
}

async function heal(): Promise<number> {
  const lab = await Lab.open(FOLDER);
  await lab.heal();
  await lab.assertWhole();
  say('all that was broken is mended, and nothing is lost, doubled or left over');
  return 0;
}

async function shell(): Promise<number> {
  const lab = await Lab.open(FOLDER);
  const name = process.env['ON'] ?? lab.hosts[0]?.name ?? '';
  const [program, ...args] = await lab.member(name).machine.enter();
  const child = spawn(program, [...args, process.env['SHELL'] ?? 'sh'], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

/** A lab of its own, which does not touch the one of `make lab`. */
async function chaos(): Promise<number> {
  const seed = count('SEED', randomInt(1, 1_000_000));
  const minutes = Number(process.env['MINUTES'] ?? 5);
  const folder = join(LAYOUT.run, `chaos-${seed}`);
  await mkdir(folder, { recursive: true });
  const log = new ChaosLog(join(folder, 'chaos.log'), say);
  const lab = await startLab({ hosts: count('NODES', 5), managers: count('MANAGERS', 3) });
  const stop = () => void lab.dispose().then(() => process.exit(INTERRUPTED));
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, stop);
  try {
    log.write('start', { seed, minutes, machines: lab.members.map(({ name }) => name) }, true);
    const result = await new Chaos({ lab, seed, minutes, log }).run();
    log.write('end', { seed, ...result }, true);
    say(`what happened is in ${folder}; to see it again: make chaos SEED=${seed}`);
    return result.failure === undefined ? 0 : 1;
  } finally {
    await cp(join(lab.folder, 'logs'), join(folder, 'logs'), { recursive: true });
    await lab.dispose();
  }
}

async function exclusively(work: () => Promise<number>): Promise<number> {
  const holder = await lock.acquire();
  if (holder !== undefined) throw new Error(`process ${holder} is making or removing a lab`);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

const COMMANDS: Readonly<Record<string, () => Promise<number>>> = {
  up: () => exclusively(up),
  down: () => exclusively(down),
  break: breakIt,
  heal,
  shell,
  chaos,
};

const command = COMMANDS[process.argv[2] ?? ''];
if (!command) throw new Error(`usage: main.ts ${Object.keys(COMMANDS).join('|')}`);
command().then(
  (code) => process.exit(code),
  (error: unknown) => {
    complain(messageOf(error));
    process.exit(1);
  },
);
