import type { Command } from 'commander';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { readTasks } from '../../describe/common.js';
import { printRows, type ListOptions } from '../../docker/print-rows.js';
import { TASK_HEADINGS, taskRows, type TaskListOptions } from '../../docker/task-rows.js';
import { findNodes } from '../../objects/find-nodes.js';
import { defineDockerCommand } from '../define-command.js';
import { addTaskListOptions } from '../task-list-options.js';

/** `swarmctl node ps`. */
export function psCommand(cli: Cli): Command {
  const command = defineDockerCommand({
    name: 'ps',
    summary: 'List tasks running on one or more nodes',
    examples: [['What a node runs', 'swarmctl node ps worker-1']],
  }).argument('<node...>', 'host names, ids or beginnings of ids');
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
  const nodes = await findNodes(session, names);
  const tasks = await Promise.all(
    nodes.map(({ metadata }) => readTasks(session, `spec.nodeId=${metadata.uid ?? ''}`)),
  );
  const rows = await taskRows(session, tasks.flat(), options);
  printRows(session.streams, TASK_HEADINGS, { ...options, rows });
}
