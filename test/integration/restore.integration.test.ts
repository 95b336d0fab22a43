import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { swarmManager } from '../../cmd/manager/command-line.js';
import type { BackupEntry } from '../../api/v1/index.js';
import { newWriteId } from '../../pkg/base/index.js';
import { BackupSum } from '../../pkg/client/index.js';
import { runProgram } from '../../pkg/config/index.js';
import { EtcdStore, decodeEntry, keysUnder, type Operation } from '../../pkg/store/index.js';
import { EtcdFixture, describeWithEtcd } from '../fixtures/etcd.js';

describeWithEtcd('swarm-manager restore', () => {
  let etcd: EtcdFixture;
  let store: EtcdStore;
  let folder: string;
  /** Every test has a part of etcd for itself. */
  let prefix: string;

  beforeEach(async () => {
    etcd = await EtcdFixture.start();
    store = new EtcdStore({ endpoints: [etcd.endpoint] });
    folder = await mkdtemp(join(tmpdir(), 'swarm-restore-'));
    prefix = '/made';
    const made = await command('init', '--advertise', '127.0.0.1:2377');
    expect(made, made.stderr).toMatchObject({ code: 0 });
  });
  afterEach(async () => {
    await store.close();
    await etcd.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  async function command(name: string, ...args: readonly string[]) {
    let [stdout, stderr] = ['', ''];
    const where = ['--etcd-endpoints', etcd.endpoint, '--etcd-prefix', prefix];
    const code = await runProgram(
      swarmManager,
      [name, ...where, '--state-dir', join(folder, 'm1'), ...args],
      {
        env: {},
        out: (text) => void (stdout += text),
        err: (text) => void (stderr += text),
        signal: new AbortController().signal,
      },
    );
    return { code, stdout, stderr };
  }

  /** As the API makes one, of the cluster that was made and a few hundred services. */
  async function aBackup({ without = '' } = {}): Promise<string> {
    const sum = new BackupSum();
    const made = await store.get(keysUnder('/made').cluster);
    const header = { clusterId: 'c1', storeId: 'e1', revision: 9, version: '0.1.0' };
    const entries: BackupEntry[] = [
      { key: 'cluster', value: decodeEntry(made!).value as BackupEntry['value'] },
      { key: 'nodes/n1', value: { metadata: { name: 'h1' } } },
      ...Array.from({ length: 250 }, (_, index) => ({
        key: `services/s${String(index)}`,
        value: { spec: { replicas: index }, padding: 'x'.repeat(index === 7 ? 400_000 : 4_000) },
      })),
    ];
    const lines = [
      sum.add({ format: 1, createdAt: '2026-01-01T00:00:00.000Z', ...header }),
      ...entries.filter(({ key }) => key !== without).map((entry) => sum.add(entry)),
    ];
    const file = join(folder, `${newWriteId()}.backup`);
    await writeFile(file, [...lines, JSON.stringify(sum.end(0)), ''].join('\n'));
    return file;
  }

  /** All below the prefix, without the ids of the writes. */
  async function stored(at = prefix): Promise<Map<string, unknown>> {
    const found = new Map<string, unknown>();
    for await (const { entries } of store.list(`${at}/`)) {
      for (const entry of entries)
        found.set(entry.key.slice(at.length + 1), decodeEntry(entry).value);
    }
    return found;
  }
  const put = (...operations: readonly Operation[]) => store.commit({ compare: [], operations });

  it('puts everything back, and says what to do next', async () => {
    const file = await aBackup();
    prefix = '/empty';
    const { code, stdout, stderr } = await command('restore', '--file', file);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/is restored as it was at 2026-01-01.*250 services, 1 nodes, 252 keys/);
    expect(stdout).toContain('swarmctl cluster accept-history');
    const found = await stored();
    expect(found.size).toBe(252);
    expect(found.get('cluster')).toMatchObject({
      ...((await stored('/made')).get('cluster') as object),
      // what nodes notice it by in an etcd that remembers everything
      history: { restoreId: expect.any(String) as string },
    });
    expect(found.get('services/s249')).toMatchObject({ spec: { replicas: 249 } });
  });

  it('goes on where it broke off, with the same backup only', async () => {
    const [file, other] = [await aBackup(), await aBackup({ without: 'nodes/n1' })];
    prefix = '/broken';
    expect((await command('restore', '--file', file)).code).toBe(0);
    const { value } = decodeEntry((await store.get('/broken/services/s1'))!);
    const { sha256 } = JSON.parse((await readFile(file, 'utf8')).trim().split('\n').at(-1)!) as {
      sha256: string;
    };
    // As if it had died before its last write.
    await put(
      { kind: 'delete', key: '/broken/cluster' },
      { kind: 'delete', key: '/broken/services/s1' },
      { kind: 'put', key: '/broken/restoring', value: { sha256 } },
    );
    const init = await command('init', '--advertise', '127.0.0.1:2377');
    expect(init).toMatchObject({ code: 3 });
    expect(init.stderr).toMatch(/being restored here/);
    const wrong = await command('restore', '--file', other);
    expect(wrong).toMatchObject({ code: 3 });
    expect(wrong.stderr).toMatch(/another backup was restored here and broke off/);
    expect((await command('restore', '--file', file)).code).toBe(0);
    const found = await stored();
    expect(found.get('services/s1')).toEqual(value);
    expect([found.has('restoring'), found.size]).toEqual([false, 252]);
  });

  it('refuses a cluster that is there, and leavings of one', async () => {
    const file = await aBackup();
    const before = await stored();
    const result = await command('restore', '--file', file);
    expect(result).toMatchObject({ code: 3 });
    expect(result.stderr).toMatch(
      /etcd is not empty: there is \/made\/cluster; nothing was changed/,
    );
    expect(await stored()).toEqual(before);
    prefix = '/left';
    await put({ kind: 'put', key: '/left/tasks/t1', value: {} });
    expect((await command('restore', '--file', file)).stderr).toContain('/left/tasks/t1');
    expect((await stored()).size).toBe(1);
  });

  it('writes nothing when the file or the key is not what it should be', async () => {
    const file = await aBackup();
    const cut = join(folder, 'cut.backup');
    await writeFile(cut, (await readFile(file, 'utf8')).split('\n').slice(0, 100).join('\n'));
    const noCluster = await aBackup({ without: 'cluster' });
    const key = join(folder, 'm1', 'encryption.key');
    const kept = join(folder, 'kept.key');
    await copyFile(key, kept);
    prefix = '/elsewhere';
    const failsWith = async (path: string, words: RegExp) => {
      const { code, stderr } = await command('restore', '--file', path);
      expect(code).toBe(1);
      expect(stderr).toMatch(words);
    };
    await failsWith(cut, /not complete/);
    await failsWith(noCluster, /holds no cluster/);
    await failsWith(join(folder, 'none'), /no such file/);
    await rm(join(folder, 'm1'), { recursive: true });
    await failsWith(file, /encryption\.key is missing/);
    prefix = '/another';
    expect((await command('init', '--advertise', '127.0.0.1:2377')).code).toBe(0);
    prefix = '/elsewhere';
    await failsWith(file, /key/);
    expect((await stored()).size).toBe(0);
    await mkdir(join(folder, 'm1'), { recursive: true });
    await copyFile(kept, key);
    expect((await command('restore', '--file', file)).code).toBe(0);
  });
});
