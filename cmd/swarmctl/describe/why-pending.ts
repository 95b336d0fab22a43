import type { Task } from '../../../api/v1/index.js';
import { ageOf } from '../output/age.js';
import { plural } from '../output/words.js';
import type { DescribeContext } from './common.js';
import { renderPart } from './sheet.js';

/** Why tasks have no node, with the number of nodes that each filter kept out. Equal reasons once. */
export function pendingPart(tasks: readonly Task[], { now }: DescribeContext): string {
  const byReason = new Map<string, Task[]>();
  for (const task of tasks) {
    if (task.spec.nodeId !== undefined || task.spec.pending === undefined) continue;
    const known = byReason.get(task.spec.pending.message) ?? [];
    byReason.set(task.spec.pending.message, [...known, task]);
  }
  const blocks = [...byReason].map(([message, waiting]) => blockOf(message, waiting, now));
  return renderPart('Why pending', blocks.join(''));
}

const MOST_NAMES = 5;

function blockOf(message: string, tasks: readonly Task[], now: Date): string {
  const [first] = tasks;
  const names = tasks.slice(0, MOST_NAMES).map(({ metadata }) => metadata.name);
  const more = tasks.length > MOST_NAMES ? ` and ${String(tasks.length - MOST_NAMES)} more` : '';
  const since = ageOf(first?.spec.pending?.since, now);
  const filters = first?.spec.pending?.filters ?? [];
  const lines = filters.map(
    ({ filter, nodes, message: why }) => `      ${plural(nodes, 'node')}: ${why} (${filter})`,
  );
  return `${[`  ${names.join(', ')}${more}, for ${since}:`, `    ${message}`, ...lines].join('\n')}\n`;
}
