import { describe, expect, it } from 'vitest';
import type { StoredTaskStatus, TaskState } from '../../../api/v1/index.js';
import { aTask, aTaskStatus } from '../../../test/builders/objects.js';
import { judgeReport, statusOf } from './report-rules.js';

const at = (second: number) => `2026-01-01T00:00:0${String(second)}.000Z`;

/** What is stored after these reports, one each second. */
function storedAfter(...states: readonly TaskState[]): Omit<StoredTaskStatus, 'version'> {
  let stored: StoredTaskStatus | undefined;
  for (const [second, state] of states.entries()) {
    const stamp = { taskId: 't', nodeId: 'n1', epoch: 1, now: at(second) };
    const report = { state, at: at(9), message: '' };
    stored = { ...statusOf(stamp, report, stored), version: 1 };
  }
  return stored!;
}

describe('statusOf', () => {
  it('remembers since when a task runs, also when it has ended', () => {
    expect(storedAfter('starting')).not.toHaveProperty('runningAt');
    expect(storedAfter('starting', 'running')).toMatchObject({ runningAt: at(1) });
    expect(storedAfter('starting', 'running', 'running')).toMatchObject({ runningAt: at(1) });
    expect(storedAfter('starting', 'running', 'failed')).toMatchObject({
      appliedAt: at(2),
      runningAt: at(1),
    });
    expect(storedAfter('starting', 'failed')).not.toHaveProperty('runningAt');
  });
});

describe('judgeReport', () => {
  it('knows a report again that is stored, whatever the manager added to it', () => {
    const { task } = aTask({ nodeId: 'n1' });
    const status = aTaskStatus(task.metadata.uid, 'running', { runningAt: at(1) });
    const report = { state: 'running', at: at(5), message: '' } as const;
    expect(judgeReport(report, { task, status }, 'n1')).toEqual({ kind: 'known' });
  });
});
