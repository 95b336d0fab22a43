import type { Command } from 'commander';
import { withCluster, type Cli } from '../../cli.js';
import { printLogs } from '../../objects/print-logs.js';
import { defineDockerCommand } from '../define-command.js';

interface LogsOptions {
  readonly follow?: boolean;
  readonly tail?: string;
  readonly since?: string;
  readonly timestamps?: boolean;
  readonly raw?: boolean;
}

/** `swarmctl service logs`. */
export function logsCommand(cli: Cli): Command {
  return defineDockerCommand({
    name: 'logs',
    summary: 'Fetch the logs of a service or task',
    examples: [
      ['And go on', 'swarmctl service logs -f web'],
      ['The last lines of one task', 'swarmctl service logs -n 20 web.1'],
    ],
  })
    .argument('<service|task>', 'a service or a task')
    .option('-f, --follow', 'follow log output')
    .option(
      '-n, --tail <string>',
      'number of lines to show from the end of the logs (default: all)',
    )
    .option(
      '--since <string>',
      'show logs since timestamp (2013-01-02T13:23:37Z) or relative (42m)',
    )
    .option('-t, --timestamps', 'show timestamps')
    .option('--raw', 'do not neatly format logs')
    .action((name: string, options: LogsOptions, command: Command) =>
      withCluster(cli, command, (session) =>
        printLogs(session, name, { ...options, isPrefixed: !options.raw, splitStreams: true }),
      ),
    );
}
