/** What `describe` says of each kind. */
import type { Session } from '../cli.js';
import type { KindDescription } from '../../../api/v1/index.js';
import type { AnyObject } from '../objects/target.js';
import { readNodeNames } from '../objects/node-names.js';
import { eventsPart, instantWords, metaRows, readEvents, type DescribeContext } from './common.js';
import { describeCluster } from './describe-cluster.js';
import { describeCronJob } from './describe-cron-job.js';
import { describeNode } from './describe-node.js';
import { describeService } from './describe-service.js';
import { describeTask } from './describe-task.js';
import { revisionState } from '../output/words.js';
import { renderPart, renderSheet } from './sheet.js';
import { templateRows } from './spec-words.js';

/** Everything there is to say about one object. */
export async function describeObject(
  session: Session,
  kind: KindDescription,
  object: AnyObject,
): Promise<string> {
  const { streams, paint, api } = session;
  const nodeName = await readNodeNames(api, streams.interrupted);
  const context: DescribeContext = { now: streams.clock.now(), paint, nodeName };
  switch (object.kind) {
    case 'Service':
      return describeService(session, object, context);
    case 'CronJob':
      return describeCronJob(session, object, context);
    case 'Task':
      return describeTask(session, object, context);
    case 'Node':
      return describeNode(session, object, context);
    case 'ServiceRevision':
      return [
        renderSheet([
          ...metaRows(object.metadata, context.now),
          ['Service', object.service],
          ['Revision', String(object.revision)],
          ['State', revisionState(object)],
          ['Change cause', object.cause],
          ['Hash', object.hash],
        ]),
        renderPart('Template', renderSheet(templateRows(object.template), 1)),
      ].join('\n');
    case 'Cluster':
      return describeCluster(session, object, context);
    case 'Manager':
    case 'Event':
      return describePlain(session, object, context);
  }
}

/** Kinds with little to say: their fields, and what happened. */
async function describePlain(
  session: Session,
  object: Extract<AnyObject, { kind: 'Manager' | 'Event' }>,
  context: DescribeContext,
): Promise<string> {
  const rest = object.kind === 'Event' ? eventFields(object, context) : object.status;
  const sheet = renderSheet([
    ...metaRows(object.metadata, context.now),
    ...Object.entries(rest).map(([key, value]): [string, string] => [key, wordsOf(value)]),
  ]);
  if (object.kind === 'Event') return sheet;
  const events = await readEvents(session, `regarding.uid=${object.metadata.uid ?? ''}`);
  return `${sheet}\n${eventsPart(events, context)}`;
}

function eventFields(
  event: Extract<AnyObject, { kind: 'Event' }>,
  { now }: DescribeContext,
): object {
  return {
    Type: event.type,
    Reason: event.reason,
    Message: event.message,
    Object: `${event.regarding.kind.toLowerCase()}/${event.regarding.name}`,
    Source: event.source,
    Count: String(event.count),
    First: instantWords(event.firstAt, now),
    Last: instantWords(event.lastAt, now),
  };
}

function wordsOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
