import type { Command } from 'commander';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { dockerService } from '../../docker/api/docker-service.js';
import { configuredFormat } from '../../docker/docker-config.js';
import { printInspected, type InspectOptions } from '../../docker/inspect.js';
import { prettyService } from '../../docker/pretty/pretty-service.js';
import { readService } from '../../objects/read-service.js';
import { readEach } from '../../objects/read-each.js';
import { defineDockerCommand } from '../define-command.js';

/** `swarmctl service inspect`. */
export function inspectCommand(cli: Cli): Command {
  return defineDockerCommand({
    name: 'inspect',
    summary: 'Display detailed information on one or more services',
    description:
      "Shows services in the form of Docker's API, so that templates and scripts for docker service inspect go on working; `swarmctl get service NAME -o json` shows them as the managers keep them. Templates know both forms.",
    examples: [
      ['As JSON', 'swarmctl service inspect web'],
      ['For people', 'swarmctl service inspect --pretty web'],
      ['One field', "swarmctl service inspect -f '{{.Spec.TaskTemplate.ContainerSpec.Image}}' web"],
      [
        'Mounts, one on a line',
        "swarmctl service inspect -f '{{range .spec.task.container.mounts}}{{println .target}}{{end}}' web",
      ],
    ],
  })
    .argument('<service...>', 'names of services')
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
  const { streams } = session;
  const configured = options.pretty ? undefined : configuredFormat(streams, 'serviceInspectFormat');
  const format = options.format ?? configured;
  await readEach(session, names, {
    read: (name) => readService(session, name),
    print: (services) => {
      const inspected = services.map((service) => ({
        object: service,
        docker: dockerService(service),
        pretty: () => prettyService(service, streams.clock.now()),
      }));
      const { pretty } = options;
      printInspected(streams, inspected, {
        ...(pretty !== undefined && { pretty }),
        ...(format !== undefined && { format }),
      });
    },
  });
}
