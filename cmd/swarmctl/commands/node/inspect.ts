import type { Command } from 'commander';
import type { Node } from '../../../../api/v1/index.js';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { dockerNode } from '../../docker/api/docker-node.js';
import { printInspected, type InspectOptions } from '../../docker/inspect.js';
import { prettyNode } from '../../docker/pretty/pretty-node.js';
import { findNode, managerOn } from '../../objects/find-nodes.js';
import { readEach } from '../../objects/read-each.js';
import { defineDockerCommand } from '../define-command.js';

/** `swarmctl node inspect`. */
export function inspectCommand(cli: Cli): Command {
  return defineDockerCommand({
    name: 'inspect',
    summary: 'Display detailed information on one or more nodes',
    description:
      "Shows nodes in the form of Docker's API; `swarmctl get node NAME -o json` shows them as the managers keep them. Templates know both forms.",
    examples: [
      ['As JSON', 'swarmctl node inspect worker-1'],
      ['For people', 'swarmctl node inspect --pretty worker-1'],
      ['The node on whose host the manager runs that answers', 'swarmctl node inspect self'],
      ['One field', "swarmctl node inspect -f '{{.Description.Engine.EngineVersion}}' worker-1"],
    ],
  })
    .argument('<node...>', 'self, host names, ids or beginnings of ids')
    .option('-f, --format <string>', "'json', 'pretty' or a Go template")
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
  const { api, streams } = session;
  const managers = await api.listAll('managers', { signal: streams.interrupted });
  await readEach<Node>(session, names, {
    read: (name) => findNode(session, name),
    print: (nodes) => {
      const inspected = nodes.map((node) => {
        const here = managerOn(node, managers.items);
        return {
          object: node,
          docker: dockerNode(node, here),
          pretty: () => prettyNode(node, here),
        };
      });
      printInspected(streams, inspected, options);
    },
  });
}
