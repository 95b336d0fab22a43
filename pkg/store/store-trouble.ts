import type { STORE_TROUBLES } from '../../api/v1/index.js';
import { judgeEtcdVersion, type VersionVerdict } from './etcd-version.js';
import type { StoreHealth } from './store.js';

/** Something that a person has to look after. `message` is a sentence for them. */
export interface StoreTrouble {
  readonly reason: (typeof STORE_TROUBLES)[number];
  readonly message: string;
  /** Nothing is wrong now; it had better be changed in quiet times. */
  readonly isAdvice?: boolean;
}

/** What to do about a full etcd, for people. */
export const NO_SPACE_ADVICE =
  'compact it and defragment its members, then `etcdctl alarm disarm` (docs/operations.md)';

/** What is wrong with an etcd that answers, worst first; nothing when it is well. */
export function troublesOf(health: StoreHealth): readonly StoreTrouble[] {
  return [...alarmTroubles(health), ...memberTroubles(health), ...versionTroubles(health)];
}

/** The worst verdict over the versions of all members that answer. */
export function judgeMemberVersions({ members }: Pick<StoreHealth, 'members'>): VersionVerdict {
  const verdicts = members.flatMap(({ version }) =>
    version === undefined ? [] : [judgeEtcdVersion(version)],
  );
  return (
    verdicts.find(({ verdict }) => verdict === 'refuse') ??
    verdicts.find(({ verdict }) => verdict === 'warn') ?? { verdict: 'ok' }
  );
}

function alarmTroubles({ alarms }: StoreHealth): StoreTrouble[] {
  const found: StoreTrouble[] = [];
  if (alarms.includes('CORRUPT')) {
    const message = 'etcd found that its members hold different data; replace the wrong one';
    found.push({ reason: 'Corrupt', message });
  }
  if (alarms.includes('NOSPACE')) {
    const message = `etcd is full: what runs goes on, and nothing can be changed; ${NO_SPACE_ADVICE}`;
    found.push({ reason: 'NoSpace', message });
  }
  return found;
}

function memberTroubles({ members }: StoreHealth): StoreTrouble[] {
  const down = members.filter(({ failure }) => failure !== undefined);
  if (down.length === 0) return [];
  const names = down.map(({ endpoint, failure }) => `${endpoint} (${failure ?? ''})`).join(', ');
  const message = `${down.length} of ${members.length} members of etcd do not answer: ${names}`;
  return [{ reason: 'MemberDown', message }];
}

function versionTroubles(health: StoreHealth): StoreTrouble[] {
  const verdict = judgeMemberVersions(health);
  if (verdict.verdict === 'ok') return [];
  return [{ reason: 'VersionNotRecommended', message: verdict.reason, isAdvice: true }];
}
