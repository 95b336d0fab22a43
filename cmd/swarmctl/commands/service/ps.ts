import type { Command } from 'commander';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { readTasks } from '../../describe/common.js';
import { printRows, type ListOptions } from '../../docker/print-rows.js';
import { TASK_HEADINGS, taskRows, type TaskListOptions } from '../../docker/task-rows.js';
import { readService } from '../../objects/read-service.js';
import { addTaskListOptions } from '../task-list-options.js';
import { defineDockerCommand } from '../define-command.js';

/** `swarmctl service ps`. */
export function psCommand(cli: Cli): Command {
  const command = defineDockerCommand({
    name: 'ps',
    summary: 'List the tasks of one or more services',
    examples: [
      ['With the history of each slot', 'swarmctl service ps web'],
      ['Only what should run', 'swarmctl service ps --filter desired-state=running web'],
    ],
  }).argument('<service...>', 'names of services');
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
  const services = await Promise.all(names.map((name) => readService(session, name)));
  const tasks = await Promise.all(
    services.map(({ metadata }) => readTasks(session, `spec.service=${metadata.name}`)),
  );
  const rows = await taskRows(session, tasks.flat(), options);
  printRows(session.streams, TASK_HEADINGS, { ...options, rows });
}
