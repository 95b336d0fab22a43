import type { Command } from 'commander';
import { collect } from './define-command.js';

/** Flags of `docker service ps` and `docker node ps`. */
export function addTaskListOptions(command: Command): Command {
  return command
    .option('-f, --filter <filter>', 'filter output: id, label, name, node, desired-state', collect)
    .option(
      '--format <string>',
      "'table', 'table TEMPLATE', 'json', 'raw' or a Go template, of .ID .Name .Image .Node .DesiredState .CurrentState .Error .Ports",
    )
    .option('--no-resolve', 'do not map IDs to names')
    .option('--no-trunc', 'do not truncate output')
    .option('-q, --quiet', 'only display task IDs');
}
