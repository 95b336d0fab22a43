import type { Command } from 'commander';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { readTasks } from '../../describe/common.js';
import { printRows, type ListOptions } from '../../docker/print-rows.js';
import { TASK_HEADINGS, taskRows, type TaskListOptions } from '../../docker/task-rows.js';
import { findNode } from '../../objects/find-nodes.js';
import { readEach } from '../../objects/read-each.js';
import { defineDockerCommand } from '../define-command.js';
import { addTaskListOptions } from '../task-list-options.js';

/** `swarmctl node ps`. */
export function psCommand(cli: Cli): Command {
  const command = defineDockerCommand({
    name: 'ps',
    summary: 'List tasks running on one or more nodes, defaults to current node',
    examples: [
      ['What a node runs', 'swarmctl node ps worker-1'],
      ['What failed there', 'swarmctl node ps --filter desired-state=shutdown worker-1'],
    ],
  }).argument('[node...]', 'host names, ids or beginnings of ids (default: self)');
  return addTaskListOptions(command).action(
    (names: readonly string[], options: TaskListOptions & ListOptions, self: Command) =>
      withCluster(cli, self, (session) => ps(session, names, options)),
  );
}

async function ps(
  session: Session,
  names: readonly string[],
  options: TaskListOptions & ListOptions,
): Promise<void> {
  const wanted = names.length === 0 ? ['self'] : names;
  await readEach(session, wanted, {
    read: (name) => findNode(session, name),
    print: async (nodes) => {
      const ids = [...new Set(nodes.map(({ metadata }) => metadata.uid ?? ''))];
      const tasks = await Promise.all(ids.map((id) => readTasks(session, `spec.nodeId=${id}`)));
      const rows = await taskRows(session, tasks.flat(), options);
      printRows(session.streams, TASK_HEADINGS, { ...options, rows, formatKey: 'tasksFormat' });
    },
  });
}
