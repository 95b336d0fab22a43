import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HistoryMark, SessionMessage, SessionRequest } from '../../api/v1/index.js';
import { NodeRemovedError } from '../base/index.js';
import type { SessionConnection, SwarmClient } from '../client/index.js';
import { puts, remove } from '../objects/index.js';
import { aNode, aNodeStatus, aTask } from '../../test/builders/objects.js';
import type { StoreTrouble } from '../store/index.js';
import { ApiFixture, until } from '../../test/fixtures/api.js';

let api: ApiFixture;
let admin: SwarmClient;
let agent: SwarmClient;

beforeEach(async () => {
  api = await ApiFixture.start();
  admin = await api.client();
  agent = await api.client('worker', 'n1');
  await api.put(puts.node(api.keys, aNode('n1')));
});
afterEach(() => api.dispose());

const MADE = '2026-01-01T00:00:00.000Z';
const hello: SessionRequest = { description: aNodeStatus().description, engineHealthy: true };
const lost = { reason: 'the store is at revision 3', acceptedAt: MADE };

function heard(session: SessionConnection): SessionMessage[] {
  const messages: SessionMessage[] = [];
  void (async () => {
    for await (const message of session.messages) messages.push(message);
  })().catch(() => undefined);
  return messages;
}
const ended = (messages: readonly SessionMessage[]) => messages.at(-1)?.type === 'close';
const marksIn = (messages: readonly SessionMessage[]) =>
  messages.flatMap((message) =>
    message.type === 'assignments' && message.mark ? [message.mark] : [],
  );
const openFrozen = async (nodeId = 'n1') => {
  const client = await api.client('worker', nodeId);
  const session = await client.openSession(hello);
  await session.report({ engineHealthy: true, tasks: [], historyLost: lost });
  return session;
};

describe('a session', () => {
  it('begins with what the store is, as of its own write', async () => {
    const { opened } = await agent.openSession(hello);
    const { clusterId, revision } = await api.store.health();
    expect(opened.store).toEqual({
      id: clusterId,
      revision,
      acceptedAt: MADE,
      remembers: 'unknown',
    });
  });

  it('tells an etcd into which a backup was restored from what that etcd was, also after that is accepted', async () => {
    const before = (await agent.openSession(hello)).opened.store.id;
    const cluster = api.world.clusters.list()[0]!;
    const history = { acceptedAt: MADE, restoreId: 'r1' };
    await api.put(puts.cluster(api.keys, { ...cluster, history }));
    expect((await agent.openSession(hello)).opened.store.id).toBe(`${before}+r1`);
    const { acceptedAt } = await admin.acceptHistory();
    const { store } = (await agent.openSession(hello)).opened;
    expect(store).toMatchObject({ id: `${before}+r1`, acceptedAt });
  });

  it('carries the newest write that is about ids, and tells whether the store still knows it', async () => {
    const messages = heard(await agent.openSession(hello));
    await until('first set', () => marksIn(messages).length === 1);
    const revision = await api.put(puts.task(api.keys, aTask({ id: 't1', nodeId: 'n1' }).task));
    await api.put({ kind: 'put', key: api.keys.service('secret-name'), value: {} });
    await until('second set', () => marksIn(messages).length === 2);
    const mark = marksIn(messages)[1];
    expect(mark).toMatchObject({ key: api.keys.task('t1'), revision });
    const asked = async (historyMark: HistoryMark) =>
      (await agent.openSession({ ...hello, historyMark })).opened.store.remembers;
    expect(await asked(mark!)).toBe('yes');
    expect(await asked({ ...mark!, writeId: 'another' })).toBe('no');
  });

  it('is not opened on a store without a cluster', async () => {
    await api.put(remove(api.keys.cluster), remove(api.keys.node('n1')));
    await expect(agent.openSession(hello)).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      message: /the store holds no cluster/,
    });
  });
});

describe('a node that the store does not know', () => {
  it('is told so with what it takes to judge that', async () => {
    await api.put(remove(api.keys.node('n1')));
    const error: unknown = await agent.openSession(hello).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NodeRemovedError);
    expect((error as NodeRemovedError).facts).toEqual({
      id: (await api.store.health()).clusterId,
      revision: api.store.revision,
      acceptedAt: MADE,
      remembers: 'unknown',
    });
  });

  it('is shown to people while it is frozen', async () => {
    const stranger = await api.client('worker', 'n7');
    const request = { ...hello, historyLost: lost };
    await expect(stranger.openSession(request)).rejects.toThrow(NodeRemovedError);
    const [history] = (await admin.get('clusters', 'default')).status?.conditions ?? [];
    expect(history).toMatchObject({ type: 'HistoryKept', status: 'false', reason: 'HistoryLost' });
    expect(history?.message).toContain('frozen nodes: 1, unknown to the store: 1');
    const { frozen } = await admin.acceptHistory({ dryRun: true });
    expect(frozen).toEqual([
      { nodeId: 'n7', hostname: 'host-n1', reason: lost.reason, known: false },
    ]);
    expect(api.first.events.map(({ reason }) => reason)).toContain('HistoryLost');
  });
});

describe('a frozen node', () => {
  it('keeps its session, and people see why it does nothing', async () => {
    const session = await openFrozen();
    const { status } = await admin.get('nodes', 'n1');
    expect(status?.conditions.find(({ type }) => type === 'HistoryKept')).toMatchObject({
      status: 'false',
      reason: 'HistoryLost',
      message: expect.stringContaining(lost.reason) as string,
    });
    expect(api.first.events).toContainEqual(
      expect.objectContaining({ reason: 'HistoryLost', type: 'warning' }),
    );
    await session.report({ engineHealthy: true, tasks: [] });
    expect(api.world.nodeStatuses.get('n1')).not.toHaveProperty('historyLost');
    expect(api.first.events.at(-1)).toMatchObject({ reason: 'HistoryKept', type: 'normal' });
  });

  it('says so again when it opens a session, unless that was accepted since', async () => {
    await agent.openSession({ ...hello, historyLost: lost });
    expect(api.world.nodeStatuses.get('n1')?.historyLost).toEqual(lost);
    await admin.acceptHistory();
    await agent.openSession({ ...hello, historyLost: lost });
    expect(api.world.nodeStatuses.get('n1')).not.toHaveProperty('historyLost');
  });
});

describe('accepting', () => {
  it('sends frozen nodes, and no others, through a new session', async () => {
    await api.put(puts.node(api.keys, aNode('n2')));
    const other = heard(await (await api.client('worker', 'n2')).openSession(hello));
    const frozen = heard(await openFrozen());
    const accepted = await admin.acceptHistory();
    expect(accepted).toMatchObject({ dryRun: false, frozen: [{ nodeId: 'n1', known: true }] });
    await until('its end', () => ended(frozen));
    expect(frozen.at(-1)).toMatchObject({ reason: 'the history of the store was accepted' });
    expect(ended(other)).toBe(false);
    const { opened } = await agent.openSession(hello);
    expect(opened.store.acceptedAt).toBe(accepted.acceptedAt);
    const { status } = await admin.get('clusters', 'default');
    expect(status?.historyAcceptedAt).toBe(accepted.acceptedAt);
    expect(status?.conditions?.[0]).toMatchObject({ type: 'HistoryKept', status: 'true' });
  });

  it('is later than any acceptance that a node knows of, whatever clocks say', async () => {
    const session = await agent.openSession(hello);
    const acceptedAt = '2999-01-01T00:00:00.000Z';
    const historyLost = { ...lost, acceptedAt };
    await session.report({ engineHealthy: true, tasks: [], historyLost });
    const accepted = await admin.acceptHistory();
    expect(Date.parse(accepted.acceptedAt)).toBe(Date.parse(acceptedAt) + 1);
    expect((await admin.acceptHistory()).acceptedAt > accepted.acceptedAt).toBe(true);
  });

  it('changes nothing when it is only tried', async () => {
    const messages = heard(await openFrozen());
    const before = await api.store.get(api.keys.cluster);
    await admin.acceptHistory({ dryRun: true });
    expect(await api.store.get(api.keys.cluster)).toEqual(before);
    expect(ended(messages)).toBe(false);
  });

  it('survives a change of the settings', async () => {
    const { acceptedAt } = await admin.acceptHistory();
    await admin.patch('clusters', 'default', { spec: { nodeLostAfter: '30s' } });
    const { status } = await admin.get('clusters', 'default');
    expect(status?.historyAcceptedAt).toBe(acceptedAt);
  });
});

describe('a manager that finds history lost', () => {
  it('sends its nodes away, tells no whole, and goes on once a person has accepted', async () => {
    await api.put(puts.task(api.keys, aTask({ id: 't1', nodeId: 'n1' }).task));
    const before = heard(await agent.openSession(hello));
    await until('first set', () => before.length > 0);
    api.first.store.partition(true);
    api.etcd.restore(api.etcd.backup(), 'another');
    api.first.store.partition(false);
    api.first.store.cutWatches();
    await until('its end', () => ended(before));
    expect(before.at(-1)).toMatchObject({ reason: 'the store lost history', removed: false });
    const after = heard(await agent.openSession(hello));
    const sets = () =>
      after.flatMap((message) => (message.type === 'assignments' ? [message.complete] : []));
    await until('a set', () => sets().length > 0);
    expect(sets()[0]).toBe(false);
    expect(ended(after)).toBe(false);
    await admin.acceptHistory();
    await until('the whole', () => sets().at(-1) === true);
    expect(api.world.cache.historyBreak).toBeUndefined();
  });

  it('tells no node that it was removed which has nothing to judge that by', async () => {
    api.etcd.restore(api.etcd.backup(), 'another');
    api.first.store.cutWatches();
    await until('its discovery', () => api.world.cache.historyBreak !== undefined);
    await api.put(remove(api.keys.node('n1')));
    await expect(agent.openSession(hello)).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    const historyMark = { key: '/test/x', revision: 1, writeId: 'w' };
    await expect(agent.openSession({ ...hello, historyMark })).rejects.toThrow(NodeRemovedError);
  });
});

describe('what a manager finds about its etcd', () => {
  it('is a condition of the cluster, with the worst first', async () => {
    const troubles: { found: readonly StoreTrouble[] | undefined } = { found: undefined };
    const own = await ApiFixture.start({ server: { storeTroubles: () => troubles.found } });
    try {
      const client = await own.client();
      const condition = async () => {
        const { status } = await client.get('clusters', 'default');
        return status?.conditions?.find(({ type }) => type === 'EtcdHealthy');
      };
      expect(await condition()).toMatchObject({ status: 'unknown', reason: 'NotAsked' });
      troubles.found = [];
      const well = await condition();
      expect(well).toMatchObject({ status: 'true', reason: 'EtcdWell' });
      expect((await condition())?.changedAt).toBe(well?.changedAt);
      troubles.found = [
        { reason: 'NoSpace', message: 'etcd is full' },
        { reason: 'MemberDown', message: 'one is down' },
      ];
      expect(await condition()).toMatchObject({
        status: 'false',
        reason: 'NoSpace',
        message: 'etcd is full; one is down',
      });
      troubles.found = [{ reason: 'VersionNotRecommended', message: 'old', isAdvice: true }];
      expect(await condition()).toMatchObject({ status: 'true', reason: 'VersionNotRecommended' });
    } finally {
      await own.dispose();
    }
  });
});
