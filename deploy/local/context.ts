import { mkdir, readFile, realpath, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { messageOf } from '../../pkg/base/index.js';
import { parseManifest, toYaml } from '../../pkg/manifest/index.js';
import { LAYOUT } from './layout.js';
import { extendState, type LocalState } from './state.js';

/** What we need to know of a context; the rest is carried along untouched. */
export interface Context {
  readonly name: string;
  /** PEM, as is the certificate. */
  readonly ca?: string;
  readonly certificate?: string;
}

interface ContextFile {
  readonly currentContext?: string;
  readonly contexts?: readonly Context[];
}

/** The file that swarmctl reads for this user. */
function userFile(): string {
  return process.env['SWARMCTL_CONFIG'] ?? join(homedir(), '.swarmctl/config.yaml');
}

/** Undefined when there is no such file. Errors: when it is not YAML, for then it is not ours to write. */
async function readContexts(file: string): Promise<ContextFile | undefined> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const { objects, problems } = parseManifest(file, text);
  const [problem] = problems;
  if (problem) throw new Error(`${file}:${problem.position.line}: ${problem.message}`);
  return objects[0]?.value as ContextFile | undefined;
}

/** Holds private keys: for the owner's eyes only, and never half written. */
async function writeContexts(file: string, contexts: ContextFile): Promise<void> {
  const target = await realpath(file).catch(() => file);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  await writeFile(`${target}.new`, toYaml(contexts), { mode: 0o600 });
  await rename(`${target}.new`, target);
}

/** The one that `swarm-manager init` wrote. */
export async function readOwnContext(): Promise<Context | undefined> {
  return (await readContexts(LAYOUT.adminContext))?.contexts?.[0];
}

/**
 * Makes the local cluster the one that swarmctl talks to. A context of the same name comes back with
 * removeContext, and so does the choice of the current one. Returns what to say about it.
 */
export async function addContext(state: LocalState): Promise<string> {
  const file = userFile();
  const own = await readOwnContext();
  if (!own) throw new Error(`swarm-manager init wrote no context to ${LAYOUT.adminContext}`);
  if (file === LAYOUT.adminContext) return `context '${own.name}' is in ${file}`;
  try {
    const before = (await readContexts(file)) ?? {};
    const others = (before.contexts ?? []).filter(({ name }) => name !== own.name);
    if (!state.context) await rememberBefore(file, before, own);
    await writeContexts(file, {
      ...{ apiVersion: 'swarmctl/v1' },
      ...before,
      currentContext: own.name,
      contexts: [...others, own],
    });
    return `context '${own.name}' is current in ${file}`;
  } catch (error) {
    return `${messageOf(error)}; left alone: export SWARMCTL_CONFIG=${LAYOUT.adminContext}`;
  }
}

async function rememberBefore(file: string, before: ContextFile, own: Context): Promise<void> {
  const replaced = before.contexts?.find(({ name }) => name === own.name);
  await extendState({
    context: {
      file,
      ...(before.currentContext !== undefined && { previous: before.currentContext }),
      ...(replaced && { replaced }),
    },
  });
}

/** Puts the user's contexts back as they were, apart from what was changed by others since. */
export async function removeContext(context: LocalState['context']): Promise<void> {
  const own = await readOwnContext();
  if (!context || !own) return;
  const now = (await readContexts(context.file)) ?? {};
  const isOurs = ({ name, ca }: Context) => name === own.name && ca === own.ca;
  if (!now.contexts?.some(isOurs)) return;
  const others = now.contexts.filter((other) => !isOurs(other));
  const contexts = context.replaced ? [...others, context.replaced as Context] : others;
  if (contexts.length === 0) await removeFile(context.file);
  else await writeContexts(context.file, withChoice(now, contexts, [own.name, context.previous]));
}

/** The file, and the folder of swarmctl when nothing else is in it. */
async function removeFile(file: string): Promise<void> {
  await rm(file);
  const folder = dirname(file);
  if (folder === join(homedir(), '.swarmctl')) await rmdir(folder).catch(() => undefined);
}

/** Who has chosen `from` gets `to`, or no choice when that is not there. */
function withChoice(
  { currentContext, ...rest }: ContextFile,
  contexts: readonly Context[],
  [from, to]: readonly [from: string, to: string | undefined],
): ContextFile {
  const choice = currentContext === from ? to : currentContext;
  const isThere = contexts.some(({ name }) => name === choice);
  return { ...rest, ...(choice !== undefined && isThere && { currentContext: choice }), contexts };
}
