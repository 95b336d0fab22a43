import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, it, expect } from 'vitest';
import { createManagerMetrics, serveObservability } from './index.js';
import type { HealthReport, ObservabilityServer } from './index.js';

const FINE: HealthReport = { unhealthy: [], notReady: [] };

let server: ObservabilityServer;
let health: () => HealthReport;

beforeEach(async () => {
  health = () => FINE;
  server = await serveObservability({
    listen: { host: '127.0.0.1', port: 0 },
    registry: createManagerMetrics(),
    health: () => health(),
  });
});
afterEach(() => server.stop());

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(path: string, method = 'GET'): Promise<Reply> {
  return new Promise((resolve, reject) => {
    request({ ...server.address, path, method, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (body += part));
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body }),
      );
    })
      .on('error', reject)
      .end();
  });
}

describe('serveObservability', () => {
  it('serves the metrics as Prometheus text', async () => {
    const reply = await ask('/metrics?name[]=x');
    expect(reply.status).toBe(200);
    expect(reply.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(reply.body).toContain('# TYPE swarm_cluster_tasks gauge');
  });

  it('is alive while it is not ready, and says why', async () => {
    health = () => ({ unhealthy: [], notReady: ['cache is not synced', 'etcd is away'] });
    expect(await ask('/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await ask('/readyz')).toMatchObject({
      status: 503,
      body: 'cache is not synced\netcd is away\n',
    });
    health = () => FINE;
    expect(await ask('/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
  });

  it('says what is wrong although it can work, and is ready', async () => {
    health = () => ({ ...FINE, degraded: ['etcd is full'] });
    const told = { status: 200, body: 'ok\ndegraded: etcd is full\n' };
    expect(await ask('/readyz')).toMatchObject(told);
    expect(await ask('/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
    health = () => ({ ...FINE, notReady: ['no cache'], degraded: ['etcd is full'] });
    const both = { status: 503, body: 'no cache\ndegraded: etcd is full\n' };
    expect(await ask('/readyz')).toMatchObject(both);
  });

  it('is neither alive nor ready when it needs a restart or the check itself fails', async () => {
    health = () => ({ unhealthy: ['event loop stuck'], notReady: [] });
    expect(await ask('/healthz')).toMatchObject({ status: 503, body: 'event loop stuck\n' });
    expect(await ask('/readyz')).toMatchObject({ status: 503 });
    health = () => {
      throw new Error('boom');
    };
    expect(await ask('/healthz')).toMatchObject({
      status: 503,
      body: 'health check failed: boom\n',
    });
  });

  it('takes GET only and knows its three pages only', async () => {
    expect(await ask('/metrics', 'POST')).toMatchObject({ status: 405, headers: { allow: 'GET' } });
    expect(await ask('/other')).toMatchObject({ status: 404 });
  });

  it('answers 500 when the scrape fails', async () => {
    const broken = await serveObservability({
      listen: { host: '127.0.0.1', port: 0 },
      registry: { contentType: 'text/plain', text: () => Promise.reject(new Error('boom')) },
      health: () => FINE,
    });
    try {
      const reply = await fetch(`http://127.0.0.1:${String(broken.address.port)}/metrics`);
      expect([reply.status, await reply.text()]).toEqual([500, 'boom\n']);
    } finally {
      await broken.stop();
    }
  });

  it('stops although a client holds its connection open without a word', async () => {
    const silent = connect(server.address.port, '127.0.0.1');
    await new Promise((resolve) => silent.once('connect', resolve));
    const ended = new Promise((resolve) => silent.once('close', resolve));
    silent.on('error', () => {});
    await server.stop();
    await ended;
    await expect(ask('/healthz')).rejects.toThrow(/ECONNREFUSED/);
    await server.stop();
  });

  it('says which address is taken', async () => {
    await expect(
      serveObservability({ listen: server.address, registry: createManagerMetrics(), health }),
    ).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      message: expect.stringContaining(`127.0.0.1:${String(server.address.port)}`) as string,
    });
  });
});
