import type { Command } from 'commander';
import { KINDS, findKind, isJob, type KindDescription } from '../../../api/v1/index.js';
import type { ClusterApi } from '../cluster-api.js';
import { withCluster, type Cli } from '../cli.js';
import { configPath, readConfig } from '../context/config-file.js';
import { pathsAfter } from '../objects/schema-docs.js';
import { pluralOf, referenceOf, requireKind, titleOf } from '../objects/target.js';
import type { Candidate } from './candidate.js';
import { optionWords, removableBy } from './option-words.js';

/** What was typed so far. */
export interface ArgumentContext {
  /** `get`, `service ps`, or `--for` for the value of an option. */
  readonly path: string;
  readonly operands: readonly string[];
  readonly current: string;
  readonly cli: Cli;
  readonly command: Command;
}

/** Names of a cluster that does not answer soon are no help. */
const TIMEOUT_MS = 1_500;

/** Words for an argument: kinds, names of objects, contexts, fields. Never fails. */
export async function argumentCandidates(context: ArgumentContext): Promise<readonly Candidate[]> {
  const source = SOURCES[context.path] ?? ofOption(context.path);
  if (source === undefined) return [];
  try {
    return (await source(context)).map((word) => (typeof word === 'string' ? { word } : word));
  } catch {
    return [];
  }
}

type Source = (
  context: ArgumentContext,
) => Promise<readonly (string | Candidate)[]> | readonly (string | Candidate)[];

const contexts: Source = ({ cli }) =>
  readConfig(configPath(cli.streams.env)).contexts.map(({ name }) => name);

const names =
  (...plurals: readonly string[]): Source =>
  async (context) => {
    const kinds = plurals.map(requireKind);
    return (await Promise.all(kinds.map((kind) => namesOf(context, kind)))).flat();
  };

/** `service/web` for each. */
const titles =
  (plural: string): Source =>
  async (context) => {
    const kind = requireKind(plural);
    return (await namesOf(context, kind)).map((name) => titleOf(kind, name));
  };

/** `KIND NAME…` or `KIND/NAME`. */
const targets: Source = (context) => {
  const { operands, current } = context;
  const [first] = operands;
  if (first !== undefined && !first.includes('/')) {
    const kind = findKind(first);
    return kind === undefined ? [] : namesOf(context, kind);
  }
  return current.includes('/') ? titlesOf(context) : kindWords();
};

const titlesOf: Source = async (context) => {
  const typed = context.current.slice(0, context.current.indexOf('/'));
  const kind = findKind(typed);
  if (kind === undefined) return kindWords().map(({ word }) => `${word}/`);
  return (await namesOf(context, kind)).map((name) => `${typed}/${name}`);
};

function kindWords(): readonly Candidate[] {
  return KINDS.map(({ plural, summary }) => ({ word: plural, about: summary }));
}

const scales: Source = async (context) =>
  (await namesOf(context, requireKind('services'))).map((name) => `${name}=`);

/** Only they can be run again. */
const jobs: Source = ({ cli, command }) =>
  withCluster(cli, command, async ({ api }) => {
    const { items } = await api.list('services', { timeoutMs: TIMEOUT_MS });
    return items.filter(({ spec }) => isJob(spec)).map(({ metadata }) => metadata.name);
  });

const SOURCES: Readonly<Record<string, Source>> = {
  get: targets,
  describe: targets,
  delete: targets,
  edit: targets,
  patch: targets,
  label: targets,
  annotate: targets,
  'set image': titles('services'),
  'set env': titles('services'),
  'set resources': titles('services'),
  ...Object.fromEntries(
    ['status', 'history', 'undo', 'pause', 'resume', 'restart', 'promote', 'abort'].map((verb) => [
      `rollout ${verb}`,
      names('services'),
    ]),
  ),
  wait: targets,
  scale: scales,
  'job run': jobs,
  'cronjob run': names('cronjobs'),
  'cronjob suspend': names('cronjobs'),
  'cronjob resume': names('cronjobs'),
  logs: names('services', 'tasks'),
  explain: ({ current }) => pathsAfter(current),
  'service ps': names('services'),
  'service inspect': names('services'),
  'service rm': names('services'),
  'service logs': names('services', 'tasks'),
  'service scale': scales,
  'service update': names('services'),
  'service rollback': names('services'),
  'node inspect': names('nodes'),
  'node ps': names('nodes'),
  'node update': names('nodes'),
  'node rm': names('nodes'),
  drain: names('nodes'),
  cordon: names('nodes'),
  uncordon: names('nodes'),
  'config use-context': contexts,
  'config delete-context': contexts,
  '--context': contexts,
  '--for': ({ command }) =>
    command.name() === 'wait'
      ? [
          'running',
          'complete',
          'failed',
          'deleted',
          'condition=Available',
          'condition=Progressing=false',
        ]
      : ['service/', 'task/', 'node/'],
};

/** Words for the value of an option, such as `--update-order`. */
function ofOption(path: string): Source | undefined {
  if (!path.startsWith('--')) return undefined;
  const name = path.slice(2);
  const removable = removableBy(name);
  if (removable === undefined) return ({ command }) => optionWords(command, name);
  return async ({ cli, command, operands: [service] }) => {
    if (service === undefined) return [];
    const options = { timeoutMs: TIMEOUT_MS };
    return withCluster(cli, command, async ({ api }) =>
      removable(await api.get('services', service, options)),
    );
  };
}

async function namesOf(
  { cli, command }: ArgumentContext,
  kind: KindDescription,
): Promise<readonly string[]> {
  return withCluster(cli, command, async ({ api }) => {
    const { items } = await listed(api, kind);
    return items.map((object) =>
      kind.kind === 'ServiceRevision' ? referenceOf(kind, object) : object.metadata.name,
    );
  });
}

const listed = (api: ClusterApi, kind: KindDescription) =>
  api.list(pluralOf(kind), { timeoutMs: TIMEOUT_MS });
