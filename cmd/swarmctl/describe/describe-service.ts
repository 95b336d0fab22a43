import { isJob, revisionTemplateOf, type Service, type Task } from '../../../api/v1/index.js';
import type { Session } from '../cli.js';
import { byPlace } from '../objects/task-order.js';
import { backoffWords, isWaiting } from '../output/backoff.js';
import { plural } from '../output/words.js';
import {
  conditionsPart,
  eventsPart,
  instantWords,
  metaRows,
  readEvents,
  readTasks,
  tasksPart,
  untilWords,
  type DescribeContext,
} from './common.js';
import { indented, renderPart, renderSheet, type SheetRow } from './sheet.js';
import { modeWords, templateRows } from './spec-words.js';
import { updateRows } from './update-words.js';
import { pendingPart } from './why-pending.js';

/** A service with its tasks and what happened to them. */
export async function describeService(
  session: Session,
  service: Service,
  context: DescribeContext,
): Promise<string> {
  const { name } = service.metadata;
  const [tasks, events] = await Promise.all([
    readTasks(session, `spec.service=${name}`),
    readEvents(session, `service=${name}`),
  ]);
  const sorted = [...tasks].sort(byPlace);
  return [
    renderSheet([
      ...metaRows(service.metadata, context.now),
      ['Mode', modeWords(service)],
      ['Tasks', statusWords(service)],
      ...runRows(service, context.now),
      ['Revision', String(service.status?.revision ?? 0)],
      ...(isJob(service.spec) ? [] : updateRows(service, context.now)),
    ]),
    renderPart(
      'Template',
      renderSheet(
        templateRows(revisionTemplateOf(service.spec), { isOfJob: isJob(service.spec) }),
        1,
      ),
    ),
    conditionsPart(service.status?.conditions ?? [], context),
    await pendingPart(session, name, sorted, context),
    renderPart('Next restarts', indented(restartLines(sorted, context))),
    tasksPart(sorted, context),
    eventsPart(events, context),
  ]
    .filter(Boolean)
    .join('\n');
}

function statusWords({ metadata, status }: Service): string {
  if (status === undefined) return 'unknown';
  if (status.observedGeneration !== metadata.generation) {
    return `the last change (generation ${String(metadata.generation ?? 0)}) has not been looked at yet`;
  }
  const { desired, running, ready = running, updated, pending, failed } = status;
  const words = [
    `${String(running)} of ${plural(desired, 'task')} running`,
    ready < running ? `${String(ready)} ready` : '',
    updated < running ? `${String(updated)} of the newest revision` : '',
    pending > 0 ? `${String(pending)} pending` : '',
    failed > 0 ? `${String(failed)} failing` : '',
  ];
  return words.filter(Boolean).join(', ');
}

/** How far the run of a job is, and when it was. */
function runRows({ status }: Service, now: Date): readonly SheetRow[] {
  const job = status?.job;
  if (job === undefined) return [];
  const { iteration, total, succeeded, failed, startedAt, finishedAt } = job;
  const failures = failed > 0 ? `, ${plural(failed, 'failure')}` : '';
  return [
    [
      'Run',
      `${String(iteration)}: ${String(succeeded)} of ${plural(total, 'task')} completed${failures}`,
    ],
    ['Started', instantWords(startedAt, now)],
    ['Finished', instantWords(finishedAt, now)],
  ];
}

/** Tasks whose start is held back, and for how long. */
function restartLines(tasks: readonly Task[], { now }: DescribeContext): string {
  return tasks
    .filter((task) => isWaiting(task, now))
    .map((task) => {
      const { startAt = '' } = task.spec;
      const words = backoffWords(task, now) || `starts again in ${untilWords(startAt, now)}`;
      return `${task.metadata.name}: ${words}\n`;
    })
    .join('');
}
