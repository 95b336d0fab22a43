/** Commands for services whose tasks complete. */
import type { Command } from 'commander';
import type { Cli } from '../../cli.js';
import { defineGroup } from '../define-command.js';
import { runCommand } from './run.js';

/** `swarmctl job`. */
export function jobCommand(cli: Cli): Command {
  return defineGroup(
    {
      name: 'job',
      summary: 'Runs of services whose tasks complete',
      examples: [
        ['Run a job again, and wait for its end', 'swarmctl job run backup --wait'],
        ['How far it is', 'swarmctl get services'],
      ],
    },
    [runCommand(cli)],
  );
}
