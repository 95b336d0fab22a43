import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFile } from 'node:fs/promises';
import type { SwarmClient } from '../client/index.js';
import { apiMetrics, createMetrics } from '../metrics/index.js';
import { clientTlsOptions, parseCertificate } from '../pki/index.js';
import { ApiFixture, until } from '../../test/fixtures/api.js';
import { openApiDocument } from './index.js';

let api: ApiFixture;
let admin: SwarmClient;
const metrics = createMetrics({ api: apiMetrics });

beforeEach(async () => {
  api = await ApiFixture.start({
    server: { metrics: metrics.of.api, limits: { calls: 2, streams: 2 } },
  });
  admin = await api.client();
});
afterEach(() => api.dispose());

/** The serial of the certificate that the server shows, and whether the session was resumed. */
async function shownCertificate(session?: Buffer) {
  const { certificate: cert, key } = await api.certificate('admin', 'swarm-admin');
  const [host, port] = api.first.address.split(':');
  const ca = api.authority.certificate;
  return new Promise<{ serial: string; session: Buffer | undefined; reused: boolean }>(
    (resolve, reject) => {
      const socket = connect({
        ...clientTlsOptions({ ca, cert, key }),
        host,
        port: Number(port),
        ...(session && { session }),
      });
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        const { serialNumber } = socket.getPeerCertificate();
        const reused = socket.isSessionReused();
        setTimeout(() => {
          socket.destroy();
          resolve({ serial: serialNumber, session: socket.getSession(), reused });
        }, 20);
      });
    },
  );
}

describe('the API server', () => {
  it('exchanges its certificate without a restart', async () => {
    const next = await api.certificate('m1', 'swarm-manager');
    const before = await shownCertificate();
    api.first.server.useCredentials({
      cert: next.certificate,
      key: next.key,
      ca: api.authority.certificate,
    });
    const after = await shownCertificate();
    expect(after.serial).not.toBe(before.serial);
    expect(after.serial).toBe(parseCertificate(next.certificate).serial);
    expect((await admin.version()).managerId).toBe('m1');
  });

  it('resumes no session', async () => {
    const { session } = await shownCertificate();
    expect((await shownCertificate(session)).reused).toBe(false);
  });

  it('cuts a connection whose certificate ends', async () => {
    const { certificate: cert, key } = await api.authority.issue({
      organizationalUnit: 'swarm-admin',
      now: new Date(Date.now() - 3_600_000 + 1_500),
      validityMs: 3_600_000,
    });
    const client = api.clientWith({ ca: api.authority.certificate, cert, key });
    const lines: unknown[] = [];
    const failed = (async () => {
      for await (const line of client.watch('services')) lines.push(line);
    })().catch((error: unknown) => error);
    await until('first line', () => lines.length > 0);
    expect(await failed).toMatchObject({ code: 'ERR_UNAUTHENTICATED' });
  });

  it('bounds what one caller has under way', async () => {
    const stop = new AbortController();
    const watches = [1, 2].map(async () => {
      for await (const line of admin.watch('services', { signal: stop.signal })) {
        if (line.type === 'bookmark') break;
      }
    });
    const busy = admin.logs({ service: 'none' });
    await expect(busy.next()).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    await Promise.all(watches);
    const many = await Promise.allSettled(
      Array.from({ length: 30 }, () => admin.version({ timeoutMs: 900 })),
    );
    const refused = many.filter(({ status }) => status === 'rejected');
    // Those that were told to wait a second have no time for it.
    for (const each of refused) {
      expect((each as PromiseRejectedResult).reason).toMatchObject({ code: 'ERR_UNAVAILABLE' });
    }
    expect(many.some(({ status }) => status === 'fulfilled')).toBe(true);
  });

  it('counts calls by route, and streams apart', async () => {
    await admin.version();
    const text = await metrics.text();
    expect(text).toMatch(
      /swarm_api_request_duration_seconds_count\{[^}]*route="\/v1\/version"[^}]*\} [1-9]/,
    );
    expect(text).toMatch(/swarm_api_in_flight_requests 0/);
    expect(text).toMatch(/swarm_api_watchers 0/);
  });

  it('stops in good order with streams open, and takes no call after that', async () => {
    const lines: unknown[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      for await (const line of admin.watch('services', { signal: stop.signal })) lines.push(line);
    })();
    await until('first line', () => lines.length > 0);
    await api.first.stop();
    await expect(admin.version({ timeoutMs: 500 })).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
    });
    stop.abort();
    await watching;
    expect(lines.at(-1)).toMatchObject({ type: 'bookmark' });
  });

  it('serves the document that is checked in', async () => {
    const checkedIn = await readFile('api/openapi/openapi.json', 'utf8');
    expect(await openApiDocument()).toBe(checkedIn);
  });
});
