import type { Command } from 'commander';
import { revisionTemplateOf, type Service } from '../../../../api/v1/index.js';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { modeWords, renderPart, renderSheet, templateRows } from '../../describe/index.js';
import { printInspected, type InspectOptions } from '../../docker/inspect.js';
import { readService } from '../../objects/read-service.js';
import { defineDockerCommand } from '../define-command.js';

/** `swarmctl service inspect`. */
export function inspectCommand(cli: Cli): Command {
  return defineDockerCommand({
    name: 'inspect',
    summary: 'Display detailed information on one or more services',
    examples: [
      ['As JSON', 'swarmctl service inspect web'],
      ['For people', 'swarmctl service inspect --pretty web'],
      ['One field', "swarmctl service inspect -f '{{.spec.task.container.image}}' web"],
    ],
  })
    .argument('<service...>', 'names of services')
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
  const services = await Promise.all(names.map((name) => readService(session, name)));
  printInspected(session.streams, services, { ...options, prettyText: pretty });
}

function pretty(service: Service): string {
  const labels = Object.entries(service.metadata.labels ?? {});
  return [
    renderSheet([
      ['ID', service.metadata.uid],
      ['Name', service.metadata.name],
      ['Labels', labels.map(([key, value]) => `${key}=${value}`)],
      ['Service Mode', modeWords(service)],
    ]),
    renderPart('Template', renderSheet(templateRows(revisionTemplateOf(service.spec)), 1)),
  ].join('');
}
