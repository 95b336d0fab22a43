import type { Command } from 'commander';
import { withCluster, type Cli } from '../cli.js';
import { printLogs } from '../objects/print-logs.js';
import { defineCommand } from './define-command.js';

interface LogsOptions {
  readonly follow?: boolean;
  readonly tail?: string;
  readonly since?: string;
  readonly timestamps?: boolean;
  readonly prefix: boolean;
}

/** `swarmctl logs`. */
export function logsCommand(cli: Cli): Command {
  return defineCommand({
    name: 'logs',
    summary: 'What the containers of a service or task write',
    examples: [
      ['All tasks of a service, and go on', 'swarmctl logs -f web'],
      [
        'The last 20 lines of one task, with the time of each',
        'swarmctl logs --tail 20 --timestamps web.2',
      ],
      ['The last ten minutes, for another program', 'swarmctl logs --since 10m --no-prefix web'],
    ],
  })
    .argument('<service|task>', 'service/NAME, task/NAME, or just the name')
    .option('-f, --follow', 'go on with new lines')
    .option('-n, --tail <lines>', 'only the last lines of each task (default: all)')
    .option(
      '--since <when>',
      'a duration back from now (10m), or an instant (2026-01-31T12:00:00Z)',
    )
    .option('-t, --timestamps', 'show when each line was written')
    .option('--no-prefix', 'leave out which task and node a line is from')
    .action((name: string, options: LogsOptions, command: Command) =>
      withCluster(cli, command, (session) =>
        printLogs(session, name, { ...options, isPrefixed: options.prefix, splitStreams: false }),
      ),
    );
}
