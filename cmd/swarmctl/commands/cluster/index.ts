/** Commands for the cluster as a whole. */
import type { Command } from 'commander';
import type { Cli } from '../../cli.js';
import { defineGroup } from '../define-command.js';
import { acceptHistoryCommand } from './accept-history.js';
import { backupCommand } from './backup.js';
import { restoreCommand } from './restore.js';

/** `swarmctl cluster`. */
export function clusterCommand(cli: Cli): Command {
  return defineGroup(
    {
      name: 'cluster',
      summary: 'Back the cluster up, bring back what was declared, accept a restored store',
      examples: [['Is the cluster well?', 'swarmctl describe cluster default']],
    },
    [backupCommand(cli), restoreCommand(cli), acceptHistoryCommand(cli)],
  );
}
