import {
  SCHEDULED_AT,
  effectiveCronJob,
  formatDurationMs,
  jobOutcomeOf,
  jobSpecOf,
  revisionTemplateOf,
  type CronJob,
  type Service,
} from '../../../api/v1/index.js';
import type { Session } from '../cli.js';
import { ageOf } from '../output/age.js';
import { renderTable } from '../output/table.js';
import { plural } from '../output/words.js';
import {
  conditionsPart,
  eventsPart,
  instantWords,
  metaRows,
  readEvents,
  type DescribeContext,
} from './common.js';
import { indented, renderPart, renderSheet, type SheetRow } from './sheet.js';
import { modeWords, templateRows } from './spec-words.js';

/** A cron job, when it runs next, how its last runs went, and why one was skipped. */
export async function describeCronJob(
  session: Session,
  cronJob: CronJob,
  context: DescribeContext,
): Promise<string> {
  const { name, uid = '' } = cronJob.metadata;
  const [runs, events] = await Promise.all([
    readRuns(session, name),
    readEvents(session, `regarding.uid=${uid}`),
  ]);
  const spec = jobSpecOf(cronJob.spec);
  const template = templateRows(revisionTemplateOf(spec), { isOfJob: true });
  return [
    renderSheet([
      ...metaRows(cronJob.metadata, context.now),
      ...scheduleRows(cronJob),
      ['Job', modeWords({ spec })],
      ...statusRows(cronJob, context),
    ]),
    renderPart('Template', renderSheet(template, 1)),
    conditionsPart(cronJob.status?.conditions ?? [], context),
    runsPart(runs, context),
    eventsPart(events, context),
  ]
    .filter(Boolean)
    .join('\n');
}

async function readRuns({ api, streams }: Session, name: string): Promise<readonly Service[]> {
  const query = { fieldSelector: `metadata.ownedBy=CronJob/${name}` };
  const { items } = await api.listAll('services', { ...query, signal: streams.interrupted });
  return [...items].sort((a, b) => startOf(b).localeCompare(startOf(a)));
}

const startOf = ({ metadata }: Service): string => metadata.createdAt ?? '';

const CONCURRENCY = {
  allow: 'allow (runs may go on beside each other)',
  forbid: 'forbid (a time is skipped while a run goes on)',
  replace: 'replace (the run before is stopped first)',
};

function scheduleRows({ spec }: CronJob): readonly SheetRow[] {
  const { timeZone, concurrency, startingDeadlineMs, suspend, keptSuccessful, keptFailed } =
    effectiveCronJob(spec);
  return [
    ['Schedule', `${spec.schedule} (${timeZone})`],
    ['Suspended', suspend ? 'yes' : 'no'],
    ['Concurrency', CONCURRENCY[concurrency]],
    [
      'Starts at most',
      Number.isFinite(startingDeadlineMs)
        ? `${formatDurationMs(startingDeadlineMs)} late`
        : undefined,
    ],
    ['Keeps', `${String(keptSuccessful)} completed and ${plural(keptFailed, 'failed run')}`],
  ];
}

function statusRows({ status }: CronJob, { now }: DescribeContext): readonly SheetRow[] {
  if (!status) return [];
  const { lastRun, lastSkipped, active } = status;
  return [
    ['Next run', instantWords(status.nextAt, now) ?? '<none>'],
    ['Active', active.length === 0 ? '<none>' : active],
    ['Last run', lastRun && `${lastRun.name}, due ${instantWords(lastRun.scheduledAt, now) ?? ''}`],
    ['Last success', instantWords(status.lastSucceededAt, now)],
    [
      'Last skipped',
      lastSkipped && [
        `${instantWords(lastSkipped.scheduledAt, now) ?? ''}: ${lastSkipped.reason}`,
        lastSkipped.message,
      ],
    ],
  ];
}

function runsPart(runs: readonly Service[], { now, paint }: DescribeContext): string {
  if (runs.length === 0) return renderPart('Runs', '  <none>\n');
  const table = renderTable<Service>(
    [
      { heading: 'NAME', text: ({ metadata }) => metadata.name },
      { heading: 'DUE', text: ({ metadata }) => metadata.labels?.[SCHEDULED_AT] ?? 'by hand' },
      { heading: 'STATE', text: (run) => paint(toneOf(run), stateOf(run)) },
      { heading: 'COMPLETED', text: sharesOf },
      { heading: 'TOOK', text: (run) => tookWords(run, now) },
      { heading: 'AGE', text: ({ metadata }) => ageOf(metadata.createdAt, now) },
      { heading: 'MESSAGE', text: messageOf },
    ],
    runs,
  );
  return renderPart('Runs', indented(table));
}

function stateOf({ metadata, status }: Service): string {
  if (metadata.deletingAt !== undefined) return 'deleting';
  return jobOutcomeOf(status) ?? 'running';
}

function toneOf(run: Service): 'good' | 'bad' | 'busy' {
  const state = stateOf(run);
  if (state === 'complete') return 'good';
  return state === 'failed' ? 'bad' : 'busy';
}

function sharesOf({ status }: Service): string {
  const { succeeded = 0, total = 0 } = status?.job ?? {};
  return `${String(succeeded)}/${String(total)}`;
}

function tookWords({ metadata, status }: Service, now: Date): string {
  const end = status?.job?.finishedAt;
  return ageOf(metadata.createdAt, end === undefined ? now : new Date(end));
}

function messageOf({ status }: Service): string {
  const failed = status?.conditions.find(({ type }) => type === 'Failed');
  return failed?.status === 'true' ? failed.message : '';
}
