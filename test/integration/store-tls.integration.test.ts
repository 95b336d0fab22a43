import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { UnavailableError } from '../../pkg/base/index.js';
import { EtcdStore } from '../../pkg/store/index.js';
import type { EtcdTls } from '../../pkg/store/index.js';
import {
  etcdCertificates,
  testAuthority,
  writeEtcdCertificates,
} from '../fixtures/certificates.js';
import type { EtcdCertificates } from '../fixtures/certificates.js';
import { describeWithEtcd, EtcdFixture } from '../fixtures/etcd.js';
import { FaultProxy } from '../fixtures/fault-proxy.js';

const WAIT = { timeout: 20_000, interval: 10 };

describeWithEtcd('EtcdStore with mutual TLS', () => {
  let folder: string;
  let certificates: EtcdCertificates;
  let etcd: EtcdFixture;
  let proxy: FaultProxy;
  let store: EtcdStore;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swarm-etcd-tls-'));
    certificates = await etcdCertificates();
    const files = await writeEtcdCertificates(certificates, folder);
    etcd = await EtcdFixture.start({
      tls: { caFile: files.ca, certFile: files.serverCert, keyFile: files.serverKey },
    });
  });
  afterAll(async () => {
    await etcd.dispose();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    proxy = await FaultProxy.start({ port: etcd.port });
    store = open(tlsOf('client'));
  });
  afterEach(async () => {
    await store.close();
    await proxy.close();
  });

  function tlsOf(who: 'client' | 'nextClient'): EtcdTls {
    const { certificate, key } = certificates[who];
    return { ca: certificates.ca, cert: certificate, key };
  }
  function open(tls: EtcdTls): EtcdStore {
    return new EtcdStore({ endpoints: [`https://${proxy.address}`], tls });
  }
  async function strangerTls(): Promise<EtcdTls> {
    const { certificate, key } = await (await testAuthority('elsewhere')).issue();
    return { ca: certificates.ca, cert: certificate, key };
  }
  const write = (key: string) =>
    store.commit({ compare: [], operations: [{ kind: 'put', key: `/tls/${key}`, value: {} }] });

  it('talks to an etcd that knows its certificate, and to no other', async () => {
    await write('a');
    expect(await store.get('/tls/a')).toBeDefined();
    const stranger = open(await strangerTls());
    await expect(stranger.get('/tls/a')).rejects.toThrow(UnavailableError);
    await stranger.close();
    const elsewhere = await testAuthority('elsewhere');
    const distrustful = open({ ...tlsOf('client'), ca: elsewhere.certificate });
    await expect(distrustful.get('/tls/a')).rejects.toThrow(UnavailableError);
    await distrustful.close();
  });

  it('exchanges its certificate under load: no call fails, no event is lost', async () => {
    const first = await write('start');
    const seen: string[] = [];
    const ends: unknown[] = [];
    const stop = new AbortController();
    const written: string[] = [];
    let next = first + 1;
    const follow = async () => {
      while (!stop.signal.aborted) {
        await store
          .watch('/tls/', next, {
            signal: stop.signal,
            onBatch: ({ events, revision }) => {
              seen.push(...events.map((event) => (event.kind === 'put' ? event.entry.key : '')));
              next = revision + 1;
            },
          })
          .catch((error: unknown) => ends.push(error));
      }
    };
    const following = follow();
    const writeMany = async (prefix: string) => {
      for (let i = 0; i < 100; i += 1) {
        await write(`${prefix}/${String(i)}`);
        written.push(`/tls/${prefix}/${String(i)}`);
      }
    };
    const writers = Promise.all(['a', 'b', 'c', 'd'].map(writeMany));
    await vi.waitFor(() => {
      expect(seen.length).toBeGreaterThan(20);
    }, WAIT);
    await store.replaceCredentials(tlsOf('nextClient'));
    await writers;
    await vi.waitFor(() => {
      expect(seen).toHaveLength(400);
    }, WAIT);
    expect([...seen].sort()).toEqual([...written].sort());
    expect(ends).toEqual([expect.any(UnavailableError)]);
    // the old connections are gone: one for the calls and one for the watch are left
    await vi.waitFor(() => {
      expect(proxy.openConnections).toBe(2);
    }, WAIT);
    stop.abort();
    await following;
  });

  it('keeps its certificate when etcd does not take the new one', async () => {
    const onBatch = vi.fn();
    const stop = new AbortController();
    const watching = store.watch('/tls/', await write('a'), { signal: stop.signal, onBatch });
    await expect(store.replaceCredentials(await strangerTls())).rejects.toThrow(UnavailableError);
    await write('b');
    await vi.waitFor(() => {
      expect(onBatch.mock.calls.length).toBeGreaterThan(0);
    }, WAIT);
    stop.abort();
    await watching;
  });

  it('refuses endpoints that it cannot use', () => {
    expect(() => new EtcdStore({ endpoints: ['https://127.0.0.1:1'] })).toThrow(RangeError);
    expect(
      () => new EtcdStore({ endpoints: ['http://127.0.0.1:1'], tls: tlsOf('client') }),
    ).toThrow(RangeError);
    expect(() => new EtcdStore({ endpoints: [] })).toThrow(RangeError);
    for (const endpoint of [
      '127.0.0.1:1',
      'http://127.0.0.1',
      'http://127.0.0.1:1/',
      'ftp://a:1',
    ]) {
      expect(() => new EtcdStore({ endpoints: [endpoint] })).toThrow(RangeError);
    }
  });
});
