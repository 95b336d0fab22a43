import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, rm, symlink } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { parseDockerHost } from '../../pkg/engine/index.js';
import { runCommand } from './command.js';
import { openEngine } from './engine.js';
import { CHECKOUT, LAYOUT, programPath } from './layout.js';
import { extendState, type LocalState } from './state.js';

/** The image of deploy/examples/hello.yaml. */
const EXAMPLE_IMAGE = { repository: 'swarmkeeper/hello', tag: '1' } as const;
const REFERENCE = `${EXAMPLE_IMAGE.repository}:${EXAMPLE_IMAGE.tag}`;

/** Without a registry in reach, some engines take minutes to find out. */
const PULL_TIMEOUT_MS = 10_000;

/** Pulls the example's image, or builds it here when it cannot be pulled. Returns what to say. */
export async function ensureExampleImage(state: LocalState, signal: AbortSignal): Promise<string> {
  const host = state.engine?.host ?? '';
  const engine = openEngine(host);
  try {
    if (await engine.inspectImage(REFERENCE, { signal })) return `${REFERENCE} is there`;
    const pullSignal = AbortSignal.any([signal, AbortSignal.timeout(PULL_TIMEOUT_MS)]);
    const isPulled = await engine.pullImage(REFERENCE, { signal: pullSignal }).then(
      () => true,
      () => false,
    );
    signal.throwIfAborted();
    if (isPulled) return `${REFERENCE} was pulled`;
    await extendState({ hasBuiltImage: true });
    await buildImage(host);
    return `${REFERENCE} was built here, it cannot be pulled`;
  } finally {
    engine.close();
  }
}

/** Removes an image that was built here, from an engine that is not ours. */
export async function removeExampleImage(
  engine: LocalState['engine'],
  hasBuiltImage = false,
): Promise<void> {
  if (!engine || engine.own || !hasBuiltImage) return;
  const request = openRequest(engine.host, 'DELETE', `/images/${REFERENCE}`);
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  request.end();
  const [response] = await answered;
  const words = await text(response);
  // 404: gone already. 409: a container that is not ours uses it by now.
  if (![200, 404, 409].includes(response.statusCode ?? 0)) throw new Error(words.trim());
}

/** A root folder of one static busybox and the example's script, imported as an image. */
async function buildImage(host: string): Promise<void> {
  await rm(LAYOUT.image, { recursive: true, force: true });
  const bin = join(LAYOUT.image, 'bin');
  await mkdir(bin, { recursive: true });
  const busybox = (await runCommand('sh', ['-c', 'command -v busybox'])).trim();
  await copyFile(busybox, join(bin, 'busybox'));
  await chmod(join(bin, 'busybox'), 0o755);
  const applets = (await runCommand(busybox, ['--list'])).trim().split('\n');
  for (const applet of applets.filter((name) => name !== 'busybox')) {
    await symlink('busybox', join(bin, applet));
  }
  const script = join(LAYOUT.image, 'hello.sh');
  await copyFile(join(CHECKOUT, 'deploy/images/hello/hello.sh'), script);
  await chmod(script, 0o755);
  await importImage(host);
}

async function importImage(host: string): Promise<void> {
  const query = new URLSearchParams({
    fromSrc: '-',
    repo: EXAMPLE_IMAGE.repository,
    tag: EXAMPLE_IMAGE.tag,
    changes: 'CMD ["/hello.sh"]',
  });
  const tar = spawn('tar', ['--create', '--owner=0', '--group=0', '--numeric-owner', '.'], {
    cwd: LAYOUT.image,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const request = openRequest(host, 'POST', `/images/create?${query.toString()}`);
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  await pipeline(tar.stdout, request);
  const [response] = await answered;
  const words = await text(response);
  // The engine reports what goes wrong in the middle with status 200 and an `error` line.
  if (response.statusCode !== 200 || words.includes('"error"')) {
    throw new Error(`the engine did not take the example's image: ${words.trim()}`);
  }
}

/** The engine's port has no import and no removal of images: only this example needs them. */
function openRequest(host: string, method: 'POST' | 'DELETE', path: string) {
  const engine = parseDockerHost({ ...process.env, DOCKER_HOST: host });
  const common = { method, path, headers: { 'content-type': 'application/x-tar' } };
  if (engine.kind === 'unix') return httpRequest({ ...common, socketPath: engine.socketPath });
  const { hostname, port, tls } = engine;
  return tls
    ? httpsRequest({ ...common, hostname, port, ...tls })
    : httpRequest({ ...common, hostname, port });
}

/** Applies the example with swarmctl's own progress on the terminal. Errors: when it fails. */
export async function applyExample(signal: AbortSignal): Promise<void> {
  const args = [programPath('swarmctl'), 'apply', '--wait', '-f', LAYOUT.example];
  const child = spawn(process.execPath, args, {
    stdio: 'inherit',
    env: { ...process.env, SWARMCTL_CONFIG: LAYOUT.adminContext },
    signal,
  });
  const [code] = (await once(child, 'exit')) as [number | undefined];
  if (code !== 0) throw new Error(`swarmctl apply ended with status ${String(code)}`);
}
