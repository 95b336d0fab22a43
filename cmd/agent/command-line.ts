import { joinNode, machineName } from '../../pkg/agent/index.js';
import { InvalidObjectError, messageOf } from '../../pkg/base/index.js';
import {
  helpWanted,
  loadOptions,
  readSecretFile,
  renderHelp,
  type HostPort,
} from '../../pkg/config/index.js';
import { HELP, OVERVIEW, joinOptions, runOptions } from './options.js';
import type { Surroundings } from './surroundings.js';
import { runAgent } from './wire.js';

const OK = 0;
const FAILED = 1;
const USAGE = 2;

/** Runs what the arguments say; resolves to the exit code. */
export async function runCommandLine(
  [command = '--help', ...argv]: readonly string[],
  around: Surroundings,
): Promise<number> {
  try {
    switch (command) {
      case 'join':
        return await join(argv, around);
      case 'run':
        return await run(argv, around);
      case '--help':
      case '-h':
      case 'help':
        around.out(OVERVIEW);
        return OK;
      default:
        around.err(`swarm-agent: unknown command "${command}"\n\n${OVERVIEW}`);
        return USAGE;
    }
  } catch (error) {
    around.err(`swarm-agent ${command}: ${messageOf(error)}\n`);
    return error instanceof UsageError ? USAGE : FAILED;
  }
}

async function join(argv: readonly string[], around: Surroundings): Promise<number> {
  if (helpWanted(argv)) {
    around.out(renderHelp(joinOptions, HELP.join));
    return OK;
  }
  const options = asUsage(() => loadOptions(joinOptions, argv, around.env));
  const { nodeId, clusterId, hostname } = await joinNode({
    stateFolder: options.stateDir,
    managers: options.managers.map(formatHostPort),
    token: await joinToken(options.tokenFile, around.env),
    hostname: options.hostname ?? machineName(),
    availability: options.availability,
    signal: around.signal,
  });
  around.out(`${hostname} joined cluster ${clusterId} as node ${nodeId}\n`);
  return OK;
}

async function run(argv: readonly string[], around: Surroundings): Promise<number> {
  if (helpWanted(argv)) {
    around.out(renderHelp(runOptions, HELP.run));
    return OK;
  }
  const options = asUsage(() => loadOptions(runOptions, argv, around.env));
  await runAgent(options, around);
  return OK;
}

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

const formatHostPort = ({ host, port }: HostPort): string =>
  host.includes(':') ? `[${host}]:${String(port)}` : `${host}:${String(port)}`;

/** The command line itself is wrong. */
class UsageError extends Error {}

function asUsage<T>(load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (error instanceof InvalidObjectError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
