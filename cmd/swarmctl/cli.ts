import type { Command } from 'commander';
import { InvalidObjectError, messageOf } from '../../pkg/base/index.js';
import type { ClusterApi } from './cluster-api.js';
import { paintFor, type Paint } from './output/colour.js';
import type { Streams } from './streams.js';

/** Connects to the cluster of a context; undefined means the current one. */
export type Connect = (streams: Streams, context: string | undefined) => Promise<ClusterApi>;

/** What every command gets. */
export interface Cli {
  readonly streams: Streams;
  readonly paint: Paint;
  readonly connect: Connect;
}

/** What a command that talks to a cluster gets. */
export interface Session {
  readonly streams: Streams;
  readonly paint: Paint;
  readonly api: ClusterApi;
}

/** What commands share, over these streams. */
export function createCli(streams: Streams, connect: Connect = connectToContext): Cli {
  return { streams, connect, paint: paintFor(streams) };
}

/** Runs `work` with a connection to the cluster that the command line chose, and closes it. */
export async function withCluster<T>(
  { streams, paint, connect }: Cli,
  command: Command,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const { context } = command.optsWithGlobals<{ readonly context?: string }>();
  const api = await connect(streams, context);
  try {
    return await work({ streams, paint, api });
  } finally {
    api.close();
  }
}

/** Loaded when needed: help and completion must not wait for TLS. */
async function connectToContext(streams: Streams, name: string | undefined): Promise<ClusterApi> {
  const [{ configPath, readConfig, requireContext }, { SwarmClient }] = await Promise.all([
    import('./context/config-file.js'),
    import('../../pkg/client/index.js'),
  ]);
  const context = requireContext(readConfig(configPath(streams.env)), name);
  try {
    return new SwarmClient({
      managers: context.managers,
      tls: { ca: context.ca, cert: context.certificate, key: context.key },
      clock: streams.clock,
    });
  } catch (error) {
    throw new InvalidObjectError(`context ${context.name} cannot be used: ${messageOf(error)}`);
  }
}
