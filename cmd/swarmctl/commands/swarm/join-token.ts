import { Argument, type Command } from 'commander';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { isReachable } from '../../output/words.js';
import { defineDockerCommand } from '../define-command.js';

type Role = 'worker' | 'manager';

/** `swarmctl swarm join-token`. */
export function joinTokenCommand(cli: Cli): Command {
  return defineDockerCommand({
    name: 'join-token',
    summary: 'Show how to make a machine a node of the cluster',
    examples: [
      ['The command to run on the machine', 'swarmctl swarm join-token worker'],
      ['Only the token', 'swarmctl swarm join-token -q worker'],
    ],
  })
    .addArgument(new Argument('<role>', 'worker or manager').choices(['worker', 'manager']))
    .option('-q, --quiet', 'only display token')
    .action((role: Role, { quiet = false }: { readonly quiet?: boolean }, command: Command) =>
      withCluster(cli, command, (session) => show(session, role, quiet)),
    );
}

async function show({ api, streams }: Session, role: Role, isQuiet: boolean): Promise<void> {
  const signal = streams.interrupted;
  const tokens = await api.joinTokens({ signal });
  if (isQuiet) {
    streams.out(`${tokens[role]}\n`);
    return;
  }
  const { items } = await api.listAll('managers', { signal });
  const addresses = items.filter(isReachable).map(({ status }) => status.address);
  const managers = (addresses.length > 0 ? addresses : api.managers).join(',');
  // In the environment and not in the arguments, which every user of the machine can read.
  streams.out(
    [
      `To add a ${role} to this swarm, run the following command:`,
      '',
      `    SWARM_JOIN_TOKEN=${tokens[role]} swarm-agent join --manager ${managers}`,
      '',
      'and then start `swarm-agent run` there.',
      '',
    ].join('\n'),
  );
}
