import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { InvalidObjectError, NotFoundError } from '../../../pkg/base/index.js';
import { parseManifest, toYaml } from '../../../pkg/manifest/index.js';
import { codec, nearest } from '../../../api/v1/index.js';
import { Type, type Static } from 'typebox';

/** A cluster as one user knows it. */
const Context = Type.Object({
  name: Type.String({ minLength: 1 }),
  managers: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
  ca: Type.String({ minLength: 1 }),
  certificate: Type.String({ minLength: 1 }),
  key: Type.String({ minLength: 1 }),
});
export type Context = Static<typeof Context>;

const Config = Type.Object({
  apiVersion: Type.Literal('swarmctl/v1'),
  currentContext: Type.Optional(Type.String()),
  contexts: Type.Array(Context),
});
export type Config = Static<typeof Config>;
const configCodec = codec<Config>(Config);

const EMPTY: Config = { apiVersion: 'swarmctl/v1', contexts: [] };

/** `$SWARMCTL_CONFIG`, else `~/.swarmctl/config.yaml`. */
export function configPath(env: Readonly<Record<string, string | undefined>>): string {
  return env['SWARMCTL_CONFIG'] ?? join(env['HOME'] ?? homedir(), '.swarmctl', 'config.yaml');
}

/** The contexts in the file; none when there is no file. Errors: InvalidObjectError. */
export function readConfig(path: string): Config {
  const text = textOf(path);
  if (text === undefined) return EMPTY;
  const { objects, problems } = parseManifest(path, text);
  const value = objects[0]?.value;
  const wrong = problems.length > 0 ? problems : configCodec.problems(value);
  if (wrong.length > 0) {
    throw new InvalidObjectError(`${path} is not a swarmctl configuration`, wrong);
  }
  return value as Config;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new InvalidObjectError(`cannot read ${path}: ${(error as Error).message}`);
  }
}

/** Replaces the file as a whole; it holds private keys, so only its owner may read it. */
export function writeConfig(path: string, config: Config): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${String(process.pid)}.tmp`;
  writeFileSync(draft, toYaml(config), { mode: 0o600 });
  renameSync(draft, path);
}

/**
 * The context called `name`, or the current one. Errors: NotFoundError that says what there is and how to
 * get one.
 */
export function requireContext({ contexts, currentContext }: Config, name?: string): Context {
  const wanted = name ?? currentContext;
  if (wanted === undefined) {
    throw new NotFoundError(
      contexts.length === 0
        ? 'no cluster is known yet; `swarm-manager init` writes a context, `swarmctl config import FILE` takes one over, `make up` starts a local cluster'
        : `no current context; choose one with \`swarmctl config use-context\`: ${namesOf(contexts)}`,
    );
  }
  const found = contexts.find((context) => context.name === wanted);
  if (found) return found;
  const near = nearest(
    wanted,
    contexts.map((context) => context.name),
  );
  throw new NotFoundError(
    `there is no context "${wanted}";${near === undefined ? '' : ` did you mean ${near}?`} Known: ${namesOf(contexts) || 'none'}`,
  );
}

const namesOf = (contexts: readonly Context[]) => contexts.map(({ name }) => name).join(', ');

/** With `context` added, or put in the place of the one of its name, and made current. */
export function withContext(config: Config, context: Context): Config {
  const others = config.contexts.filter(({ name }) => name !== context.name);
  return { ...config, currentContext: context.name, contexts: [...others, context] };
}

/** Without the context; when it was current there is no current one. Errors: NotFoundError. */
export function withoutContext(config: Config, name: string): Config {
  requireContext(config, name);
  const { currentContext, ...rest } = config;
  const contexts = config.contexts.filter((context) => context.name !== name);
  return currentContext === undefined || currentContext === name
    ? { ...rest, contexts }
    : { ...rest, currentContext, contexts };
}
