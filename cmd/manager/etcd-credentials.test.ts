import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../pkg/base/index.js';
import type { EtcdTls } from '../../pkg/store/index.js';
import { FakeClock } from '../../test/fakes/fake-clock.js';
import { recordingLogger } from '../../test/fakes/recording-logger.js';
import { EtcdCredentials } from './etcd-credentials.js';

const tls = (name: string): EtcdTls => ({
  ca: `ca-${name}`,
  cert: `cert-${name}`,
  key: `key-${name}`,
});

function setUp(first: EtcdTls | undefined) {
  const clock = new FakeClock();
  const log = recordingLogger();
  const files = { now: first, isBroken: false };
  const etcd = { replaced: [] as EtcdTls[], refuses: false };
  const credentials = new EtcdCredentials({
    clock,
    log,
    read: () =>
      files.isBroken ? Promise.reject(new Error('half written')) : Promise.resolve(files.now),
    store: {
      replaceCredentials: (found) => {
        if (etcd.refuses) return Promise.reject(new UnavailableError('not accepted'));
        etcd.replaced.push(found);
        return Promise.resolve();
      },
    },
  });
  const stop = new AbortController();
  const running = credentials.run(stop.signal, () => undefined);
  const end = async () => {
    stop.abort();
    await running;
  };
  return { clock, log, files, etcd, end };
}

describe('EtcdCredentials', () => {
  it('replaces credentials when their files change, and only then', async () => {
    const { clock, files, etcd, end } = setUp(tls('old'));
    await clock.advance(120_000);
    expect(etcd.replaced).toEqual([]);
    files.now = tls('new');
    await clock.advance(120_000);
    expect(etcd.replaced).toEqual([tls('new')]);
    await end();
  });

  it('keeps the old ones while the new ones cannot be read or are not accepted, and tries again', async () => {
    const { clock, log, files, etcd, end } = setUp(tls('old'));
    await clock.advance(0);
    files.isBroken = true;
    await clock.advance(61_000);
    files.isBroken = false;
    files.now = tls('new');
    etcd.refuses = true;
    await clock.advance(30_000);
    expect(etcd.replaced).toEqual([]);
    expect(log.linesOf('etcd credentials not replaced').length).toBeGreaterThanOrEqual(2);
    etcd.refuses = false;
    await clock.advance(120_000);
    expect(etcd.replaced).toEqual([tls('new')]);
    await end();
  });

  it('does nothing without TLS', async () => {
    const { clock, etcd, end } = setUp(undefined);
    await clock.advance(300_000);
    expect(etcd.replaced).toEqual([]);
    await end();
  });
});
