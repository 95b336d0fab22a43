import type { Command } from 'commander';
import type { Manager, Node, NodeState } from '../../../../api/v1/index.js';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { hasLabels, matches, parseFilters, type Filters } from '../../docker/filters.js';
import { printRows, type Heading, type ListOptions, type Row } from '../../docker/print-rows.js';
import { managerStatusOf } from '../../objects/find-nodes.js';
import { collect, defineDockerCommand } from '../define-command.js';

interface LsOptions extends ListOptions {
  readonly filter?: readonly string[];
}

const HEADINGS: readonly Heading[] = [
  ['ID', 'ID'],
  ['Hostname', 'HOSTNAME'],
  ['Status', 'STATUS'],
  ['Availability', 'AVAILABILITY'],
  ['ManagerStatus', 'MANAGER STATUS'],
  ['EngineVersion', 'ENGINE VERSION'],
];

/** `swarmctl node ls`. */
export function lsCommand(cli: Cli): Command {
  return defineDockerCommand({
    name: 'ls',
    summary: 'List nodes in the swarm',
    examples: [
      ['All of them', 'swarmctl node ls'],
      ['Those with a label', 'swarmctl node ls --filter node.label=disk=ssd'],
    ],
  })
    .alias('list')
    .option('-f, --filter <filter>', 'filter output: id, label, name, node.label, role', collect)
    .option('--format <string>', "'table', 'table TEMPLATE', 'json' or a Go template")
    .option('-q, --quiet', 'only display IDs')
    .action((options: LsOptions, command: Command) =>
      withCluster(cli, command, (session) => list(session, options)),
    );
}

async function list({ api, streams }: Session, options: LsOptions): Promise<void> {
  const known = ['id', 'label', 'name', 'node.label', 'role'];
  const filters = parseFilters(options.filter ?? [], known);
  const signal = streams.interrupted;
  const [nodes, managers] = await Promise.all([
    api.listAll('nodes', { signal }),
    api.listAll('managers', { signal }),
  ]);
  const rows = nodes.items
    .filter((node) => isWanted(node, filters))
    .map((node) => rowOf(node, managers.items));
  printRows(streams, HEADINGS, { ...options, rows });
}

function isWanted({ metadata, spec, status }: Node, filters: Filters): boolean {
  return (
    matches(filters, 'id', (wanted) => metadata.uid?.startsWith(wanted) ?? false) &&
    matches(filters, 'name', (wanted) => metadata.name.startsWith(wanted)) &&
    matches(filters, 'role', (wanted) => spec.role === wanted) &&
    hasLabels(filters, 'node.label', metadata.labels ?? {}) &&
    hasLabels(filters, 'label', status?.description?.engineLabels ?? {})
  );
}

/** Our states in Docker's words. */
const STATUS: Readonly<Record<NodeState, string>> = {
  ready: 'Ready',
  unknown: 'Unknown',
  lost: 'Down',
};

function rowOf(node: Node, managers: readonly Manager[]): Row {
  const { metadata, spec, status } = node;
  return {
    ID: metadata.uid ?? '',
    Hostname: metadata.name,
    Status: STATUS[status?.state ?? 'unknown'],
    Availability: `${spec.availability.charAt(0).toUpperCase()}${spec.availability.slice(1)}`,
    ManagerStatus: managerStatusOf(node, managers),
    EngineVersion: status?.description?.engineVersion ?? '',
  };
}
