import type { Command } from 'commander';
import { hasCode } from '../../../../pkg/base/index.js';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { UsageError } from '../../exit-code.js';
import { addUpdateOptions, type UpdateOptions } from '../../docker/update-options.js';
import { updatedService } from '../../docker/update/updated-service.js';
import { mergeDiff } from '../../objects/merge-diff.js';
import { orderRollback } from '../../objects/order-rollback.js';
import { readService } from '../../objects/read-service.js';
import { followServices } from '../../progress/follow-services.js';
import { quietly } from '../../progress/quietly.js';
import { defineDockerCommand } from '../define-command.js';
import { waitDeadline } from '../timeout-option.js';

interface UpdateFlags extends UpdateOptions {
  readonly detach?: boolean;
  readonly quiet?: boolean;
  readonly message?: string;
}

/** `swarmctl service update`. */
export function updateCommand(cli: Cli): Command {
  const command = defineDockerCommand({
    name: 'update',
    summary: 'Update a service',
    description:
      'Changes what the flags say and leaves the rest of the service as it is. Tasks are replaced when their template changes, or with --force.',
    examples: [
      ['A new image', 'swarmctl service update --image nginx:1.28 web'],
      [
        'Two at a time, the new before the old',
        'swarmctl service update --update-parallelism 2 --update-order start-first web',
      ],
      ['A variable and a mount', 'swarmctl service update --env-add A=1 --mount-rm /data web'],
      ['Every task anew', 'swarmctl service update --force web'],
      ['As it was before', 'swarmctl service update --rollback web'],
    ],
  }).argument('<service>', 'name of a service');
  return addUpdateOptions(command)
    .option('-d, --detach', 'exit immediately instead of waiting for the service to converge')
    .option('-q, --quiet', 'suppress progress output')
    .option('-m, --message <why>', 'why; kept with the change and shown by its history')
    .action((name: string, flags: UpdateFlags, self: Command) => {
      if (flags.rollback) requireNothingElse(self);
      return withCluster(cli, self, (session) => update(session, name, flags));
    });
}

/** A rollback takes everything from the revision it goes back to. Errors: UsageError. */
function requireNothingElse(command: Command): void {
  const mayBeGiven = ['rollback', 'detach', 'quiet', 'message', 'context'];
  const others = Object.keys(command.opts())
    .filter((key) => command.getOptionValueSource(key) === 'cli')
    .filter((key) => !mayBeGiven.includes(key));
  if (others.length > 0) throw new UsageError('other flags may not be combined with --rollback');
}

async function update(session: Session, name: string, flags: UpdateFlags): Promise<void> {
  const { streams } = session;
  await (flags.rollback
    ? orderRollback(session, name, flags.message)
    : change(session, name, flags));
  streams.out(`${name}\n`);
  if (flags.detach) return;
  const shown = flags.quiet ? quietly(session) : session;
  await followServices(shown, [name], waitDeadline(streams, 0));
}

/** Losing a race so often in a row is no race any more. */
const MAX_ATTEMPTS = 5;

/** Flags change what is there, so the write holds its version and is made anew after a lost race. */
async function change(session: Session, name: string, flags: UpdateFlags): Promise<void> {
  const { api, streams } = session;
  for (let attempt = 1; ; attempt += 1) {
    const before = await readService(session, name);
    const { labels, spec } = updatedService(before, flags, streams.env);
    const diff = mergeDiff(
      { metadata: { labels: before.metadata.labels ?? {} }, spec: before.spec },
      { metadata: { labels }, spec },
    );
    if (diff === undefined) return;
    try {
      const { metadata, ...rest } = diff as { readonly metadata?: object };
      const { version } = before.metadata;
      const patch = { ...rest, metadata: { ...metadata, version } };
      const options = { cause: flags.message, signal: streams.interrupted };
      await api.patch('services', name, patch, options);
      return;
    } catch (error) {
      if (!hasCode(error, 'ERR_CONFLICT') || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
