/** Commands for jobs that are run on a schedule. */
import type { Command } from 'commander';
import type { Cli } from '../../cli.js';
import { defineGroup } from '../define-command.js';
import { createCommand } from './create.js';
import { runCommand } from './run.js';
import { resumeCommand, suspendCommand } from './suspend.js';

/** `swarmctl cronjob`. */
export function cronjobCommand(cli: Cli): Command {
  return defineGroup(
    {
      name: 'cronjob',
      summary: 'Jobs that are run on a schedule',
      examples: [
        [
          'One that runs every night',
          'swarmctl cronjob create --name backup --schedule "30 2 * * *" backup:1',
        ],
        ['When they run next', 'swarmctl get cronjobs'],
        ['How the last runs went, and why one was skipped', 'swarmctl describe cronjob backup'],
        ['Run it now', 'swarmctl cronjob run backup'],
      ],
    },
    [createCommand(cli), runCommand(cli), suspendCommand(cli), resumeCommand(cli)],
  );
}
