import type { Task, TaskReport } from '../../../api/v1/index.js';
import type { Session } from '../cli.js';
import { ageOf } from '../output/age.js';
import { backoffWords, isWaiting, shownState } from '../output/backoff.js';
import { plural, portWords } from '../output/words.js';
import {
  eventsPart,
  instantWords,
  metaRows,
  readEvents,
  untilWords,
  type DescribeContext,
} from './common.js';
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
    await pendingPart(session, service, [task], context),
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
    ['Given', givenWords(spec.assignedResources)],
    ['Desired', spec.desiredState],
    [
      'Restarts',
      `${String(spec.restarts)} before this task, ${plural(spec.failures, 'failure')} in a row`,
    ],
    ['Next restart', nextRestart(task, now)],
    ['Restarts task', spec.replaces],
    ['Updates task', spec.updates],
  ];
}

function nextRestart(task: Task, now: Date): string | undefined {
  if (!isWaiting(task, now)) return undefined;
  return backoffWords(task, now) || `in ${untilWords(task.spec.startAt ?? '', now)}`;
}

/** `gpu: GPU-1, GPU-2`, `ssd: 3`. */
function givenWords(given: Task['spec']['assignedResources'] = {}): readonly string[] {
  return Object.entries(given).map(
    ([kind, what]) => `${kind}: ${typeof what === 'number' ? String(what) : what.join(', ')}`,
  );
}

function statusRows(task: Task, { now, paint }: DescribeContext): readonly SheetRow[] {
  const { status } = task;
  const state = shownState(task, now);
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
    ['Ready', readyWords(report, now)],
    ['Container', report.containerId],
    ['Process', pid ? String(pid) : undefined],
    ['Ports', report.ports?.map(portWords)],
    ['Started', instantWords(report.startedAt, now)],
    ['Finished', instantWords(report.finishedAt, now)],
  ];
}

/** Whether it is in service, and since when. */
function readyWords({ state, ready, readySince, unready }: TaskReport, now: Date) {
  if (state !== 'running') return undefined;
  if (unready)
    return `no (${unready.reason}): ${unready.message}, since ${ageOf(unready.since, now)}`;
  if (ready === false) return 'no';
  return readySince === undefined ? 'yes' : `yes, since ${ageOf(readySince, now)}`;
}
