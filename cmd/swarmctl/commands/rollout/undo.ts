import { InvalidArgumentError, type Command } from 'commander';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { readService } from '../../objects/read-service.js';
import { serviceNames } from '../../objects/service-names.js';
import { requireKind } from '../../objects/target.js';
import { UsageError } from '../../exit-code.js';
import { WrittenReport } from '../../output/print-written.js';
import { followServices } from '../../progress/follow-services.js';
import { defineCommand } from '../define-command.js';
import { timeoutOption, waitDeadline } from '../timeout-option.js';
import { addWriteOptions, writeOptionsOf, type WriteFlags } from '../write-options.js';

interface UndoFlags extends WriteFlags {
  readonly toRevision?: number;
  readonly wait?: boolean;
  readonly timeout: number;
}

/** `swarmctl rollout undo`. */
export function undoCommand(cli: Cli): Command {
  const command = defineCommand({
    name: 'undo',
    summary: 'Take the template of a service from an earlier revision',
    description:
      'Goes back to the last revision with another template, or to any that is kept (`swarmctl rollout history`). Replicas, labels and policies stay as they are. Tasks are replaced by `spec.rollback`.',
    examples: [
      ['Back to the one before', 'swarmctl rollout undo web'],
      ['To a certain one, and say why', "swarmctl rollout undo web --to-revision 3 -m 'bad build'"],
      ['What it would be', 'swarmctl rollout undo web --dry-run -o yaml'],
    ],
  })
    .argument('<service>', 'name of a service')
    .argument('[name]', 'when the kind stands apart: service web')
    .option('--to-revision <number>', 'the revision to go back to', revisionArgument)
    .option('--wait', 'show progress until the tasks are back')
    .addOption(timeoutOption('5m'));
  return addWriteOptions(command).action(
    (first: string, second: string | undefined, flags: UndoFlags, self: Command) => {
      const names = serviceNames(second === undefined ? [first] : [first, second]);
      const [name = '', ...others] = names;
      if (others.length > 0) throw new UsageError('services are undone one at a time');
      return withCluster(cli, self, (session) => undo(session, name, flags));
    },
  );
}

/** Reads a number of a revision. */
export function revisionArgument(text: string): number {
  if (!/^[1-9]\d{0,7}$/.test(text)) throw new InvalidArgumentError('Expected a number from 1.');
  return Number(text);
}

async function undo(session: Session, name: string, flags: UndoFlags): Promise<void> {
  const { api, streams } = session;
  const { toRevision, output, dryRun = false } = flags;
  const deadline = waitDeadline(streams, flags.timeout);
  const kind = requireKind('service');
  const order = { action: 'undo', ...(toRevision !== undefined && { toRevision }) } as const;
  await readService(session, name); // so that a revision that is not there is not taken for it
  const { result, object } = await api.rollout(name, order, writeOptionsOf(flags, streams));
  const report = new WrittenReport(streams, output, dryRun);
  const word =
    result === 'unchanged' ? result : `goes back to revision ${String(object.rollout?.undo ?? '')}`;
  report.add({ kind, name, word, object });
  await report.end();
  if (flags.wait && !dryRun) await followServices(session, [name], deadline);
}
