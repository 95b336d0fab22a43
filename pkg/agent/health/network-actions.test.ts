import { createServer, type RequestListener, type Server } from 'node:http';
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
} from 'node:net';
import { createServer as createTlsServer } from 'node:https';
import { afterEach, describe, expect, it } from 'vitest';
import { testAuthority } from '../../../test/fixtures/certificates.js';
import { nodeNetwork } from './network-actions.js';

const HOST = '127.0.0.1';

describe('nodeNetwork', () => {
  const servers: (Server | TcpServer)[] = [];
  const { signal } = new AbortController();

  afterEach(async () => {
    for (const server of servers.splice(0)) {
      if ('closeAllConnections' in server) server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  async function listen(server: Server | TcpServer): Promise<number> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
    return (server.address() as AddressInfo).port;
  }

  const serve = (listener: RequestListener) => listen(createServer(listener));

  /** A port that nothing listens at. */
  async function freePort(): Promise<number> {
    const server = createTcpServer();
    const port = await listen(server);
    servers.pop();
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  const ask = (port: number, more: object = {}, timeoutMs = 10_000) => {
    const action = { scheme: 'http', path: '/', headers: {}, port, ...more } as const;
    return nodeNetwork.http(HOST, action, { timeoutMs, signal });
  };

  describe('http', () => {
    it.each([200, 204, 302, 399])('is content with status %i', async (status) => {
      const port = await serve((_request, response) => response.writeHead(status).end());
      expect(await ask(port)).toEqual({ kind: 'success' });
    });

    it.each([
      [400, 'missing', 'HTTP 400 Bad Request: missing'],
      [503, '', 'HTTP 503 Service Unavailable'],
      [404, ' <H1>404</H1>\r\n\tnot found\n', 'HTTP 404 Not Found: <H1>404</H1> not found'],
    ])('tells of status %i what it can', async (status, body, output) => {
      const port = await serve((_request, response) => response.writeHead(status).end(body));
      expect(await ask(port)).toEqual({ kind: 'failure', output });
    });

    it('asks for what it is told, with its headers', async () => {
      const seen: unknown[] = [];
      const port = await serve(({ method, url, headers }, response) => {
        seen.push({ method, url, host: headers.host, agent: headers['user-agent'] });
        response.end();
      });
      await ask(port, { path: '/ready?a=1', headers: { Host: 'shop.example' } });
      await ask(port);
      expect(seen).toEqual([
        { method: 'GET', url: '/ready?a=1', host: 'shop.example', agent: 'swarmkeeper-probe' },
        { method: 'GET', url: '/', host: `${HOST}:${String(port)}`, agent: 'swarmkeeper-probe' },
      ]);
    });

    it('reads no more than it may tell', async () => {
      const port = await serve((_request, response) => {
        response.writeHead(500);
        const more = () => response.write('x'.repeat(65_536));
        response.on('drain', more);
        more();
      });
      const { output } = (await ask(port)) as { readonly output: string };
      expect(output.length).toBeLessThan(4_200);
    });

    const stuck: readonly (readonly [string, RequestListener])[] = [
      ['says nothing', () => undefined],
      ['stops in the middle', (_request, response) => response.write('a')],
    ];
    it.each(stuck)('has a deadline when the server %s', async (_what, listener) => {
      const port = await serve(listener);
      const output = 'no answer within 50ms';
      expect(await ask(port, {}, 50)).toEqual({ kind: 'failure', output });
      await expect
        .poll(() => new Promise((resolve) => servers[0]?.getConnections((_e, n) => resolve(n))))
        .toBe(0);
    });

    it('tells that nobody listens, and of what is no HTTP', async () => {
      expect(await ask(await freePort())).toMatchObject({
        kind: 'failure',
        output: expect.stringContaining('ECONNREFUSED') as string,
      });
      const port = await listen(createTcpServer((socket) => socket.resume().end('SSH-2.0-x\r\n')));
      expect(await ask(port)).toMatchObject({ kind: 'failure' });
    });

    it('asks a server whose certificate nobody knows', async () => {
      const authority = await testAuthority('cluster1', new Date());
      const { key, certificate } = await authority.issue({ commonName: 'somebody' });
      const server = createTlsServer({ key, cert: certificate }, (_request, response) => {
        response.end('fine');
      });
      const port = await listen(server);
      expect(await ask(port, { scheme: 'https' })).toEqual({ kind: 'success' });
      expect(await ask(port)).toMatchObject({ kind: 'failure' });
    });

    it('ends with the reason of an abort', async () => {
      const port = await serve(() => undefined);
      const controller = new AbortController();
      const action = { scheme: 'http', path: '/', headers: {}, port } as const;
      const reason = new Error('enough');
      const asking = nodeNetwork.http(HOST, action, {
        timeoutMs: 10_000,
        signal: controller.signal,
      });
      controller.abort(reason);
      await expect(asking).rejects.toBe(reason);
    });
  });

  describe('tcp', () => {
    it('is content with a connection', async () => {
      const port = await listen(createTcpServer());
      const options = { timeoutMs: 10_000, signal };
      expect(await nodeNetwork.tcp(HOST, port, options)).toEqual({ kind: 'success' });
      await expect
        .poll(() => new Promise((resolve) => servers[0]?.getConnections((_e, n) => resolve(n))))
        .toBe(0);
    });

    it('tells that nobody listens', async () => {
      const options = { timeoutMs: 10_000, signal };
      expect(await nodeNetwork.tcp(HOST, await freePort(), options)).toMatchObject({
        kind: 'failure',
        output: expect.stringContaining('ECONNREFUSED') as string,
      });
    });
  });
});
