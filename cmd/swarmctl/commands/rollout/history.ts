import { Option, type Command } from 'commander';
import type { Service, ServiceRevision } from '../../../../api/v1/index.js';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { renderPart, renderSheet } from '../../describe/sheet.js';
import { templateRows } from '../../describe/spec-words.js';
import { instantWords } from '../../describe/common.js';
import { UsageError } from '../../exit-code.js';
import { changeWords, fieldChanges } from '../../objects/field-changes.js';
import { readService } from '../../objects/read-service.js';
import { serviceNames } from '../../objects/service-names.js';
import { ageOf } from '../../output/age.js';
import { toJson } from '../../output/json.js';
import { renderTable } from '../../output/table.js';
import { revisionState } from '../../output/words.js';
import { defineCommand } from '../define-command.js';
import { revisionArgument } from './undo.js';

interface HistoryFlags {
  readonly revision?: number;
  readonly output?: 'json' | 'yaml';
}

/** `swarmctl rollout history`. */
export function historyCommand(cli: Cli): Command {
  return defineCommand({
    name: 'history',
    summary: 'The revisions of a service that are kept, and why they were made',
    description:
      'A revision is stable when all tasks ran it for longer than the monitor of the update; a rollback goes to the last of them. `spec.revisionHistoryLimit` says how many are kept.',
    examples: [
      ['All of them', 'swarmctl rollout history web'],
      ['What one of them is, and what it changed', 'swarmctl rollout history web --revision 3'],
    ],
  })
    .argument('<service>', 'name of a service')
    .argument('[name]', 'when the kind stands apart: service web')
    .option('--revision <number>', 'everything about one of them', revisionArgument)
    .addOption(
      new Option('-o, --output <format>', 'print the objects instead').choices(['json', 'yaml']),
    )
    .action((first: string, second: string | undefined, flags: HistoryFlags, self: Command) => {
      const [name = '', ...others] = serviceNames(second === undefined ? [first] : [first, second]);
      if (others.length > 0) throw new UsageError('one service at a time has its history shown');
      return withCluster(cli, self, (session) => show(session, name, flags));
    });
}

async function show(session: Session, name: string, flags: HistoryFlags): Promise<void> {
  const service = await readService(session, name);
  const revisions = await readRevisions(session, service);
  const chosen =
    flags.revision === undefined ? revisions : [requireRevision(revisions, name, flags.revision)];
  if (flags.output !== undefined) return print(session, chosen, flags.output);
  const { streams } = session;
  const [only] = chosen;
  const now = streams.clock.now();
  const text =
    flags.revision === undefined || only === undefined
      ? tableOf(chosen, now)
      : sheetOf(only, revisions, now);
  streams.out(text);
}

/** Oldest first; only of this very service. */
async function readRevisions(
  { api, streams }: Session,
  { metadata }: Service,
): Promise<readonly ServiceRevision[]> {
  const { items } = await api.listAll('servicerevisions', {
    fieldSelector: `serviceUid=${metadata.uid ?? ''}`,
    signal: streams.interrupted,
  });
  return [...items].sort((a, b) => a.revision - b.revision);
}

function requireRevision(
  revisions: readonly ServiceRevision[],
  name: string,
  wanted: number,
): ServiceRevision {
  const found = revisions.find(({ revision }) => revision === wanted);
  if (found) return found;
  const numbers = revisions.map(({ revision }) => String(revision)).join(', ');
  throw new UsageError(`service/${name} has no revision ${String(wanted)}; it has ${numbers}`);
}

function tableOf(revisions: readonly ServiceRevision[], now: Date): string {
  return renderTable<ServiceRevision>(
    [
      { heading: 'REVISION', text: ({ revision }) => String(revision) },
      { heading: 'AGE', text: ({ createdAt }) => ageOf(createdAt, now) },
      { heading: 'STATE', text: revisionState },
      { heading: 'IMAGE', text: ({ template }) => template.task.container.image },
      { heading: 'CHANGE-CAUSE', text: ({ cause }) => cause ?? '<none>' },
    ],
    revisions,
  );
}

/** One revision, and what it changed of the one before that is kept. */
function sheetOf(
  revision: ServiceRevision,
  revisions: readonly ServiceRevision[],
  now: Date,
): string {
  const before = revisions.findLast((other) => other.revision < revision.revision);
  const changes = before === undefined ? [] : fieldChanges(before.template, revision.template);
  const lines = changes.map((change) => `  ${changeWords(change)}\n`).join('');
  return [
    renderSheet([
      ['Service', revision.service],
      ['Revision', String(revision.revision)],
      ['Created', instantWords(revision.createdAt, now)],
      ['State', revisionState(revision)],
      ['Change cause', revision.cause],
    ]),
    renderPart('Template', renderSheet(templateRows(revision.template), 1)),
    before === undefined
      ? ''
      : renderPart(`Changes since revision ${String(before.revision)}`, lines),
  ]
    .filter(Boolean)
    .join('\n');
}

async function print(
  { streams }: Session,
  revisions: readonly ServiceRevision[],
  output: 'json' | 'yaml',
): Promise<void> {
  const [only] = revisions;
  const document =
    revisions.length === 1 ? only : { apiVersion: 'swarm/v1', kind: 'List', items: revisions };
  if (output === 'json') {
    streams.out(toJson(document));
  } else {
    const { toYaml } = await import('../../../../pkg/manifest/index.js');
    streams.out(toYaml(document));
  }
}
