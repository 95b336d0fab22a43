import type { Command } from 'commander';
import { hasCode } from '../../../../pkg/base/index.js';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { AlreadyToldError } from '../../exit-code.js';
import { requireKind } from '../../objects/target.js';
import { unknownName } from '../../objects/unknown-name.js';
import { defineDockerCommand } from '../define-command.js';

/** `swarmctl service rm`. */
export function rmCommand(cli: Cli): Command {
  return defineDockerCommand({
    name: 'rm',
    summary: 'Remove one or more services',
    examples: [['Two services and all their tasks', 'swarmctl service rm web api']],
  })
    .alias('remove')
    .argument('<service...>', 'names of services')
    .action((names: readonly string[], _options: unknown, command: Command) =>
      withCluster(cli, command, (session) => removeAll(session, names)),
    );
}

/** One after the other; those that are not there do not keep the others. */
async function removeAll({ api, streams }: Session, names: readonly string[]): Promise<void> {
  let missing = 0;
  for (const name of names) {
    try {
      await api.delete('services', name, { signal: streams.interrupted });
      streams.out(`${name}\n`);
    } catch (error) {
      if (!hasCode(error, 'ERR_NOT_FOUND')) throw error;
      missing += 1;
      const { message } = await unknownName(api, requireKind('service'), name);
      streams.err(`error: ${message}\n`);
    }
  }
  if (missing > 0) throw new AlreadyToldError('some services were not found');
}
