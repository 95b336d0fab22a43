import { readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnavailableError } from '../../pkg/base/index.js';
import { BackupSum, type SwarmClient } from '../../pkg/client/index.js';
import { puts, remove, runOfCronJob } from '../../pkg/objects/index.js';
import {
  BUILT_AT,
  aCronJob,
  aNode,
  aNodeHealth,
  aNodeStatus,
  aService,
} from '../../test/builders/objects.js';
import { SwarmctlFixture } from '../../test/fixtures/swarmctl.js';

let ctl: SwarmctlFixture;
beforeEach(async () => {
  ctl = await SwarmctlFixture.start();
});
afterEach(() => ctl.dispose());

const lost = {
  reason: 'the store is at revision 3, and this node has seen revision 9',
  acceptedAt: '2026-01-01T00:00:00.000Z',
};

async function putFrozenNode(): Promise<void> {
  const { keys } = ctl.api;
  await ctl.api.put(
    puts.service(keys, aService()),
    puts.node(keys, aNode('n1')),
    puts.nodeStatus(keys, { ...aNodeStatus('n1'), historyLost: lost }),
    puts.nodeHealth(keys, aNodeHealth('n1')),
  );
}
const acceptedAt = async () =>
  (await (await ctl.api.client()).get('clusters', 'default')).status?.historyAcceptedAt;

describe('a cluster whose store lost history', () => {
  beforeEach(putFrozenNode);

  it('says so of its nodes and of itself', async () => {
    expect((await ctl.run('get nodes')).out).toContain('ready,frozen');
    expect((await ctl.run('get clusters')).out).toContain('HistoryLost');
    expect((await ctl.run('describe cluster default')).out).toMatch(
      /HistoryKept +false .*HistoryLost +the store lost history \(frozen nodes: 1\)/,
    );
    expect((await ctl.run('describe node n1')).out).toMatch(
      /HistoryKept +false .*has seen revision 9/,
    );
  });
});

describe('a cluster whose etcd is in trouble', () => {
  it('says so to whoever looks at its managers or nodes', async () => {
    const message = 'etcd is full: what runs goes on';
    const full = await SwarmctlFixture.start({
      server: { storeTroubles: () => [{ reason: 'NoSpace', message }] },
    });
    try {
      for (const line of ['get managers', 'get nodes,services']) {
        const { code, err } = await full.run(line);
        expect(code).toBe(0);
        expect(err).toContain(`warning: ${message} (NoSpace)\n`);
      }
      expect((await full.run('get managers -o json')).err).toBe('');
      expect((await full.run('get clusters')).out).toContain('NoSpace');
      expect((await full.run('describe cluster default')).out).toMatch(
        /EtcdHealthy +false .*NoSpace +etcd is full/,
      );
    } finally {
      await full.dispose();
    }
  });
});

describe('cluster accept-history', () => {
  it('shows what waits, asks, and accepts', async () => {
    await putFrozenNode();
    const { code, out, err } = await ctl.run('cluster accept-history', { answer: 'y' });
    expect(err).toContain('The store holds 1 services, 0 tasks and 1 nodes.');
    expect(err).toMatch(/n1 +host-n1 +yes +the store is at revision 3/);
    expect(err).toContain('Accept what the store holds? [y/N]');
    expect(out).toBe(`history accepted at ${(await acceptedAt()) ?? 'never'}\n`);
    expect(code).toBe(0);
  });

  it.each([
    ['the answer is no', { answer: '' }, 1, 'nothing was changed'],
    ['nobody is there to be asked', {}, 2, 'Pass --yes if you are sure.'],
  ])('accepts nothing when %s', async (_what, options, expected, words) => {
    await putFrozenNode();
    const { code, err } = await ctl.run('cluster accept-history', options);
    expect(code).toBe(expected);
    expect(err).toContain(words);
    expect(await acceptedAt()).toBeUndefined();
  });

  it('only shows what waits with --dry-run', async () => {
    const { code, out, err } = await ctl.run('cluster accept-history --dry-run');
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toContain('No node says that it lost history.');
    expect(await acceptedAt()).toBeUndefined();
  });

  it('does not ask with --yes', async () => {
    expect((await ctl.run('cluster accept-history --yes')).code).toBe(0);
    expect(await acceptedAt()).toBeDefined();
  });
});

describe('cluster backup', () => {
  const backupIn = async (file: string) =>
    (await readFile(file, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  beforeEach(async () => {
    const { keys, store } = ctl.api;
    const { id: leaseId } = await store.grantLease(60);
    await ctl.api.put(
      puts.service(keys, aService()),
      puts.node(keys, aNode('n1')),
      { kind: 'put', key: keys.manager('m7'), value: { id: 'm7' }, leaseId },
      { kind: 'put', key: `${keys.root}restoring`, value: {} },
    );
  });

  it('writes what lasts to a file of its own, with its secrets sealed', async () => {
    const file = join(ctl.folder, 'cluster.backup');
    const { code, err } = await ctl.run(['cluster', 'backup', '-o', file]);
    expect({ code, err }).toMatchObject({ code: 0, err: expect.stringContaining(file) as string });
    const [header, ...lines] = await backupIn(file);
    expect(header).toMatchObject({ format: 1, clusterId: ctl.api.authority.clusterId });
    const keys = lines.slice(0, -1).map(({ key }) => key);
    expect(keys).toEqual(expect.arrayContaining(['cluster', 'nodes/n1', 'services/web']));
    expect(keys).not.toContain('managers/m7');
    expect(keys).not.toContain('restoring');
    expect(lines.at(-1)).toMatchObject({ end: true, count: keys.length, skipped: 0 });
    const text = await readFile(file, 'utf8');
    expect(text).not.toContain('PRIVATE KEY');
    expect(text).not.toContain(ctl.api.tokens.worker);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('writes the same to standard output', async () => {
    const { out, err } = await ctl.run('cluster backup -o -');
    expect(JSON.parse(out.trim().split('\n').at(-1) ?? '')).toMatchObject({ end: true });
    expect(err).toMatch(
      /^standard output: cluster \w+ at revision \d+, \d+ keys, sha256 \w{64}\n$/,
    );
  });

  it('leaves an older file as it was, and nothing else, when etcd fails', async () => {
    const file = join(ctl.folder, 'cluster.backup');
    await writeFile(file, 'older');
    const { store } = ctl.api;
    const list = store.list.bind(store);
    const failing = vi.spyOn(store, 'list').mockImplementation(async function* (prefix, options) {
      for await (const page of list(prefix, options)) {
        yield page;
        throw new UnavailableError('etcd went away');
      }
    });
    const { code, err } = await ctl.run(['cluster', 'backup', '-o', file]);
    failing.mockRestore();
    expect(code).not.toBe(0);
    expect(err).toContain('etcd went away');
    expect(await readFile(file, 'utf8')).toBe('older');
    expect(await readdir(ctl.folder)).toEqual(['cluster.backup']);
  });

  it('says that it cannot write where it was told to', async () => {
    const { code, err } = await ctl.run('cluster backup -o /nonexistent/folder/file');
    expect(code).not.toBe(0);
    expect(err).toContain('cannot write /nonexistent/folder/file');
  });
});

describe('cluster restore', () => {
  let file: string;
  let admin: SwarmClient;
  const services = async () =>
    (await admin.list('services')).items.map(({ metadata, spec }) => [metadata.name, spec.mode]);

  beforeEach(async () => {
    const { keys } = ctl.api;
    admin = await ctl.api.client();
    await ctl.api.put(
      puts.service(keys, aService()),
      puts.node(keys, aNode('n1')),
      puts.nodeStatus(keys, aNodeStatus('n1')),
      puts.nodeHealth(keys, aNodeHealth('n1')),
      puts.node(keys, aNode('gone')),
    );
    await admin.create('services', { ...serviceOf('api'), metadata: { name: 'api' } });
    file = join(ctl.folder, 'cluster.backup');
    expect((await ctl.run(['cluster', 'backup', '-o', file])).code).toBe(0);
  });
  const serviceOf = (name: string) => ({
    apiVersion: 'swarm/v1',
    kind: 'Service',
    metadata: { name },
    spec: { mode: { replicated: { replicas: 2 } }, task: { container: { image: 'app:1' } } },
  });
  const change = async () => {
    await admin.patch('services', 'api', { spec: { mode: { replicated: { replicas: 5 } } } });
    await admin.delete('services', 'web');
    await admin.create('services', serviceOf('new'));
    await admin.patch('nodes', 'n1', { spec: { availability: 'drain' } });
    await ctl.api.put(remove(ctl.api.keys.service('web')), remove(ctl.api.keys.node('gone')));
  };
  const restore = (...args: readonly string[]) =>
    ctl.run(['cluster', 'restore', '-f', file, ...args]);

  it('changes nothing when nothing has changed', async () => {
    const { code, out, err } = await restore();
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toMatch(/; 0 of \d+ differ now\.\n$/);
  });

  it('shows what differs with --dry-run', async () => {
    await change();
    const before = await services();
    const { code, out, err } = await restore('--dry-run', '--prune');
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err.trim().split('\n').slice(1).sort()).toEqual([
      '  node/host-gone is not in this cluster any more',
      '  node/host-n1 restored',
      '  service/api restored',
      '  service/new deleted',
      '  service/web created again',
    ]);
    expect(await services()).toEqual(before);
  });

  it('brings it back when the person is sure, and leaves what is new', async () => {
    await change();
    expect((await restore()).code).toBe(2); // nobody is there to be asked
    const { code, out } = await ctl.run(['cluster', 'restore', '-f', file], { answer: 'y' });
    expect(code).toBe(0);
    expect(out.trim().split('\n').sort()).toEqual([
      'node/host-n1 restored',
      'service/api restored',
      'service/web created again',
    ]);
    expect((await services()).map(([name]) => name).sort()).toEqual(['api', 'new', 'web']);
    expect(Object.fromEntries(await services())).toMatchObject({
      api: { replicated: { replicas: 2 } },
    });
    expect((await admin.get('nodes', 'n1')).spec.availability).toBe('active');
    expect((await restore()).err).toMatch(/ 0 of \d+ differ/);
  });

  it('deletes what is new with --prune', async () => {
    await change();
    expect((await restore('--prune', '--yes')).out).toContain('service/new deleted\n');
  });

  it('brings cron jobs back and none of their runs, and prunes none', async () => {
    const { keys } = ctl.api;
    const cronJob = aCronJob();
    const run = (name: string) => runOfCronJob(cronJob, { name, uid: name, now: BUILT_AT });
    await ctl.api.put(puts.cronJob(keys, cronJob), puts.service(keys, run('backup-1')));
    await rm(file);
    await ctl.run(['cluster', 'backup', '-o', file]);
    await ctl.api.put(
      remove(keys.cronJob('backup')),
      remove(keys.service('backup-1')),
      puts.service(keys, run('backup-2')),
    );
    const { out } = await restore('--prune', '--yes');
    expect(out).toBe('cronjob/backup created again\n');
    expect((await services()).map(([name]) => name).sort()).toEqual(['api', 'backup-2', 'web']);
  });

  it('takes the backup of another cluster only when told to', async () => {
    const sum = new BackupSum();
    const header = { clusterId: 'another', storeId: 'e1', revision: 9, version: '0.1.0' };
    const lines = [
      sum.add({ format: 1, createdAt: '2026-01-01T00:00:00.000Z', ...header }),
      sum.add({ key: 'services/moved', value: serviceOf('moved') }),
    ];
    await writeFile(file, [...lines, JSON.stringify(sum.end(0))].join('\n'));
    const refused = await restore('--yes');
    expect(refused.code).not.toBe(0);
    expect(refused.err).toMatch(/this is a backup of cluster another, and this is cluster \w+/);
    expect((await restore('--yes', '--foreign')).out).toBe('service/moved created again\n');
  });

  it('says what is wrong with the file', async () => {
    await writeFile(file, '{"kind":"Service"}\n');
    expect((await restore()).err).toMatch(/cannot read .*cluster\.backup: this is no backup/);
    await rm(file);
    expect((await restore()).err).toMatch(/cannot read .*no such file/);
  });
});
