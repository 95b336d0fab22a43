import type { PublishedPort, TaskReport } from '../../api/v1/index.js';
import type { ContainerInspection } from '../engine/index.js';
import { defined, optional } from './defined.js';

/** What a report says of a container, whatever state the task is in. */
export type ContainerFacts = Pick<
  TaskReport,
  'containerId' | 'pid' | 'exitCode' | 'startedAt' | 'finishedAt' | 'health' | 'ports'
>;

/** How a task ended. */
export type TaskEnd = Pick<TaskReport, 'state' | 'message' | 'reason' | 'error'>;

/** The facts of a container that people and controllers need. */
export function factsOf(container: ContainerInspection): ContainerFacts {
  const ports = publishedPorts(container);
  return defined({
    containerId: container.id,
    pid: container.pid,
    exitCode: container.exitCode,
    startedAt: optional(container.startedAt, inMilliseconds),
    finishedAt: optional(container.finishedAt, inMilliseconds),
    health: container.health?.state,
    ports: ports.length > 0 ? ports : undefined,
  });
}

/** The engine counts nanoseconds and may write an offset; reports are UTC and milliseconds. */
const inMilliseconds = (at: string): string => new Date(at).toISOString();

/** One entry per port: the engine lists IPv4 and IPv6 apart. */
function publishedPorts(container: ContainerInspection): PublishedPort[] {
  const byKey = new Map<string, PublishedPort>();
  for (const { containerPort: target, hostPort: published, protocol } of container.ports) {
    byKey.set(`${String(target)}/${protocol}/${String(published)}`, {
      target,
      published,
      protocol,
    });
  }
  return [...byKey.values()];
}

/** Why a container that ran does not run any more, without anybody having asked for it. */
export function endOf({ oomKilled, exitCode = 0, error }: ContainerInspection): TaskEnd {
  if (oomKilled) {
    const text = `killed: out of memory (exit code ${String(exitCode)})`;
    return { state: 'failed', reason: 'OOMKilled', message: text, error: text };
  }
  if (exitCode === 0) return { state: 'complete', message: 'exited with code 0' };
  const text = `exited with code ${String(exitCode)}${error === undefined ? '' : `: ${error}`}`;
  return { state: 'failed', reason: 'ExitCode', message: text, error: text };
}

/** Whether its process is there; a paused one counts. */
export const isRunning = ({ state }: Pick<ContainerInspection, 'state'>): boolean =>
  state === 'running' || state === 'paused';
