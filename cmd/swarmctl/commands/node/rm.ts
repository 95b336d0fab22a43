import type { Command } from 'commander';
import { hasCode, messageOf } from '../../../../pkg/base/index.js';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { AlreadyToldError } from '../../exit-code.js';
import { findNode } from '../../objects/find-nodes.js';
import { defineDockerCommand } from '../define-command.js';

interface RmOptions {
  readonly force?: boolean;
}

/** `swarmctl node rm`. */
export function rmCommand(cli: Cli): Command {
  return defineDockerCommand({
    name: 'rm',
    summary: 'Remove one or more nodes from the swarm',
    description:
      'Removes nodes: their certificates are worth nothing from then on, their tasks are replaced elsewhere, and their agents remove all containers and leave when they hear of it.',
    examples: [
      ['A node whose agent was stopped', 'swarmctl node rm worker-3'],
      ['One that is ready', 'swarmctl node rm --force worker-3'],
    ],
  })
    .alias('remove')
    .argument('<node...>', 'host names, ids or beginnings of ids')
    .option('-f, --force', 'force remove a node from the swarm')
    .action((names: readonly string[], options: RmOptions, command: Command) =>
      withCluster(cli, command, (session) => removeAll(session, names, options)),
    );
}

/** One after the other; those that cannot be removed do not keep the others, as with Docker. */
async function removeAll(
  session: Session,
  names: readonly string[],
  { force = false }: RmOptions,
): Promise<void> {
  const { api, streams } = session;
  let failures = 0;
  for (const name of names) {
    try {
      const { metadata } = await findNode(session, name);
      const signal = streams.interrupted;
      await api.delete('nodes', metadata.uid ?? name, { signal, ...(force && { force }) });
      streams.out(`${name}\n`);
    } catch (error) {
      if (!['ERR_NOT_FOUND', 'ERR_CONFLICT'].some((code) => hasCode(error, code))) throw error;
      failures += 1;
      streams.err(`error: ${messageOf(error)}\n`);
    }
  }
  if (failures > 0) throw new AlreadyToldError('some nodes were not removed');
}
