/** Rollouts: how updates of services go, and orders about them. */
import type { Command } from 'commander';
import type { Cli } from '../../cli.js';
import { defineGroup } from '../define-command.js';
import { historyCommand } from './history.js';
import { orderCommands } from './orders.js';
import { statusCommand } from './status.js';
import { undoCommand } from './undo.js';

/** `swarmctl rollout`. */
export function rolloutCommand(cli: Cli): Command {
  return defineGroup(
    {
      name: 'rollout',
      summary: 'Follow, pause, undo and promote updates of services',
      description:
        'A changed template of a service is rolled out to its tasks by `spec.update` (`swarmctl explain service.spec.update`).',
      examples: [
        ['Wait until it is done; the exit code says how it went', 'swarmctl rollout status web'],
        ['What there was, and why', 'swarmctl rollout history web'],
        ['Back to the revision before', 'swarmctl rollout undo web --wait'],
        [
          'Stop in the middle, and go on',
          'swarmctl rollout pause web; swarmctl rollout resume web',
        ],
      ],
    },
    [statusCommand(cli), historyCommand(cli), undoCommand(cli), ...orderCommands(cli)],
  );
}
