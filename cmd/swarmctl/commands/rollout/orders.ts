import type { Command } from 'commander';
import type { RolloutAction } from '../../../../api/v1/index.js';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { namedFailure } from '../../objects/unknown-name.js';
import { requireKind } from '../../objects/target.js';
import { serviceNames } from '../../objects/service-names.js';
import { WrittenReport } from '../../output/print-written.js';
import { followServices } from '../../progress/follow-services.js';
import { defineCommand } from '../define-command.js';
import { timeoutOption, waitDeadline } from '../timeout-option.js';
import { addWriteOptions, writeOptionsOf, type WriteFlags } from '../write-options.js';

interface OrderNotes {
  readonly action: Exclude<RolloutAction, 'undo'>;
  /** Said of a service that obeys. */
  readonly word: string;
  readonly summary: string;
  readonly description: string;
  readonly examples: readonly (readonly [string, string])[];
}

const ORDERS: readonly OrderNotes[] = [
  {
    action: 'pause',
    word: 'paused',
    summary: 'Replace no more tasks of services for now',
    description:
      'What is under way in a slot ends; no other slot is begun, and changes of the template gather until the rollout is resumed.',
    examples: [['Stop in the middle', 'swarmctl rollout pause web']],
  },
  {
    action: 'resume',
    word: 'resumed',
    summary: 'Go on with rollouts that were paused, failed, or went back',
    description:
      'Goes on where it was paused. After a failure, a rollback or an abort it tries again what the spec wants.',
    examples: [['Go on, and see it happen', 'swarmctl rollout resume web --wait']],
  },
  {
    action: 'restart',
    word: 'restarted',
    summary: 'Replace all tasks of services by new ones of the same template',
    description: 'The tasks are replaced by the pace of `spec.update`, as in any update.',
    examples: [['Every task anew', 'swarmctl rollout restart web --wait']],
  },
  {
    action: 'promote',
    word: 'promoted',
    summary: 'Bring all tasks to the revision that the canaries run',
    description: 'For services with `spec.update.canary`, whose update waits for this.',
    examples: [['The canaries are well', 'swarmctl rollout promote web']],
  },
  {
    action: 'abort',
    word: 'aborted',
    summary: 'Bring tasks back to where an update that is under way came from',
    description:
      'The tasks go back by `spec.rollback`; the spec stays as it is, and `resume` tries it again. When the update is over already, use undo.',
    examples: [['The canaries are not well', 'swarmctl rollout abort web --wait']],
  },
];

interface OrderFlags extends WriteFlags {
  readonly wait?: boolean;
  readonly timeout: number;
}

/** `swarmctl rollout pause`, `resume`, `restart`, `promote` and `abort`. */
export function orderCommands(cli: Cli): readonly Command[] {
  return ORDERS.map((notes) => orderCommand(cli, notes));
}

function orderCommand(cli: Cli, { action, word, ...notes }: OrderNotes): Command {
  const command = defineCommand({ name: action, ...notes })
    .argument('<service...>', 'names of services')
    .option('--wait', 'show progress until the rollout is over')
    .addOption(timeoutOption('5m'));
  return addWriteOptions(command).action(
    (args: readonly string[], flags: OrderFlags, self: Command) => {
      const names = serviceNames(args);
      return withCluster(cli, self, (session) => give(session, names, { action, word, flags }));
    },
  );
}

interface Given {
  readonly action: RolloutAction;
  readonly word: string;
  readonly flags: OrderFlags;
}

async function give(
  session: Session,
  names: readonly string[],
  { action, word, flags }: Given,
): Promise<void> {
  const { api, streams } = session;
  const deadline = waitDeadline(streams, flags.timeout);
  const kind = requireKind('service');
  const report = new WrittenReport(streams, flags.output, flags.dryRun ?? false);
  try {
    for (const name of names) {
      const { result, object } = await api
        .rollout(name, { action }, writeOptionsOf(flags, streams))
        .catch(namedFailure(api, kind, name));
      report.add({ kind, name, word: result === 'unchanged' ? result : word, object });
    }
  } finally {
    await report.end();
  }
  if (flags.wait && !flags.dryRun) await followServices(session, names, deadline);
}
