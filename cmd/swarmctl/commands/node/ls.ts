import type { Command } from 'commander';
import type { Manager, Node } from '../../../../api/v1/index.js';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { dockerState } from '../../docker/api/docker-node.js';
import { hasLabels, matches, parseFilters, type Filters } from '../../docker/filters.js';
import { capitalised } from '../../docker/pretty/pretty-node.js';
import { printRows, type Heading, type ListOptions, type Row } from '../../docker/print-rows.js';
import { managerStatusOf, ownHost } from '../../objects/find-nodes.js';
import { byNaturalOrder } from '../../objects/natural-order.js';
import { collect, defineDockerCommand } from '../define-command.js';

interface LsOptions extends ListOptions {
  readonly filter?: readonly string[];
}

const HEADINGS: readonly Heading[] = [
  ['ID', 'ID'],
  ['Self', 'SELF', 'hidden'],
  ['Hostname', 'HOSTNAME'],
  ['Status', 'STATUS'],
  ['Availability', 'AVAILABILITY'],
  ['ManagerStatus', 'MANAGER STATUS'],
  ['TLSStatus', 'TLS STATUS', 'hidden'],
  ['EngineVersion', 'ENGINE VERSION'],
];
const FILTERS = ['id', 'label', 'membership', 'name', 'node.label', 'role'];

/** `swarmctl node ls`. */
export function lsCommand(cli: Cli): Command {
  return defineDockerCommand({
    name: 'ls',
    summary: 'List nodes in the swarm',
    description:
      'Lists nodes. The * marks the node on whose host the manager runs that answers. Placeholders of --format: .ID .Self .Hostname .Status .Availability .ManagerStatus .TLSStatus .EngineVersion',
    examples: [
      ['All of them', 'swarmctl node ls'],
      ['Those with a label', 'swarmctl node ls --filter node.label=disk=ssd'],
      ['Names and states', "swarmctl node ls --format '{{.Hostname}}: {{.Status}}'"],
    ],
  })
    .alias('list')
    .option('-f, --filter <filter>', `filter output: ${FILTERS.join(', ')}`, collect)
    .option('--format <string>', "'table', 'table TEMPLATE', 'json', 'raw' or a Go template")
    .option('-q, --quiet', 'only display IDs')
    .action((options: LsOptions, command: Command) =>
      withCluster(cli, command, (session) => list(session, options)),
    );
}

async function list(session: Session, options: LsOptions): Promise<void> {
  const { api, streams } = session;
  const filters = parseFilters(options.filter ?? [], FILTERS);
  const signal = streams.interrupted;
  const [nodes, managers] = await Promise.all([
    api.listAll('nodes', { signal }),
    api.listAll('managers', { signal }),
  ]);
  const own = await ownHost(session, managers.items);
  const rows = nodes.items
    .filter((node) => isWanted(node, filters))
    .sort((a, b) => byNaturalOrder(a.metadata.name, b.metadata.name))
    .map((node) => rowOf(node, managers.items, node.metadata.name === own));
  const shown = options.quiet === true ? rows.map(withoutMark) : rows;
  printRows(streams, HEADINGS, { ...options, rows: shown, formatKey: 'nodesFormat' });
}

function isWanted({ metadata, spec, status }: Node, filters: Filters): boolean {
  return (
    matches(filters, 'id', (wanted) => metadata.uid?.startsWith(wanted) ?? false) &&
    matches(filters, 'name', (wanted) => metadata.name.startsWith(wanted)) &&
    matches(filters, 'role', (wanted) => spec.role === wanted) &&
    // Who has joined was accepted: there is no other membership.
    matches(filters, 'membership', (wanted) => wanted === 'accepted') &&
    hasLabels(filters, 'node.label', metadata.labels ?? {}) &&
    hasLabels(filters, 'label', status?.description?.engineLabels ?? {})
  );
}

/** As Docker's table marks the node that one talks to. */
const MARK = ' *';

function rowOf(node: Node, managers: readonly Manager[], isSelf: boolean): Row {
  const { metadata, spec, status } = node;
  return {
    ID: `${metadata.uid ?? ''}${isSelf ? MARK : ''}`,
    Self: String(isSelf),
    Hostname: metadata.name,
    Status: capitalised(dockerState(node)),
    Availability: capitalised(spec.availability),
    ManagerStatus: managerStatusOf(node, managers),
    TLSStatus: status?.certificateExpiresAt === undefined ? 'Unknown' : 'Ready',
    EngineVersion: status?.description?.engineVersion ?? '',
  };
}

const withoutMark = (row: Row): Row => ({ ...row, ID: (row['ID'] ?? '').replace(MARK, '') });
