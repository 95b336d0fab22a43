import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { ContextRecord } from './context.js';
import { LAYOUT } from './layout.js';
import type { EngineNetwork } from './engine-network.js';

/** An engine that we started: where it keeps everything, and its network. */
export interface OwnEngine {
  readonly folder: string;
  readonly network: EngineNetwork;
}

/**
 * What was made, so that another process can go on with it or remove it at another time. A part is
 * written before the thing it describes is made: to remove what never came about is harmless.
 */
export interface LocalState {
  readonly startedAt: string;
  /** `run` ends with its terminal; what it left when it was killed is removed, not gone on with. */
  readonly mode: 'up' | 'run';
  readonly engine?: {
    readonly host: string;
    /** Set when the engine is ours. */
    readonly own?: OwnEngine;
  };
  readonly etcd?: {
    readonly endpoints: string;
    /** Of our own etcd: where its peers would meet it. */
    readonly peerUrl?: string;
    /** Set in an etcd that we were given: where our keys are, to be deleted. */
    readonly givenPrefix?: string;
  };
  readonly manager?: { readonly address: string; readonly metricsAddress: string };
  /** Written once the cluster exists. */
  readonly cluster?: { readonly id: string; readonly workerToken: string };
  readonly agent?: { readonly metricsAddress: string };
  /** True once the agent has its certificate. */
  readonly hasJoined?: boolean;
  /** The swarmctl configuration that got our context, and what it was like before. */
  readonly context?: ContextRecord;
  /** True when the example's image was made here and not pulled. */
  readonly hasBuiltImage?: boolean;
}

/** The state of the local cluster, undefined when there is none. */
export async function readState(): Promise<LocalState | undefined> {
  const text = await readFile(LAYOUT.state, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as LocalState);
}

/** Starts from nothing: the logs of the cluster before go as well. */
export async function createState(mode: LocalState['mode']): Promise<void> {
  await rm(LAYOUT.logs, { recursive: true, force: true });
  await writeState({ startedAt: new Date().toISOString(), mode });
}

/** Adds to the state, on disk at once. */
export async function extendState(part: Partial<LocalState>): Promise<void> {
  const before = await readState();
  if (!before) throw new Error('there is no local cluster to extend');
  await writeState({ ...before, ...part });
}

/** Holds the join token: for the owner's eyes only, and never half written. */
async function writeState(state: LocalState): Promise<void> {
  await mkdir(LAYOUT.run, { recursive: true, mode: 0o700 });
  const draft = `${LAYOUT.state}.new`;
  await writeFile(draft, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  await rename(draft, LAYOUT.state);
}

/** Forgets the local cluster; its logs stay. */
export async function removeState(): Promise<void> {
  const { state, env, pids, etcd, manager, agent, image, adminContext } = LAYOUT;
  for (const path of [pids, etcd, manager, agent, image, adminContext, env, state]) {
    await rm(path, { recursive: true, force: true });
  }
}
