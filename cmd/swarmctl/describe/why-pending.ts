import type { Task, UnplacedTasks } from '../../../api/v1/index.js';
import type { Session } from '../cli.js';
import { ageOf } from '../output/age.js';
import { filterLines, nodeAnswers, taskNames } from '../output/node-answers.js';
import type { DescribeContext } from './common.js';
import { indented, renderPart } from './sheet.js';

/**
 * Why tasks have no node: the number of nodes that each filter kept out when placement was last tried, and what
 * every node says now. Equal reasons once.
 */
export async function pendingPart(
  { api, streams }: Session,
  service: string,
  tasks: readonly Task[],
  { now }: DescribeContext,
): Promise<string> {
  const byReason = new Map<string, Task[]>();
  for (const task of tasks) {
    if (task.spec.nodeId !== undefined || task.spec.pending === undefined) continue;
    const known = byReason.get(task.spec.pending.message);
    if (known) known.push(task);
    else byReason.set(task.spec.pending.message, [task]);
  }
  if (byReason.size === 0) return '';
  // The reasons are known without it, and a service may be gone by now.
  const answer = await api
    .placement(service, { signal: streams.interrupted })
    .catch(() => undefined);
  const blocks = [...byReason].map(([message, waiting]) =>
    blockOf({ message, waiting, answers: answer?.unplaced ?? [] }, now),
  );
  return renderPart('Why pending', blocks.join(''));
}

interface Reason {
  readonly message: string;
  readonly waiting: readonly Task[];
  readonly answers: readonly UnplacedTasks[];
}

function blockOf({ message, waiting, answers }: Reason, now: Date): string {
  const [first] = waiting;
  const tasks = waiting.map(({ metadata }) => metadata.name);
  const since = ageOf(first?.spec.pending?.since, now);
  const counts = filterLines(first?.spec.pending?.filters ?? []).map((line) => `${line}\n`);
  const nodes = answers.find((answer) => answer.tasks.includes(tasks[0] ?? ''))?.nodes ?? [];
  const details = indented(indented(indented(`${counts.join('')}${nodeAnswers(nodes)}`)));
  const head = `  ${taskNames({ tasks, count: tasks.length })}, for ${since}:`;
  return `${head}\n    ${message}\n${details}`;
}
