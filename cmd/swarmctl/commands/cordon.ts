import type { Command } from 'commander';
import { withCluster, type Cli, type Session } from '../cli.js';
import { openNode } from '../objects/open-node.js';
import { defineCommand } from './define-command.js';

/** `swarmctl cordon`. */
export function cordonCommand(cli: Cli): Command {
  return defineCommand({
    name: 'cordon',
    summary: 'Keep new tasks away from nodes',
    description:
      'Closes nodes to new tasks (availability pause); what runs there goes on. A drain that is under way stops where it is.',
    examples: [
      ['Nothing new goes there', 'swarmctl cordon worker-1'],
      ['Open it again', 'swarmctl uncordon worker-1'],
    ],
  })
    .argument('<node...>', 'host names, ids or beginnings of ids')
    .action((names: readonly string[], _options: unknown, command: Command) =>
      withCluster(cli, command, (session) =>
        openAll(session, names, { availability: 'pause', word: 'cordoned' }),
      ),
    );
}

/** `swarmctl uncordon`. */
export function uncordonCommand(cli: Cli): Command {
  return defineCommand({
    name: 'uncordon',
    summary: 'Open nodes to tasks again',
    description:
      'Opens nodes that were cordoned or drained. Tasks that are on their way elsewhere stay when nothing has taken their place yet; those that have left do not come back by themselves.',
    examples: [['It is repaired', 'swarmctl uncordon worker-1']],
  })
    .argument('<node...>', 'host names, ids or beginnings of ids')
    .action((names: readonly string[], _options: unknown, command: Command) =>
      withCluster(cli, command, (session) =>
        openAll(session, names, { availability: 'active', word: 'uncordoned' }),
      ),
    );
}

interface Opening {
  readonly availability: 'active' | 'pause';
  readonly word: string;
}

async function openAll(
  session: Session,
  names: readonly string[],
  { availability, word }: Opening,
): Promise<void> {
  for (const name of names) {
    const { node, isNews } = await openNode(session, name, { availability, drainMode: 'gentle' });
    session.streams.out(`node/${node.metadata.name} ${isNews ? word : `is ${word} already`}\n`);
  }
}
