import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { swarmManager } from '../../cmd/manager/command-line.js';
import { runProgram } from '../../pkg/config/index.js';
import { freeAddresses } from '../../deploy/local/ports.js';
import { SwarmClient, joinCluster } from '../../pkg/client/index.js';
import { parseManifest } from '../../pkg/manifest/index.js';
import { createCsr, generateKey } from '../../pkg/pki/index.js';
import { EtcdStore } from '../../pkg/store/index.js';
import { EtcdFixture, describeWithEtcd } from '../fixtures/etcd.js';
import { eventually } from '../fixtures/eventually.js';

interface Context {
  readonly managers: readonly string[];
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** One manager in this process, as its command line runs it. */
interface RunningManager {
  readonly api: string;
  readonly metrics: string;
  readonly exitCode: Promise<number>;
  readonly words: () => string;
  stop(): Promise<number>;
}

const aService = (name: string) => ({
  apiVersion: 'swarm/v1',
  kind: 'Service',
  metadata: { name },
  spec: { task: { container: { image: 'app:1' } } },
});

describeWithEtcd('swarm-manager', () => {
  let etcd: EtcdFixture;
  let folder: string;
  const running: RunningManager[] = [];
  const clients: SwarmClient[] = [];

  beforeEach(async () => {
    etcd = await EtcdFixture.start();
    folder = await mkdtemp(join(tmpdir(), 'swarm-manager-'));
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await Promise.all(running.splice(0).map((manager) => manager.stop()));
    await etcd.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  async function command(...args: readonly string[]) {
    let stdout = '';
    let stderr = '';
    const code = await runProgram(swarmManager, args, {
      env: {},
      out: (text) => void (stdout += text),
      err: (text) => void (stderr += text),
      signal: new AbortController().signal,
    });
    return { code, stdout, stderr };
  }

  const at = (name: string) => join(folder, name);
  const init = (state: string, ...more: readonly string[]) =>
    command(
      ...['init', '--etcd-endpoints', etcd.endpoint, '--state-dir', at(state)],
      ...['--advertise', '127.0.0.1:2377', ...more],
    );

  async function run(state: string, endpoint = etcd.endpoint): Promise<RunningManager> {
    const [api = '', metrics = ''] = await freeAddresses(2);
    const stopping = new AbortController();
    let words = '';
    const exitCode = runProgram(
      swarmManager,
      [
        ...['run', '--state-dir', at(state), '--listen', api, '--advertise', api],
        ...['--metrics-listen', metrics, '--etcd-endpoints', endpoint, '--log-level', 'error'],
      ],
      {
        env: {},
        out: () => undefined,
        err: (text) => void (words += text),
        signal: stopping.signal,
      },
    );
    const manager = {
      api,
      metrics,
      exitCode,
      words: () => words,
      stop: () => {
        stopping.abort(new Error('the test stops it'));
        return exitCode;
      },
    };
    running.push(manager);
    return manager;
  }

  const readyz = async ({ metrics }: RunningManager) => {
    const answer = await fetch(`http://${metrics}/readyz`);
    return { ok: answer.ok, text: await answer.text() };
  };
  const ready = (manager: RunningManager) =>
    eventually('ready manager', async () => (await readyz(manager)).ok);

  async function contextIn(file: string): Promise<Context> {
    const { objects } = parseManifest(file, await readFile(file, 'utf8'));
    return (objects[0]?.value as { contexts: Context[] }).contexts.at(-1)!;
  }

  async function adminOf(...managers: readonly string[]): Promise<SwarmClient> {
    const { ca, certificate: cert, key } = await contextIn(at('admin.yaml'));
    const client = new SwarmClient({ managers, tls: { ca, cert, key } });
    clients.push(client);
    return client;
  }

  it('init makes a cluster once, and tells how to join', async () => {
    const first = await init('m1', '--admin-context-file', at('admin.yaml'));
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/SWARM_JOIN_TOKEN=SWMTKN-1-\w{50}-\w{25} swarm-agent join/);
    for (const file of ['m1/encryption.key', 'm1/tls/key.pem', 'admin.yaml']) {
      expect((await stat(at(file))).mode & 0o777, file).toBe(0o600);
    }
    const key = await readFile(at('m1/encryption.key'), 'utf8');
    const context = await readFile(at('admin.yaml'), 'utf8');
    const second = await init('m1', '--admin-context-file', at('admin.yaml'));
    expect(second).toMatchObject({ code: 3, stdout: '' });
    expect(second.stderr).toMatch(/a cluster exists already/);
    expect(await readFile(at('m1/encryption.key'), 'utf8')).toBe(key);
    expect(await readFile(at('admin.yaml'), 'utf8')).toBe(context);
  });

  it('init lets one of two racing ones win, and the other keep nothing', async () => {
    const results = await Promise.all([
      init('a', '--admin-context-file', at('a.yaml')),
      init('b', '--admin-context-file', at('b.yaml')),
    ]);
    expect(results.map(({ code }) => code).sort()).toEqual([0, 3]);
    const loser = results[0].code === 3 ? 'a' : 'b';
    await expect(stat(at(`${loser}/tls`))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readFile(at(`${loser}.yaml`), 'utf8')).not.toContain('PRIVATE KEY');
  });

  it('init keeps the other contexts of a file', async () => {
    const other = 'apiVersion: swarmctl/v1\ncurrentContext: old\ncontexts:\n  - name: old\n';
    await writeFile(at('admin.yaml'), other);
    await init('m1', '--admin-context-file', at('admin.yaml'), '--cluster-name', 'new');
    const text = await readFile(at('admin.yaml'), 'utf8');
    expect(text).toMatch(/currentContext: new/);
    expect(text).toMatch(/name: old/);
  });

  it('init does not touch a file that is none of ours', async () => {
    await writeFile(at('admin.yaml'), 'just a note');
    const result = await init('m1', '--admin-context-file', at('admin.yaml'));
    expect(result.code).toBe(1);
    expect(await readFile(at('admin.yaml'), 'utf8')).toBe('just a note');
    expect((await init('m1')).code).toBe(0);
  });

  it('tells what is wrong with a command line', async () => {
    expect((await command('frobnicate')).code).toBe(2);
    const result = await command('run', '--listen', 'nonsense');
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/--etcd-endpoints/);
    expect((await command('run', '--help')).stdout).toMatch(/--metrics-listen/);
  });

  it('run ends with 1 when there is no cluster, and says what to do', async () => {
    expect((await init('m1')).code).toBe(0);
    const elsewhere = await EtcdFixture.start();
    try {
      const manager = await run('m1', elsewhere.endpoint);
      expect(await manager.exitCode).toBe(1);
      expect(manager.words()).toMatch(/run swarm-manager init, or restore, first/);
    } finally {
      await elsewhere.dispose();
    }
  });

  it('run serves and leads, a second one with the key alone joins it, and takes over', async () => {
    await init('m1', '--admin-context-file', at('admin.yaml'));
    const first = await run('m1');
    await ready(first);
    // All that a second manager needs.
    const key = await readFile(at('m1/encryption.key'));
    await mkdir(at('m2'));
    await writeFile(at('m2/encryption.key'), key, { mode: 0o600 });
    const second = await run('m2');
    await ready(second);
    const client = await adminOf(second.api);
    expect((await client.list('managers')).items).toHaveLength(2);
    await eventually('leader', async () =>
      (await client.list('managers')).items.some(({ status }) => status.leader),
    );
    const begun = performance.now();
    expect(await first.stop()).toBe(0);
    expect(performance.now() - begun).toBeLessThan(5_000);
    await eventually('leadership of the second', async () => (await client.version()).leader);
    // The one that left is known until somebody forgets it, as Docker shows it.
    const { items } = await client.list('managers');
    expect(items.map(({ status }) => status.reachability).sort()).toEqual([
      'reachable',
      'unreachable',
    ]);
  });

  it('run refuses the encryption key of another cluster', async () => {
    await init('m1');
    const elsewhere = await EtcdFixture.start();
    try {
      await command(
        ...['init', '--etcd-endpoints', elsewhere.endpoint, '--state-dir', at('m2')],
        ...['--advertise', '127.0.0.1:2377'],
      );
    } finally {
      await elsewhere.dispose();
    }
    const manager = await run('m2');
    expect(await manager.exitCode).toBe(1);
    expect(manager.words()).toMatch(/give it the key file that the cluster was made with/);
  });

  it('run waits for etcd, says so, and survives that it goes and comes back', async () => {
    await init('m1', '--admin-context-file', at('admin.yaml'));
    await etcd.stop();
    const manager = await run('m1');
    await eventually('probe', async () =>
      (await readyz(manager)).text.includes('waiting for etcd'),
    );
    await etcd.restart();
    await ready(manager);
    const client = await adminOf(manager.api);
    await etcd.stop();
    const web = aService('web');
    await expect(client.create('services', web, { timeoutMs: 8_000 })).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
    });
    await etcd.restart();
    await eventually('write', async () => (await client.apply('services', web)).revision > 0);
  });

  it('run says that etcd is full, serves what it can, and goes on when there is room again', async () => {
    await etcd.dispose();
    etcd = await EtcdFixture.start({ quotaBytes: 4 * 1024 * 1024 });
    await init('m1', '--admin-context-file', at('admin.yaml'));
    const manager = await run('m1');
    await ready(manager);
    const client = await adminOf(manager.api);
    await client.create('services', aService('web'));
    await eventually('leader', async () => (await client.version()).leader);
    const other = new EtcdStore({ endpoints: [etcd.endpoint] });
    const isFull = async () => {
      const blob = 'x'.repeat(500_000);
      await other.commit({
        compare: [],
        operations: [{ kind: 'put', key: '/other', value: { blob } }],
      });
      return false;
    };
    const condition = async () => {
      const { status } = await client.get('clusters', 'default');
      return status?.conditions?.find(({ type }) => type === 'EtcdHealthy');
    };
    try {
      await eventually('full etcd', () => isFull().catch(() => true));
      await eventually('condition', async () => (await condition())?.reason === 'NoSpace');
      const { ok, text } = await readyz(manager);
      expect([ok, text]).toEqual([true, expect.stringMatching(/^ok\ndegraded: etcd is full/)]);
      await expect(client.create('services', aService('api'))).rejects.toMatchObject({
        code: 'ERR_UNAVAILABLE',
        message: /etcd is full; compact it/,
      });
      expect((await client.list('services')).items).toHaveLength(1);
      expect((await client.version()).leader).toBe(true);
      await etcd.makeRoom((await other.health()).revision);
      await client.create('services', aService('api'));
      await eventually('good condition', async () => (await condition())?.reason !== 'NoSpace');
      expect((await client.version()).leader).toBe(true);
      await eventually('events', async () => {
        const { items } = await client.list('events');
        const reasons = items.map(({ reason }) => reason);
        return reasons.includes('EtcdNoSpace') && reasons.includes('EtcdHealthy');
      });
    } finally {
      await other.close();
    }
  });

  it('run lets machines join and knows them at once', async () => {
    await init('m1', '--admin-context-file', at('admin.yaml'));
    const manager = await run('m1');
    await ready(manager);
    const client = await adminOf(manager.api);
    const { worker } = await client.joinTokens();
    const csr = await createCsr(await generateKey());
    const joined = await joinCluster({
      managers: [manager.api],
      token: worker,
      csr,
      hostname: 'box',
    });
    expect(joined.managers).toEqual([manager.api]);
    await eventually('verdict', async () => {
      const { status } = await client.get('nodes', joined.nodeId);
      return status?.state === 'unknown' && status.reason !== 'has not opened a session yet';
    });
    await eventually('event', async () =>
      (await client.list('events', { fieldSelector: 'reason=NodeJoined' })).items.some(
        ({ regarding }) => regarding.uid === joined.nodeId,
      ),
    );
  });
});
