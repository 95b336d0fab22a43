import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDockerHost, DockerEngine, DEFAULT_ENGINE_SOCKET } from '../../pkg/engine/index.js';
import { ensureBridge, planNetwork, restoreNetwork } from './engine-network.js';
import { removeEngineRemains } from './engine-remains.js';
import { LAYOUT } from './layout.js';
import { localDaemons } from './local-daemons.js';
import { extendState, type LocalState, type OwnEngine } from './state.js';

const START_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 20_000;
/** The longest name that dockerd gives a socket below its exec-root, and what the kernel allows. */
const LONGEST_SOCKET = 'exec/containerd/containerd-debug.sock.ttrpc';
const SOCKET_PATH_MAX = 107;

/** True when an engine answers at `host`, in the form of DOCKER_HOST. */
export async function engineAnswers(host: string, signal?: AbortSignal): Promise<boolean> {
  const engine = openEngine(host);
  try {
    await engine.ping({ timeoutMs: 3_000, ...(signal && { signal }) });
    return true;
  } catch {
    return false;
  } finally {
    engine.close();
  }
}

/** Opens the engine at `host`; the caller closes it. */
export function openEngine(host: string): DockerEngine {
  return new DockerEngine({ host: parseDockerHost({ ...process.env, DOCKER_HOST: host }) });
}

/**
 * Uses the engine that answers already, or starts one of our own (again). Returns what to say
 * about it.
 */
export async function ensureEngine(state: LocalState, signal: AbortSignal): Promise<string> {
  if (state.engine?.own) return startEngine(state.engine.host, state.engine.own, signal);
  const given = process.env['DOCKER_HOST'];
  const host = given ?? `unix://${DEFAULT_ENGINE_SOCKET}`;
  if (await engineAnswers(host, signal)) {
    await extendState({ engine: { host } });
    return `using the one at ${host}`;
  }
  if (given) {
    throw new Error(
      `no Docker Engine answers at ${given} (DOCKER_HOST): start it, or unset DOCKER_HOST`,
    );
  }
  const folder = engineFolder();
  const ownHost = `unix://${join(folder, 'docker.sock')}`;
  const own = { folder, network: await planNetwork(folder) };
  await extendState({ engine: { host: ownHost, own } });
  return startEngine(ownHost, own, signal);
}

/** In `.run/docker`, or below /run when the names of its sockets would be too long there. */
function engineFolder(): string {
  if (join(LAYOUT.docker, LONGEST_SOCKET).length <= SOCKET_PATH_MAX) return LAYOUT.docker;
  const digest = createHash('sha256').update(LAYOUT.run).digest('hex').slice(0, 8);
  return `/run/swarmkeeper-${digest}`;
}

async function startEngine(
  host: string,
  { folder, network }: OwnEngine,
  signal: AbortSignal,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  await ensureBridge(network);
  const args = ['--host', host, '--data-root', join(folder, 'data')];
  args.push('--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'docker.pid'));
  args.push('--bridge', network.bridge);
  await localDaemons.ensure({ name: 'dockerd', program: 'dockerd', args });
  await localDaemons.waitUntilReady({
    what: 'answer from the Docker Engine',
    daemon: 'dockerd',
    timeoutMs: START_TIMEOUT_MS,
    signal,
    isReady: () => engineAnswers(host, signal),
  });
  return `our own, ${host}`;
}

/** Stops the engine and removes what is its own, when we started it; leaves any other alone. */
export async function removeEngine(engine: LocalState['engine']): Promise<void> {
  if (!engine?.own) return;
  await localDaemons.stop('dockerd', STOP_GRACE_MS);
  await removeEngineRemains(engine.own.folder);
  await restoreNetwork(engine.own.network);
}
