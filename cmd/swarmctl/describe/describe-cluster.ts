import type { Cluster } from '../../../api/v1/index.js';
import type { Session } from '../cli.js';
import { shortId } from '../output/words.js';
import {
  conditionsPart,
  eventsPart,
  instantWords,
  metaRows,
  readEvents,
  type DescribeContext,
} from './common.js';
import { renderSheet } from './sheet.js';

/** The cluster: its settings, who leads, and what the manager that answers finds wrong with it. */
export async function describeCluster(
  session: Session,
  { metadata, spec, status }: Cluster,
  context: DescribeContext,
): Promise<string> {
  const events = await readEvents(session, `regarding.uid=${metadata.uid ?? ''}`);
  return [
    renderSheet([
      ...metaRows(metadata, context.now),
      ['Leader', shortId(status?.leader)],
      ['CA fingerprint', status?.caFingerprint],
      ['History accepted', instantWords(status?.historyAcceptedAt, context.now)],
      ...Object.entries(spec).map(([key, value]): [string, string] => [key, wordsOf(value)]),
    ]),
    conditionsPart(status?.conditions ?? [], context),
    eventsPart(events, context),
  ]
    .filter(Boolean)
    .join('\n');
}

const wordsOf = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);
