import type { Command } from 'commander';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { nodeSheet } from '../../describe/describe-node.js';
import { printInspected, type InspectOptions } from '../../docker/inspect.js';
import { findNodes } from '../../objects/find-nodes.js';
import { defineDockerCommand } from '../define-command.js';

/** `swarmctl node inspect`. */
export function inspectCommand(cli: Cli): Command {
  return defineDockerCommand({
    name: 'inspect',
    summary: 'Display detailed information on one or more nodes',
    examples: [
      ['As JSON', 'swarmctl node inspect worker-1'],
      ['For people', 'swarmctl node inspect --pretty worker-1'],
    ],
  })
    .argument('<node...>', 'host names, ids or beginnings of ids')
    .option('-f, --format <string>', "'json' or a Go template")
    .option('--pretty', 'print the information in a human friendly format')
    .action((names: readonly string[], options: InspectOptions, command: Command) =>
      withCluster(cli, command, (session) => inspect(session, names, options)),
    );
}

async function inspect(
  session: Session,
  names: readonly string[],
  options: InspectOptions,
): Promise<void> {
  const { streams, paint } = session;
  const context = { now: streams.clock.now(), paint, nodeName: (id: string) => id };
  printInspected(streams, await findNodes(session, names), {
    ...options,
    prettyText: (node) => nodeSheet(node, context),
  });
}
