import type { LogLine, Task } from '../../../api/v1/index.js';
import { hasCode } from '../../../pkg/base/index.js';
import type { Session } from '../cli.js';
import { shortId } from '../output/words.js';

/** What stands before a line of `docker service logs`. */
export interface LogPrefixOptions {
  readonly resolve: boolean;
  readonly trunc: boolean;
  readonly taskIds: boolean;
}

/** Names tasks as `docker service logs` does: `web.1.x7k2m1p9q0ab@worker-1`. */
export function dockerLogNames(
  session: Session,
  { resolve, trunc, taskIds }: LogPrefixOptions,
): (line: LogLine) => Promise<string> {
  const tasks = new Map<string, Promise<Task | undefined>>();
  const idsOf = async ({ task, node, taskId }: LogLine) => {
    const found = tasks.get(taskId) ?? readTask(session, taskId);
    tasks.set(taskId, found);
    const spec = (await found)?.spec;
    if (spec === undefined) return { task, node };
    const slot = task.slice(spec.service.length);
    return { task: `${spec.serviceUid}${slot}`, node: spec.nodeId ?? node };
  };
  return async (line) => {
    const { task, node } = resolve ? line : await idsOf(line);
    const id = taskIds ? `.${trunc ? shortId(line.taskId) : line.taskId}` : '';
    return `${task}${id}${node === '' ? '' : `@${node}`}`;
  };
}

/** A task that is gone meanwhile goes by its names. */
async function readTask({ api, streams }: Session, id: string): Promise<Task | undefined> {
  try {
    return await api.get('tasks', id, { signal: streams.interrupted });
  } catch (error) {
    if (hasCode(error, 'ERR_NOT_FOUND')) return undefined;
    throw error;
  }
}
