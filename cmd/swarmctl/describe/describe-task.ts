import type { Task, TaskReport } from '../../../api/v1/index.js';
import type { Session } from '../cli.js';
import { plural, portWords, stateOf } from '../output/words.js';
import {
  eventsPart,
  instantWords,
  metaRows,
  readEvents,
  untilWords,
  type DescribeContext,
} from './common.js';
import { isHeldBack } from './describe-service.js';
import { renderPart, renderSheet, type SheetRow } from './sheet.js';
import { templateRows } from './spec-words.js';
import { pendingPart } from './why-pending.js';

/** A task, the template it runs, and what happened to it. */
export async function describeTask(
  session: Session,
  task: Task,
  context: DescribeContext,
): Promise<string> {
  const { service, revision } = task.spec;
  const [events, template] = await Promise.all([
    readEvents(session, `regarding.uid=${task.metadata.uid ?? ''}`),
    session.api
      .get('servicerevisions', `${service}/${String(revision)}`)
      .then(({ template: found }) => found)
      .catch(() => undefined),
  ]);
  return [
    renderSheet([
      ...metaRows(task.metadata, context.now),
      ...specRows(task, context),
      ...statusRows(task, context),
    ]),
    template && renderPart('Template', renderSheet(templateRows(template), 1)),
    pendingPart([task], context),
    eventsPart(events, context),
  ]
    .filter(Boolean)
    .join('\n');
}

function specRows(task: Task, { now, nodeName }: DescribeContext): readonly SheetRow[] {
  const { spec } = task;
  const node = spec.nodeId ?? spec.forNode;
  return [
    ['Service', `${spec.service}, revision ${String(spec.revision)}`],
    ['Slot', spec.slot > 0 ? String(spec.slot) : 'one per node'],
    ['Node', node === undefined ? '<none yet>' : `${nodeName(node)} (${node})`],
    ['Desired', spec.desiredState],
    [
      'Restarts',
      `${String(spec.restarts)} before this task, ${plural(spec.failures, 'failure')} in a row`,
    ],
    [
      'Next restart',
      isHeldBack(task, now) ? `in ${untilWords(spec.startAt ?? '', now)}` : undefined,
    ],
    ['Restarts task', spec.replaces],
    ['Updates task', spec.updates],
  ];
}

function statusRows(task: Task, { now, paint }: DescribeContext): readonly SheetRow[] {
  const { status } = task;
  const state = stateOf(task);
  const bad = ['failed', 'rejected', 'orphaned'].includes(state);
  return [
    ['State', paint(bad ? 'bad' : 'strong', state)],
    ...(status === undefined ? [] : reportRows(status, now)),
  ];
}

function reportRows(report: TaskReport, now: Date): readonly SheetRow[] {
  const { exitCode, pid } = report;
  return [
    ['Message', report.message],
    ['Reason', report.reason],
    ['Error', report.error],
    ['Exit code', exitCode === undefined ? undefined : String(exitCode)],
    ['Health', report.health],
    ['Container', report.containerId],
    ['Process', pid ? String(pid) : undefined],
    ['Ports', report.ports?.map(portWords)],
    ['Started', instantWords(report.startedAt, now)],
    ['Finished', instantWords(report.finishedAt, now)],
  ];
}
