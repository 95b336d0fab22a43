import { Option, type Command } from 'commander';
import packageJson from '../../../package.json' with { type: 'json' };
import { API_VERSION } from '../../../api/v1/index.js';
import { withCluster, type Cli } from '../cli.js';
import { toJson } from '../output/json.js';
import { defineCommand } from './define-command.js';

interface VersionOptions {
  readonly client?: boolean;
  readonly output?: 'json';
}

/** `swarmctl version`. */
export function versionCommand(cli: Cli): Command {
  return defineCommand({
    name: 'version',
    summary: 'Versions of swarmctl and of the manager that answers',
    examples: [
      ['Both', 'swarmctl version'],
      ['Only this program, without a cluster', 'swarmctl version --client'],
    ],
  })
    .option('--client', 'only swarmctl')
    .addOption(new Option('-o, --output <format>', 'form').choices(['json']))
    .action((options: VersionOptions, command: Command) => version(cli, command, options));
}

const CLIENT = { version: packageJson.version, api: API_VERSION, node: process.version };

async function version(
  cli: Cli,
  command: Command,
  { client = false, output }: VersionOptions,
): Promise<void> {
  const { streams } = cli;
  const lines = `Client:  swarmctl ${CLIENT.version} (API ${CLIENT.api}, Node ${CLIENT.node})\n`;
  if (client) {
    streams.out(output === 'json' ? toJson({ client: CLIENT }) : lines);
    return;
  }
  if (output !== 'json') streams.out(lines);
  await withCluster(cli, command, async ({ api }) => {
    const server = await api.version({ signal: streams.interrupted });
    const role = server.leader ? ', leads' : '';
    streams.out(
      output === 'json'
        ? toJson({ client: CLIENT, server })
        : `Manager: ${server.version} (API ${server.api}, id ${server.managerId}${role})\nCluster: ${server.clusterId}\n`,
    );
  });
}
