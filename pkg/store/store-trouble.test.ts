import { describe, expect, it } from 'vitest';
import { judgeMemberVersions, troublesOf } from './store-trouble.js';
import type { StoreHealth, StoreMember } from './store.js';

const up = (version = '3.5.21'): StoreMember => ({
  endpoint: `http://${version}`,
  version,
  dbSizeBytes: 10,
});
const down: StoreMember = { endpoint: 'http://e2:2379', failure: 'refused' };

function aHealth(parts: Partial<StoreHealth> = {}): StoreHealth {
  const members = [up()];
  return { clusterId: 'c', revision: 1, alarms: [], members, ...parts };
}
const reasonsOf = (parts: Partial<StoreHealth>) =>
  troublesOf(aHealth(parts)).map(({ reason }) => reason);

describe('troublesOf', () => {
  it('finds nothing wrong with an etcd of which all members are well', () => {
    expect(reasonsOf({})).toEqual([]);
    expect(reasonsOf({ members: [up(), up('3.6.1'), up('3.4.32')] })).toEqual([]);
  });

  it('names every trouble, the worst first', () => {
    const members = [up('3.4.23'), down];
    expect(reasonsOf({ alarms: ['NOSPACE', 'CORRUPT'], members })).toEqual([
      'Corrupt',
      'NoSpace',
      'MemberDown',
      'VersionNotRecommended',
    ]);
  });

  it('says which member does not answer, and why', () => {
    const [trouble] = troublesOf(aHealth({ members: [up(), down, up()] }));
    expect(trouble?.message).toBe('1 of 3 members of etcd do not answer: http://e2:2379 (refused)');
  });

  it('says what to do about a full etcd', () => {
    expect(troublesOf(aHealth({ alarms: ['NOSPACE'] }))[0]?.message).toMatch(
      /full.*compact.*defragment.*alarm disarm/,
    );
  });
});

describe('judgeMemberVersions', () => {
  it('goes by the worst of all members, and passes over those that do not answer', () => {
    const verdictOf = (...members: StoreMember[]) => judgeMemberVersions({ members }).verdict;
    expect(verdictOf(up(), down)).toBe('ok');
    expect(verdictOf(up(), up('3.4.23'))).toBe('warn');
    expect(verdictOf(up('3.4.23'), up(), up('3.5.1'))).toBe('refuse');
    expect(verdictOf(down)).toBe('ok');
  });
});
