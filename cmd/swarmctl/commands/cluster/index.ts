/** Commands for the cluster as a whole. */
import type { Command } from 'commander';
import type { Cli } from '../../cli.js';
import { defineGroup } from '../define-command.js';
import { acceptHistoryCommand } from './accept-history.js';

/** `swarmctl cluster`. */
export function clusterCommand(cli: Cli): Command {
  return defineGroup(
    {
      name: 'cluster',
      summary: 'Accept a restored store',
      examples: [['Is the cluster well?', 'swarmctl describe cluster default']],
    },
    [acceptHistoryCommand(cli)],
  );
}
