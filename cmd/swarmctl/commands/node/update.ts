import type { Command } from 'commander';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { labelMap, oneOf } from '../../docker/values.js';
import { UsageError } from '../../exit-code.js';
import { findNode } from '../../objects/find-nodes.js';
import { collect, defineDockerCommand } from '../define-command.js';

interface UpdateOptions {
  readonly availability?: string;
  readonly labelAdd?: readonly string[];
  readonly labelRm?: readonly string[];
  readonly role?: string;
}

const AVAILABILITIES = ['active', 'pause', 'drain'] as const;
const ROLES = ['worker', 'manager'] as const;

/** `swarmctl node update`. */
export function updateCommand(cli: Cli): Command {
  return defineDockerCommand({
    name: 'update',
    summary: 'Update a node',
    examples: [
      [
        'Move its tasks away, before its host is repaired',
        'swarmctl node update --availability drain worker-1',
      ],
      ['For placement constraints', 'swarmctl node update --label-add disk=ssd worker-1'],
    ],
  })
    .argument('<node>', 'host name, id or beginning of an id')
    .option('--availability <string>', 'availability of the node ("active", "pause", "drain")')
    .option('--label-add <list>', 'add or update a node label (key=value)', collect)
    .option('--label-rm <list>', 'remove a node label if it exists', collect)
    .option('--role <string>', 'role of the node ("worker", "manager")')
    .action((name: string, options: UpdateOptions, command: Command) => {
      const patch = patchOf(options);
      return withCluster(cli, command, (session) => update(session, name, patch));
    });
}

/** A JSON merge patch. Errors: UsageError. */
function patchOf({ availability, role, labelAdd = [], labelRm = [] }: UpdateOptions): object {
  const removed = Object.fromEntries(labelRm.map((key) => [key, null])); // RFC 7386's word for "remove"
  const labels = { ...removed, ...labelMap('label-add', labelAdd) };
  const spec = {
    ...(availability !== undefined && openness(availability)),
    ...(role !== undefined && { role: oneOf('role', role, ROLES) }),
  };
  const isNothing = Object.keys({ ...labels, ...spec }).length === 0;
  if (isNothing) {
    const hint = 'Give --availability, --label-add, --label-rm or --role.';
    throw new UsageError('nothing to update', hint);
  }
  return { ...(Object.keys(labels).length > 0 && { metadata: { labels } }), spec };
}

/** A drain is a gentle one, whatever was ordered before. */
const openness = (availability: string) => ({
  availability: oneOf('availability', availability, AVAILABILITIES),
  drainMode: null,
});

async function update(session: Session, name: string, patch: object): Promise<void> {
  const { api, streams } = session;
  const { metadata } = await findNode(session, name);
  await api.patch('nodes', metadata.uid ?? name, patch, { signal: streams.interrupted });
  streams.out(`${name}\n`);
}
