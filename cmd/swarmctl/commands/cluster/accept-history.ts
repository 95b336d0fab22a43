import type { Command } from 'commander';
import type { FrozenNode } from '../../../../api/v1/index.js';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { byNaturalOrder } from '../../objects/natural-order.js';
import { renderTable } from '../../output/table.js';
import { shortId } from '../../output/words.js';
import { YES_OPTION, confirm } from '../confirm.js';
import { defineCommand } from '../define-command.js';

/** `swarmctl cluster accept-history`. */
export function acceptHistoryCommand(cli: Cli): Command {
  return defineCommand({
    name: 'accept-history',
    summary: 'Accept what the store holds after it was restored or replaced',
    description:
      'When etcd is restored from a backup, or replaced, it lost history that managers and nodes have seen. Nodes that notice are frozen: they keep what they run, and start, stop and remove nothing. Look at `swarmctl get services,nodes`; this says that what is there is what you want. Frozen nodes then make their containers what is declared, and remove those that are not. Nodes that the store does not know leave the cluster: their containers are removed, and they have to join again.',
    examples: [
      ['Which nodes wait, and what would happen?', 'swarmctl cluster accept-history --dry-run'],
      ['Accept what is there', 'swarmctl cluster accept-history'],
    ],
  })
    .option('--dry-run', 'show what waits, and accept nothing')
    .option(...YES_OPTION)
    .action((options: AcceptOptions, command: Command) =>
      withCluster(cli, command, (session) => accept(session, options)),
    );
}

interface AcceptOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

async function accept(
  session: Session,
  { dryRun = false, yes = false }: AcceptOptions,
): Promise<void> {
  const { api, streams } = session;
  const signal = streams.interrupted;
  const { frozen } = await api.acceptHistory({ dryRun: true, signal });
  streams.err(await situation(session, frozen));
  if (dryRun) return;
  await confirm(streams, 'Accept what the store holds?', yes);
  const { acceptedAt } = await api.acceptHistory({ signal });
  streams.out(`history accepted at ${acceptedAt}\n`);
}

async function situation(
  { api, streams }: Session,
  frozen: readonly FrozenNode[],
): Promise<string> {
  const signal = streams.interrupted;
  const [services, tasks, nodes] = await Promise.all([
    api.listAll('services', { signal }),
    api.listAll('tasks', { signal }),
    api.listAll('nodes', { signal }),
  ]);
  const strangers = frozen.filter(({ known }) => !known).length;
  return [
    `The store holds ${services.items.length} services, ${tasks.items.length} tasks and ${nodes.items.length} nodes.`,
    frozen.length === 0
      ? 'No node says that it lost history.'
      : `These nodes are frozen:\n${renderTable(COLUMNS, [...frozen].sort(byName)).trimEnd()}`,
    ...(strangers > 0
      ? ['Those that the store does not know will remove their containers and leave the cluster.']
      : []),
    '',
  ].join('\n');
}

const COLUMNS = [
  { heading: 'ID', text: ({ nodeId }: FrozenNode) => shortId(nodeId) },
  { heading: 'HOSTNAME', text: ({ hostname }: FrozenNode) => hostname },
  { heading: 'IN THE STORE', text: ({ known }: FrozenNode) => (known ? 'yes' : 'no') },
  { heading: 'REASON', text: ({ reason }: FrozenNode) => reason },
];

const byName = (a: FrozenNode, b: FrozenNode) => byNaturalOrder(a.hostname, b.hostname);
