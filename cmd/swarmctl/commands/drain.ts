import type { Command } from 'commander';
import type { Node } from '../../../api/v1/index.js';
import { withCluster, type Cli, type Session } from '../cli.js';
import { awaitDrained } from '../objects/await-drained.js';
import { openNode } from '../objects/open-node.js';
import { defineCommand } from './define-command.js';
import { timeoutOption, waitDeadline } from './timeout-option.js';

interface DrainOptions {
  readonly force?: boolean;
  readonly wait?: boolean;
  readonly timeout: number;
}

/** `swarmctl drain`. */
export function drainCommand(cli: Cli): Command {
  return defineCommand({
    name: 'drain',
    summary: 'Move all tasks off nodes, and keep new ones away',
    description:
      'Closes nodes to tasks. What runs there goes on until others serve in its place, as `disruption` of each service says; docs/nodes.md has the rules. `swarmctl uncordon` opens the nodes again.',
    examples: [
      ['Before a host is repaired: ends when nothing runs there', 'swarmctl drain worker-1 --wait'],
      [
        'Stop its tasks at once, whether there is another place for them or not',
        'swarmctl drain worker-1 --force',
      ],
      ['Open it again', 'swarmctl uncordon worker-1'],
    ],
  })
    .argument('<node...>', 'host names, ids or beginnings of ids')
    .option('--force', 'do not wait for others to take their place')
    .option('--wait', 'wait until nothing runs there any more')
    .addOption(timeoutOption('10m'))
    .action((names: readonly string[], options: DrainOptions, command: Command) =>
      withCluster(cli, command, (session) => drain(session, names, options)),
    );
}

async function drain(
  session: Session,
  names: readonly string[],
  { force = false, wait = false, timeout }: DrainOptions,
): Promise<void> {
  const { streams } = session;
  const deadline = waitDeadline(streams, timeout);
  const drained: Node[] = [];
  for (const name of names) {
    const openness = { availability: 'drain', drainMode: force ? 'force' : 'gentle' } as const;
    const { node, isNews } = await openNode(session, name, openness);
    drained.push(node);
    streams.out(`node/${node.metadata.name} ${isNews ? 'draining' : 'is drained already'}\n`);
  }
  if (!wait) return;
  await Promise.all(
    drained.map(async (node) => {
      await awaitDrained(session, node, deadline);
      streams.out(`node/${node.metadata.name} drained\n`);
    }),
  );
}
