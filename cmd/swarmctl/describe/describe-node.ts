import { formatBytes, type Node, type NodeDescription } from '../../../api/v1/index.js';
import type { Session } from '../cli.js';
import { byPlace } from '../objects/task-order.js';
import {
  conditionsPart,
  eventsPart,
  instantWords,
  metaRows,
  readEvents,
  readTasks,
  tasksPart,
  type DescribeContext,
} from './common.js';
import { renderSheet, type SheetRow } from './sheet.js';

/** A node, what it can do, and its tasks. */
export async function describeNode(
  session: Session,
  node: Node,
  context: DescribeContext,
): Promise<string> {
  const id = node.metadata.uid ?? '';
  const [tasks, events] = await Promise.all([
    readTasks(session, `spec.nodeId=${id}`),
    readEvents(session, `regarding.uid=${id}`),
  ]);
  return [
    nodeSheet(node, context),
    conditionsPart(node.status?.conditions ?? [], context),
    tasksPart([...tasks].sort(byPlace), context),
    eventsPart(events, context),
  ]
    .filter(Boolean)
    .join('\n');
}

/** What there is to say of the node alone. */
export function nodeSheet(node: Node, context: DescribeContext): string {
  return renderSheet([
    ...metaRows(node.metadata, context.now),
    ['Role', node.spec.role],
    ['Availability', availabilityWords(node)],
    ...statusRows(node, context),
    ...descriptionRows(node.status?.description),
  ]);
}

function availabilityWords({ spec }: Node): string {
  if (spec.availability === 'drain' && spec.drainMode === 'force') {
    return 'drain by force (no new tasks, running ones stop)';
  }
  const words = {
    active: 'active',
    pause: 'pause (no new tasks)',
    drain: 'drain (no new tasks, running ones move elsewhere)',
  };
  return words[spec.availability];
}

function statusRows({ status }: Node, { now, paint }: DescribeContext): readonly SheetRow[] {
  if (status === undefined) return [['State', 'unknown']];
  const { session, tasks } = status;
  return [
    ['State', paint(status.state === 'ready' ? 'good' : 'bad', status.state)],
    ['Reason', status.reason],
    ['Since', instantWords(status.since, now)],
    ['Address', status.address],
    [
      'Session',
      session &&
        `${session.open ? 'open' : `closed (${session.reason})`}, number ${String(session.epoch)}, with manager ${session.managerId}`,
    ],
    [
      'Certificate',
      status.certificateExpiresAt &&
        `valid until ${instantWords(status.certificateExpiresAt, now) ?? ''}`,
    ],
    ['Tasks', tasks && `${String(tasks.running)} running, ${String(tasks.wanted)} wanted`],
  ];
}

function descriptionRows(found: NodeDescription | undefined): readonly SheetRow[] {
  if (found === undefined) return [];
  const generic = Object.entries(found.genericResources).map(
    ([kind, value]) => `${kind}=${String(value)}`,
  );
  const labels = Object.entries(found.engineLabels).map(([key, value]) => `${key}=${value}`);
  return [
    ['Platform', `${found.os}/${found.architecture}`],
    ['System', `${found.operatingSystem}, kernel ${found.kernelVersion}`],
    ['CPUs', String(found.cpuNano / 1e9)],
    ['Memory', roundBytes(found.memoryBytes)],
    ['Resources', generic],
    ['Engine', `Docker ${found.engineVersion} (API ${found.engineApiVersion})`],
    ['Engine labels', labels],
    ['Plugins', pluginWords(found)],
    ['Agent', found.agentVersion],
  ];
}

function pluginWords({ plugins }: NodeDescription): readonly string[] {
  return Object.entries(plugins)
    .filter(([, names]) => names.length > 0)
    .map(([kind, names]) => `${kind}: ${names.join(', ')}`);
}

const MEBIBYTE = 1024 ** 2;
const roundBytes = (bytes: number) => formatBytes(Math.round(bytes / MEBIBYTE) * MEBIBYTE);
