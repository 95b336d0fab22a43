import { mkdir, readFile, realpath, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { messageOf } from '../../pkg/base/index.js';
import { parseManifest, toYaml } from '../../pkg/manifest/index.js';

/** What we need to know of a context; the rest is carried along untouched. */
export interface Context {
  readonly name: string;
  /** PEM, as is the certificate. */
  readonly ca?: string;
  readonly certificate?: string;
}

/** What has to be put back one day: what the user's file was like before. */
export interface ContextRecord {
  readonly file: string;
  /** The current one. */
  readonly previous?: string;
  /** What had the name of ours. */
  readonly replaced?: unknown;
}

/** The context of a cluster of ours, on its way to the user's file. */
export interface OwnContext {
  /** The file that `swarm-manager init` wrote. */
  readonly source: string;
  /** Set when it was added before. */
  readonly record?: ContextRecord | undefined;
  /** Called before the user's file is changed for the first time. */
  readonly remember: (record: ContextRecord) => Promise<void>;
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

/** The one that `swarm-manager init` wrote to `source`. */
export async function readContext(source: string): Promise<Context | undefined> {
  return (await readContexts(source))?.contexts?.[0];
}

/**
 * Makes a cluster of ours the one that swarmctl talks to. A context of the same name comes back with
 * removeContext, and so does the choice of the current one. Returns what to say about it.
 */
export async function addContext({ source, record, remember }: OwnContext): Promise<string> {
  const file = userFile();
  const own = await readContext(source);
  if (!own) throw new Error(`swarm-manager init wrote no context to ${source}`);
  if (file === source) return `context '${own.name}' is in ${file}`;
  try {
    const before = (await readContexts(file)) ?? {};
    const others = (before.contexts ?? []).filter(({ name }) => name !== own.name);
    if (!record) await remember(recordOf(file, before, own));
    await writeContexts(file, {
      ...{ apiVersion: 'swarmctl/v1' },
      ...before,
      currentContext: own.name,
      contexts: [...others, own],
    });
    return `context '${own.name}' is current in ${file}`;
  } catch (error) {
    return `${messageOf(error)}; left alone: export SWARMCTL_CONFIG=${source}`;
  }
}

function recordOf(file: string, before: ContextFile, own: Context): ContextRecord {
  const replaced = before.contexts?.find(({ name }) => name === own.name);
  return {
    file,
    ...(before.currentContext !== undefined && { previous: before.currentContext }),
    ...(replaced && { replaced }),
  };
}

/** Puts the user's contexts back as they were, apart from what was changed by others since. */
export async function removeContext(
  source: string,
  record: ContextRecord | undefined,
): Promise<void> {
  const own = await readContext(source);
  if (!record || !own) return;
  const now = (await readContexts(record.file)) ?? {};
  const isOurs = ({ name, ca }: Context) => name === own.name && ca === own.ca;
  if (!now.contexts?.some(isOurs)) return;
  const others = now.contexts.filter((other) => !isOurs(other));
  const contexts = record.replaced ? [...others, record.replaced as Context] : others;
  if (contexts.length === 0) await removeFile(record.file);
  else await writeContexts(record.file, withChoice(now, contexts, [own.name, record.previous]));
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
