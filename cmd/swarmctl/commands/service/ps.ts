import type { Command } from 'commander';
import { withCluster, type Cli, type Session } from '../../cli.js';
import { readTasks } from '../../describe/common.js';
import { printRows, type ListOptions } from '../../docker/print-rows.js';
import { TASK_HEADINGS, taskRows, type TaskListOptions } from '../../docker/task-rows.js';
import { readEach } from '../../objects/read-each.js';
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
      ['Whole errors', "swarmctl service ps --no-trunc --format '{{.Name}}: {{.Error}}' web"],
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
  await readEach(session, names, {
    read: (name) => readService(session, name),
    print: async (services) => {
      const found = [...new Set(services.map(({ metadata }) => metadata.name))];
      const tasks = await Promise.all(
        found.map((name) => readTasks(session, `spec.service=${name}`)),
      );
      const rows = await taskRows(session, tasks.flat(), options);
      printRows(session.streams, TASK_HEADINGS, { ...options, rows, formatKey: 'tasksFormat' });
    },
  });
}
