import type { UnplacedTasks } from '../../../api/v1/index.js';
import { indented } from '../describe/sheet.js';
import { renderTable } from './table.js';
import { plural } from './words.js';

type Answer = UnplacedTasks['nodes'][number];

/** More nodes make no text better: the counts above them are of all. */
const MOST_NODES = 20;
const MOST_NAMES = 5;

/** Names of tasks, the first few. */
export function taskNames({ tasks, count }: Pick<UnplacedTasks, 'tasks' | 'count'>): string {
  const named = tasks.slice(0, MOST_NAMES);
  const more = count > named.length ? ` and ${String(count - named.length)} more` : '';
  return `${named.join(', ')}${more}`;
}

/** How many nodes each filter keeps out. */
export function filterLines(filters: UnplacedTasks['filters']): readonly string[] {
  return filters.map(
    ({ filter, nodes, message }) => `${plural(nodes, 'node')}: ${message} (${filter})`,
  );
}

/** What every node says, the first few of them. */
export function nodeAnswers(nodes: readonly Answer[]): string {
  if (nodes.length === 0) return '';
  const table = renderTable<Answer>(
    [
      { heading: 'NODE', text: ({ hostname }) => hostname },
      { heading: 'FILTER', text: ({ filter }) => filter ?? '-' },
      { heading: 'ANSWER', text: ({ message }) => message },
    ],
    nodes.slice(0, MOST_NODES),
  );
  const left = nodes.length - MOST_NODES;
  return left > 0 ? `${table}and ${plural(left, 'more node')}\n` : table;
}

/** One block for each reason. */
export function unplacedBlock(unplaced: UnplacedTasks, title: string): string {
  const { message, filters, nodes } = unplaced;
  const counts = filterLines(filters).map((line) => `${line}\n`);
  const body = `${message}\n${indented(`${counts.join('')}${nodeAnswers(nodes)}`)}`;
  return `${title}:\n${indented(body)}`;
}
