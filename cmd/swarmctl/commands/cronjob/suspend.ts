import type { Command } from 'commander';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { requireKind } from '../../objects/target.js';
import { namedFailure } from '../../objects/unknown-name.js';
import { defineCommand } from '../define-command.js';

/** `swarmctl cronjob suspend`. */
export function suspendCommand(cli: Cli): Command {
  return suspension(cli, {
    name: 'suspend',
    summary: 'Start no further runs of cron jobs',
    description: 'Runs that go on are left alone. What passes meanwhile is not made up for.',
    example: ['Nothing tonight', 'swarmctl cronjob suspend backup'],
    suspend: true,
    word: 'suspended',
  });
}

/** `swarmctl cronjob resume`. */
export function resumeCommand(cli: Cli): Command {
  return suspension(cli, {
    name: 'resume',
    summary: 'Start runs of cron jobs again when they are due',
    description: 'The next run starts when the schedule says so.',
    example: ['Go on', 'swarmctl cronjob resume backup'],
    suspend: false,
    word: 'resumed',
  });
}

interface Suspension {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly example: readonly [string, string];
  readonly suspend: boolean;
  readonly word: string;
}

function suspension(cli: Cli, wish: Suspension): Command {
  const { name, summary, description, example } = wish;
  return defineCommand({ name, summary, description, examples: [example] })
    .argument('<name...>', 'names of cron jobs')
    .action((names: readonly string[], _flags: unknown, command: Command) =>
      withCluster(cli, command, (session) => setAll(session, names, wish)),
    );
}

async function setAll(
  session: Session,
  args: readonly string[],
  { suspend, word }: Suspension,
): Promise<void> {
  const { api, streams } = session;
  const kind = requireKind('cronjob');
  for (const name of args.map((arg) => arg.replace(/^[^/]*\//, ''))) {
    // Said only when it is not the default, so that a file that does not speak of it stays equal.
    const patch = { spec: { suspend: suspend ? true : null } };
    const { result } = await api
      .patch('cronjobs', name, patch, { signal: streams.interrupted })
      .catch(namedFailure(api, kind, name));
    streams.out(`cronjob/${name} ${result === 'unchanged' ? `is ${word} already` : word}\n`);
  }
}
