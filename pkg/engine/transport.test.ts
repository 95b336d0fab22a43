import { createServer as createHttpServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testAuthority } from '../../test/fixtures/certificates.js';
import { DockerEngine } from './docker-engine.js';
import type { EngineHost } from './host.js';

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function engineAt(host: EngineHost): DockerEngine {
  const engine = new DockerEngine({ host });
  onTestFinished(() => {
    engine.close();
  });
  return engine;
}

const pong: RequestListener = (_request, response) => {
  response.setHeader('Api-Version', '1.44').end('OK');
};

describe('an engine behind TCP', () => {
  it('is reached', async () => {
    const port = await listening(createHttpServer(pong));
    const engine = engineAt({ kind: 'tcp', hostname: '127.0.0.1', port });
    expect(await engine.ping()).toMatchObject({ apiVersion: '1.44' });
  });

  it('is reached with certificates on both sides, and only with those of its root', async () => {
    const [ours, theirs] = await Promise.all([testAuthority('a'), testAuthority('b')]);
    const [server, client, stranger] = await Promise.all([
      ours.issue({ commonName: 'engine' }),
      ours.issue({ commonName: 'agent' }),
      theirs.issue({ commonName: 'agent' }),
    ]);
    let seen = '';
    const tls = {
      ca: ours.certificate,
      cert: server.certificate,
      key: server.key,
      requestCert: true,
      rejectUnauthorized: true,
    };
    const secure = createHttpsServer(tls, pong).on('secureConnection', (socket) => {
      seen = String(socket.getPeerCertificate().subject.CN);
    });
    const port = await listening(secure);
    const engineWith = ({ certificate, key }: typeof client, ca = ours.certificate) =>
      engineAt({
        kind: 'tcp',
        hostname: '127.0.0.1',
        port,
        tls: { ca, cert: certificate, key },
      });
    expect(await engineWith(client).ping()).toMatchObject({ apiVersion: '1.44' });
    expect(seen).toBe('agent');
    const refused = { code: 'ERR_UNAVAILABLE' };
    await expect(engineWith(stranger).ping()).rejects.toMatchObject(refused);
    await expect(engineWith(client, theirs.certificate).ping()).rejects.toMatchObject(refused);
  });
});
