/**
 * `make up`, `make down` and `make run`: etcd, one manager and one agent on this host, all of it
 * below `.run/` (layout.ts says what lies where).
 */
import 'reflect-metadata';
import { SystemClock, messageOf } from '../../pkg/base/index.js';
import { signalProcess } from './daemons.js';
import { FileLock } from './file-lock.js';
import { LAYOUT } from './layout.js';
import { localDaemons } from './local-daemons.js';
import { complain, say } from './progress.js';
import { removeCluster } from './remove.js';
import { createState, readState, type LocalState } from './state.js';
import { bringUp, showExample } from './bring-up.js';

const OTHER_STOP_TIMEOUT_MS = 90_000;
const WATCH_MS = 1_000;
const INTERRUPTED = 130;

const clock = new SystemClock();
/** Held by the one process that is starting or running a local cluster. */
const lock = new FileLock(LAYOUT.lock);

/** Aborted by the first Ctrl-C (or SIGTERM); later ones change nothing, for we are cleaning up. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  const onSignal = () => {
    if (!controller.signal.aborted) say('\nstopping; a moment, please');
    controller.abort(new Error('interrupted'));
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  return controller.signal;
}

/** Runs `work` as the only one that changes the local cluster. */
async function exclusively(work: () => Promise<number>): Promise<number> {
  const holder = await lock.acquire();
  if (holder !== undefined) {
    complain(`a local cluster is being started or run already, by process ${holder}`);
    complain('it is left alone; stop it there with Ctrl-C, or anywhere with: make down');
    return 1;
  }
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

async function isUp(state: LocalState | undefined): Promise<boolean> {
  if (!state?.hasJoined) return false;
  const parts = ['manager', 'agent'];
  if (state.etcd?.peerUrl) parts.push('etcd');
  if (state.engine?.own) parts.push('dockerd');
  const pids = await Promise.all(parts.map((part) => localDaemons.find(part)));
  return !pids.includes(undefined);
}

async function removeAll(): Promise<number> {
  if (await removeCluster()) {
    say(`everything is removed; logs are in ${LAYOUT.logs}`);
    return 0;
  }
  complain('not everything could be removed; once the cause is gone, run again: make down');
  complain(`(to forget it instead: rm ${LAYOUT.state})`);
  return 1;
}

/** True when everything is up. What this very call began is taken down again when it fails. */
async function tryBringUp(signal: AbortSignal, start: Start): Promise<boolean> {
  try {
    await bringUp(signal);
    return true;
  } catch (error) {
    if (!signal.aborted) complain(`\n${messageOf(error)}\n`);
    if (start === 'fresh') await removeAll();
    else complain('the rest is left as it is; to remove it: make down');
    return false;
  }
}

/** Whether there was a cluster of `make up` to go on with, parts of which have ended. */
type Start = 'fresh' | 'continued';

/** What a killed `make run` left is removed. Undefined when it cannot be. */
async function prepare(mode: LocalState['mode']): Promise<Start | undefined> {
  const state = await readState();
  if (state?.mode === 'up' && mode === 'up') return 'continued';
  if (state) {
    say(`removing what an earlier \`make ${state.mode}\` left behind`);
    if ((await removeAll()) !== 0) return undefined;
  }
  await createState(mode);
  return 'fresh';
}

async function up(): Promise<number> {
  const signal = interruption();
  const state = await readState();
  if (state?.mode === 'up' && (await isUp(state))) {
    say(`a local cluster is up already, since ${state.startedAt}; to stop it: make down`);
    return 0;
  }
  const start = await prepare('up');
  if (!start) return 1;
  if (!(await tryBringUp(signal, start))) return signal.aborted ? INTERRUPTED : 1;
  say(`
The local cluster is up. What to try next:
  bin/swarmctl apply --wait -f deploy/examples/hello.yaml
  bin/swarmctl get services
  bin/swarmctl logs -f hello
  . .run/env                 # then docker, etcdctl and swarmctl mean this cluster
  make down`);
  return 0;
}

async function run(): Promise<number> {
  const signal = interruption();
  const state = await readState();
  if (state?.mode === 'up' && (await isUp(state))) {
    complain('a local cluster is up already (make up) and is left alone.');
    complain('bin/swarmctl works with it now; to run a fresh one: make down, then make run');
    return 1;
  }
  const start = await prepare('run');
  if (!start) return 1;
  if (!(await tryBringUp(signal, start))) return signal.aborted ? 0 : 1;
  await showExample(signal);
  await watch(signal);
  return removeAll();
}

/** Returns when interrupted; says when a part ends by itself, and leaves it to the person. */
async function watch(signal: AbortSignal): Promise<void> {
  const alive = new Set(['manager', 'agent']);
  while (!signal.aborted) {
    for (const name of alive) {
      if ((await localDaemons.find(name)) !== undefined) continue;
      alive.delete(name);
      complain(`${name} has ended; its log is ${LAYOUT.logs}/${name}.log`);
    }
    await clock.sleep(WATCH_MS, signal).catch(() => undefined);
  }
}

async function down(): Promise<number> {
  interruption();
  const holder = await lock.holder();
  if (holder !== undefined) {
    say(`asking process ${holder} to stop its cluster`);
    signalProcess(holder, 'SIGTERM');
    const deadline = clock.monotonicMs() + OTHER_STOP_TIMEOUT_MS;
    while ((await lock.holder()) !== undefined) {
      if (clock.monotonicMs() > deadline) throw new Error(`process ${holder} does not stop`);
      await clock.sleep(200);
    }
  }
  return exclusively(removeAll);
}

const COMMANDS: Readonly<Record<string, () => Promise<number>>> = {
  up: () => exclusively(up),
  run: () => exclusively(run),
  down,
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
