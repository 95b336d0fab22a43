import { joinNode, machineName } from '../../pkg/agent/index.js';
import {
  UsageError,
  defineCommand,
  formatHostPort,
  readSecretFile,
  type Program,
  type Surroundings,
} from '../../pkg/config/index.js';
import { HELP, OVERVIEW, joinOptions, runOptions } from './options.js';
import { runAgent } from './wire.js';

/** `swarm-agent join` and `swarm-agent run`. */
export const swarmAgent: Program = {
  name: 'swarm-agent',
  overview: OVERVIEW,
  commands: {
    join: defineCommand(joinOptions, HELP.join, async (options, around) => {
      const { nodeId, clusterId, hostname } = await joinNode({
        stateFolder: options.stateDir,
        managers: options.managers.map(formatHostPort),
        token: await joinToken(options.tokenFile, around.env),
        hostname: options.hostname ?? machineName(),
        availability: options.availability,
        signal: around.signal,
      });
      around.out(`${hostname} joined cluster ${clusterId} as node ${nodeId}\n`);
    }),
    run: defineCommand(runOptions, HELP.run, runAgent),
  },
};

/** Never an argument: everybody on the machine can read those. */
async function joinToken(
  file: string | undefined,
  { SWARM_JOIN_TOKEN: token = '' }: Surroundings['env'],
): Promise<string> {
  if (file !== undefined) return readSecretFile(file);
  if (token.trim() !== '') return token.trim();
  throw new UsageError(
    'no join token: set SWARM_JOIN_TOKEN, or name a file with --token-file (swarmctl swarm join-token worker shows it)',
  );
}
