import type { Command } from 'commander';
import { modeNameOf, type Service } from '../../../../api/v1/index.js';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { hasLabels, matches, parseFilters } from '../../docker/filters.js';
import { printRows, type Heading, type ListOptions, type Row } from '../../docker/print-rows.js';
import { byNaturalOrder } from '../../objects/natural-order.js';
import { imageWords, portsOf, replicaWords, shortId } from '../../output/words.js';
import { collect, defineDockerCommand } from '../define-command.js';

interface LsOptions extends ListOptions {
  readonly filter?: readonly string[];
}

const HEADINGS: readonly Heading[] = [
  ['ID', 'ID'],
  ['Name', 'NAME'],
  ['Mode', 'MODE'],
  ['Replicas', 'REPLICAS'],
  ['Image', 'IMAGE'],
  ['Ports', 'PORTS'],
];

/** `swarmctl service ls`. */
export function lsCommand(cli: Cli): Command {
  return defineDockerCommand({
    name: 'ls',
    summary: 'List services',
    description:
      'Lists services. Placeholders of --format: .ID .Name .Mode .Replicas .Image .Ports',
    examples: [
      ['All of them', 'swarmctl service ls'],
      ['With a label', 'swarmctl service ls --filter label=tier=web'],
      ['Names and images', "swarmctl service ls --format '{{.Name}}: {{.Image}}'"],
    ],
  })
    .alias('list')
    .option('-f, --filter <filter>', 'filter output: id, label, mode, name', collect)
    .option('--format <string>', "'table', 'table TEMPLATE', 'json', 'raw' or a Go template")
    .option('-q, --quiet', 'only display IDs')
    .action((options: LsOptions, command: Command) =>
      withCluster(cli, command, (session) => list(session, options)),
    );
}

async function list({ api, streams }: Session, options: LsOptions): Promise<void> {
  const filters = parseFilters(options.filter ?? [], ['id', 'label', 'mode', 'name']);
  const { items } = await api.listAll('services', { signal: streams.interrupted });
  const rows = items
    .filter(
      ({ metadata, spec }) =>
        matches(filters, 'id', (wanted) => metadata.uid?.startsWith(wanted) ?? false) &&
        matches(filters, 'name', (wanted) => metadata.name.startsWith(wanted)) &&
        matches(filters, 'mode', (wanted) => modeNameOf(spec) === wanted) &&
        hasLabels(filters, 'label', metadata.labels ?? {}),
    )
    .sort((a, b) => byNaturalOrder(a.metadata.name, b.metadata.name))
    .map(rowOf);
  printRows(streams, HEADINGS, { ...options, rows, formatKey: 'servicesFormat' });
}

function rowOf(service: Service): Row {
  const { metadata, spec } = service;
  return {
    ID: shortId(metadata.uid),
    Name: metadata.name,
    // Docker says "replicated job" here, and takes replicated-job everywhere else.
    Mode: modeNameOf(spec).replace('-', ' '),
    Replicas: replicaWords(service),
    Image: imageWords(spec.task.container.image),
    Ports: portsOf(service),
  };
}
