import { Option, type Command } from 'commander';
import { withCluster, type Cli } from '../../cli.js';
import { dockerLogNames, type LogPrefixOptions } from '../../docker/log-prefix.js';
import { UsageError } from '../../exit-code.js';
import { printLogs } from '../../objects/print-logs.js';
import { defineDockerCommand } from '../define-command.js';

interface LogsOptions extends LogPrefixOptions {
  readonly follow?: boolean;
  readonly tail?: string;
  readonly since?: string;
  readonly timestamps?: boolean;
  readonly raw?: boolean;
  readonly details?: boolean;
}

/** As Docker sets names apart from lines. */
const SEPARATOR = '    | ';

/** `swarmctl service logs`. */
export function logsCommand(cli: Cli): Command {
  return defineDockerCommand({
    name: 'logs',
    summary: 'Fetch the logs of a service or task',
    examples: [
      ['And go on', 'swarmctl service logs -f web'],
      ['The last lines of one task', 'swarmctl service logs -n 20 web.1'],
      ['Nothing but what was written', 'swarmctl service logs --raw web'],
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
    .option('--no-resolve', 'do not map IDs to names in output')
    .option('--no-task-ids', 'do not include task IDs in output')
    .option('--no-trunc', 'do not truncate output')
    .option('--raw', 'do not neatly format logs')
    .addOption(new Option('--details').hideHelp())
    .action((name: string, options: LogsOptions, command: Command) => {
      if (options.details) {
        throw new UsageError(
          '--details is not supported yet',
          "What a log driver adds (its options `labels` and `env`) is in the container's template: `swarmctl service inspect --pretty NAME`.",
        );
      }
      return withCluster(cli, command, (session) =>
        printLogs(session, name, {
          ...options,
          isPrefixed: !options.raw,
          nameOf: dockerLogNames(session, options),
          separator: SEPARATOR,
          stampsFirst: true,
          splitStreams: true,
        }),
      );
    });
}
