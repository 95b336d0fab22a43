import type { Command } from 'commander';
import { KINDS } from '../../../../api/v1/index.js';
import { InvalidObjectError, hasCode } from '../../../../pkg/base/index.js';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { readBackupObjects, type BackupObject } from '../../objects/backup-objects.js';
import { pluralOf, titleOf } from '../../objects/target.js';
import { YES_OPTION, confirm } from '../confirm.js';
import { defineCommand } from '../define-command.js';

/** `swarmctl cluster restore`. */
export function restoreCommand(cli: Cli): Command {
  return defineCommand({
    name: 'restore',
    summary: 'Bring back what a backup says was declared, on a cluster that lives',
    description:
      'Services, settings of the cluster, and labels and availability of nodes become what they were when the backup was made; the cluster brings about the rest, by its usual updates. For a cluster whose etcd is lost there is `swarm-manager restore`. Shows what would change, and asks.',
    examples: [
      ['What has changed since?', 'swarmctl cluster restore -f cluster.backup --dry-run'],
      ['Take back what was changed or deleted', 'swarmctl cluster restore -f cluster.backup'],
      ['And what was added', 'swarmctl cluster restore -f cluster.backup --prune'],
    ],
  })
    .requiredOption('-f, --filename <file>', 'what `swarmctl cluster backup` wrote')
    .option('--prune', 'delete what is not in the backup')
    .option('--foreign', 'also when it is the backup of another cluster')
    .option('--dry-run', 'show what would change, and change nothing')
    .option(...YES_OPTION)
    .action((options: RestoreOptions, command: Command) =>
      withCluster(cli, command, (session) => restore(session, options)),
    );
}

interface RestoreOptions {
  readonly filename: string;
  readonly prune?: boolean;
  readonly foreign?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** One thing to do, and its word for people. */
interface Step {
  readonly title: string;
  readonly word: string;
  readonly act: (() => Promise<unknown>) | undefined;
}

async function restore(session: Session, options: RestoreOptions): Promise<void> {
  const { streams } = session;
  const { header, objects } = await readBackupObjects(options.filename);
  await requireSameCluster(session, header.clusterId, options);
  const steps = [
    ...(await declaredSteps(session, objects)),
    ...(options.prune ? await pruneSteps(session, objects) : []),
  ];
  const changes = steps.filter(({ act }) => act !== undefined);
  streams.err(
    `Declared at ${header.createdAt}; ${changes.length} of ${steps.length} differ now.\n`,
  );
  const shown = steps.filter(({ word }) => word !== 'unchanged');
  if (options.dryRun || !options.yes) {
    for (const { title, word } of shown) streams.err(`  ${title} ${word}\n`);
  }
  if (options.dryRun || changes.length === 0) return;
  await confirm(streams, 'Bring that back?', options.yes ?? false);
  for (const { title, word, act } of changes) {
    await act?.();
    streams.out(`${title} ${word}\n`);
  }
}

async function requireSameCluster(
  { api, streams }: Session,
  clusterId: string,
  { foreign = false }: RestoreOptions,
): Promise<void> {
  const found = await api.version({ signal: streams.interrupted });
  if (foreign || found.clusterId === clusterId) return;
  throw new InvalidObjectError(
    `this is a backup of cluster ${clusterId}, and this is cluster ${found.clusterId}; --foreign brings its services back here`,
  );
}

async function declaredSteps(
  session: Session,
  objects: readonly BackupObject[],
): Promise<readonly Step[]> {
  const steps: Step[] = [];
  for (const object of objects) steps.push(await stepOf(session, object));
  return steps;
}

/** Tried first without a change, so that all that is wrong is told before anything is done. */
async function stepOf(session: Session, object: BackupObject): Promise<Step> {
  const { api, streams } = session;
  const { kind, name, reference, value } = object;
  const [plural, title] = [pluralOf(kind), titleOf(kind, name)];
  const signal = streams.interrupted;
  const replace = (dryRun: boolean) => api.replace(plural, reference, value, { dryRun, signal });
  const create = (dryRun: boolean) => api.create(plural, value, { dryRun, signal });
  try {
    const { result } = await replace(true);
    if (result === 'unchanged') return { title, word: result, act: undefined };
    return { title, word: 'restored', act: () => replace(false) };
  } catch (error) {
    if (!hasCode(error, 'ERR_NOT_FOUND')) throw error;
    if (!kind.verbs.includes('create')) {
      return { title, word: 'is not in this cluster any more', act: undefined };
    }
    await create(true);
    return { title, word: 'created again', act: () => create(false) };
  }
}

async function pruneSteps(
  { api, streams }: Session,
  objects: readonly BackupObject[],
): Promise<readonly Step[]> {
  const signal = streams.interrupted;
  const kept = new Set(objects.map(({ kind, name }) => titleOf(kind, name)));
  const kinds = KINDS.filter(({ verbs }) => verbs.includes('create') && verbs.includes('delete'));
  const found = await Promise.all(
    kinds.map(async (kind) => {
      const { items } = await api.listAll(pluralOf(kind), { signal });
      return items
        .filter(({ metadata }) => !('ownedBy' in metadata) && !('deletingAt' in metadata))
        .map(({ metadata: { name } }) => ({ kind, name, title: titleOf(kind, name) }));
    }),
  );
  return found
    .flat()
    .filter(({ title }) => !kept.has(title))
    .map(({ kind, name, title }) => {
      const act = () => api.delete(pluralOf(kind), name, { signal });
      return { title, word: 'deleted', act };
    });
}
