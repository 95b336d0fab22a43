import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import type { ConnectionOptions, TLSSocket, Server, TlsOptions } from 'node:tls';
import { afterEach, beforeAll, describe, it, expect } from 'vitest';
import {
  bootstrapTlsOptions,
  clientTlsOptions,
  parseCertificate,
  peerIdentity,
  secureContextOptions,
  serverTlsOptions,
  verifyCaAgainstToken,
  createJoinToken,
  parseJoinToken,
} from './index.js';
import type { Identity, KeyedCertificate } from './index.js';
import { testAuthority } from '../../test/fixtures/certificates.js';
import type { TestAuthority } from '../../test/fixtures/certificates.js';

const HOUR = 3_600_000;
/** How a client sees that the server refused its certificate; which one is a matter of timing. */
const REFUSED = /alert|closed in silence|ECONNRESET|EPIPE/;
let home: TestAuthority;
let foreign: TestAuthority;
let manager: KeyedCertificate;
let worker: KeyedCertificate;
let stranger: KeyedCertificate;
const cleanups: (() => void)[] = [];
/** Sessions that servers offered for resumption; with TLS 1.3 they come after the handshake. */
const offers = new WeakMap<TLSSocket, Buffer[]>();

beforeAll(async () => {
  [home, foreign] = await Promise.all([testAuthority('cluster1'), testAuthority('cluster2')]);
  [manager, worker, stranger] = await Promise.all([
    home.issue({ commonName: 'manager1', organizationalUnit: 'swarm-manager' }),
    home.issue(),
    foreign.issue(),
  ]);
});
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

interface Running {
  readonly server: Server;
  readonly port: number;
  /** What the server's side saw of each connection, in order. */
  readonly seen: TLSSocket[];
}

/** A server that greets every connection it accepts. */
async function serve(options: TlsOptions): Promise<Running> {
  const server = createServer(options);
  const seen: TLSSocket[] = [];
  server.on('secureConnection', (socket) => {
    seen.push(socket);
    socket.on('error', () => {});
    socket.write('hello');
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    for (const socket of seen) socket.destroy();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port, seen };
}

const serverParts = (pair: KeyedCertificate, ca = home.certificate) => ({
  cert: pair.certificate,
  key: pair.key,
  ca,
});
const clientParts = (pair: KeyedCertificate, ca = home.certificate) => ({
  ...serverParts(pair),
  ca,
});

/** Connects and waits for the greeting: in TLS 1.3 a refused client only learns of it by reading. */
async function greeted({ port }: Running, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ ...options, host: '127.0.0.1', port });
  cleanups.push(() => socket.destroy());
  const offered: Buffer[] = [];
  offers.set(socket, offered);
  socket.on('session', (session) => offered.push(session));
  const ended = once(socket, 'close').then(() => Promise.reject(new Error('closed in silence')));
  await Promise.race([once(socket, 'data'), ended]);
  ended.catch(() => {});
  return socket;
}

/** A worker whose certificate ends `ms` from now. */
function shortLived(ms: number): Promise<KeyedCertificate> {
  return home.issue({ now: new Date(Date.now() - HOUR + ms), validityMs: HOUR });
}

/** A session that the server offers: ours does so too, but has nothing to resume it from. */
async function offerOf(socket: TLSSocket): Promise<Buffer> {
  await until(() => (offers.get(socket) ?? []).length > 0);
  return offers.get(socket)!.at(-1)!;
}

async function until(check: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!check()) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('a server with our options', () => {
  it('lets a node of the cluster in, over TLS 1.3, and knows who it is', async () => {
    const running = await serve(serverTlsOptions(serverParts(manager)));
    const socket = await greeted(running, clientTlsOptions(clientParts(worker)));
    expect(socket.getProtocol()).toBe('TLSv1.3');
    const certificate = parseCertificate(worker.certificate);
    const identity = peerIdentity(running.seen[0]!, { clusterId: 'cluster1', now: new Date() });
    expect(identity).toEqual<Identity>({
      id: 'node1',
      role: 'swarm-worker',
      clusterId: 'cluster1',
      notAfter: certificate.notAfter,
      serial: certificate.serial,
    });
    const peer = running.seen[0]!.getPeerCertificate();
    expect(peer.fingerprint256).toBe(certificate.fingerprint);
    expect(peer.serialNumber).toBe(certificate.serial);
    expect(new Date(peer.valid_from)).toEqual(certificate.notBefore);
    expect(peer.issuer.CN).toBe(certificate.issuer.commonName);
    expect(peer.subject).toMatchObject({ O: 'cluster1', OU: 'swarm-worker', CN: 'node1' });
  });

  it('refuses a client without a certificate and one that another root signed (scenario 57)', async () => {
    const running = await serve(serverTlsOptions(serverParts(manager)));
    await expect(greeted(running, clientTlsOptions({ ca: home.certificate }))).rejects.toThrow(
      REFUSED,
    );
    await expect(greeted(running, clientTlsOptions(clientParts(stranger)))).rejects.toThrow(
      REFUSED,
    );
    expect(running.seen).toHaveLength(0);
  });

  it('refuses a client of another cluster although its root is trusted', async () => {
    const both = home.certificate + foreign.certificate;
    const running = await serve(serverTlsOptions(serverParts(manager, both)));
    await greeted(running, clientTlsOptions(clientParts(stranger)));
    expect(() =>
      peerIdentity(running.seen[0]!, { clusterId: 'cluster1', now: new Date() }),
    ).toThrow(/of cluster "cluster2", this is cluster "cluster1"/);
  });

  it('lets joiners in when certificates are optional, and tells bad ones from none', async () => {
    const options = serverTlsOptions({ ...serverParts(manager), clientCertificate: 'optional' });
    const running = await serve(options);
    const who = { clusterId: 'cluster1', now: new Date() };
    await greeted(running, clientTlsOptions({ ca: home.certificate }));
    expect(peerIdentity(running.seen[0]!, who)).toBeUndefined();
    await greeted(running, clientTlsOptions(clientParts(stranger)));
    expect(() => peerIdentity(running.seen[1]!, who)).toThrow(/client certificate was refused/);
    await greeted(running, clientTlsOptions(clientParts(worker)));
    expect(peerIdentity(running.seen[2]!, who)).toMatchObject({ id: 'node1' });
  });
});

describe('an expired client', () => {
  it('is refused, also when it tries to resume a session from before', async () => {
    const brief = await shortLived(2500);
    const end = parseCertificate(brief.certificate).notAfter.getTime();
    const ours = await serve(serverTlsOptions(serverParts(manager)));
    const lax = await serve({
      ...serverTlsOptions(serverParts(manager)),
      secureOptions: 0,
      sessionTimeout: 300,
    });

    const options = clientTlsOptions(clientParts(brief));
    const session = await offerOf(await greeted(lax, options));
    const fromOurs = await offerOf(await greeted(ours, options));
    await until(() => Date.now() > end + 1000);

    // The control: with Node's defaults the same client does get in again.
    const resumed = await greeted(lax, { ...options, session });
    expect(resumed.isSessionReused()).toBe(true);
    expect(lax.seen.at(-1)!.authorized).toBe(true);

    for (const attempt of [{ session }, { session: fromOurs }, {}]) {
      await expect(greeted(ours, { ...options, ...attempt })).rejects.toThrow(REFUSED);
    }
    expect(ours.seen).toHaveLength(1);
    // The connection from before is still open: the check per request ends it.
    expect(() => peerIdentity(ours.seen[0]!, { clusterId: 'cluster1', now: new Date() })).toThrow(
      /certificate of node1 ended on/,
    );
  });

  it('cannot resume while it is valid either', async () => {
    const running = await serve(serverTlsOptions(serverParts(manager)));
    const options = clientTlsOptions(clientParts(worker));
    const first = await greeted(running, options);
    const second = await greeted(running, { ...options, session: await offerOf(first) });
    expect(second.isSessionReused()).toBe(false);
    expect(running.seen[1]!.isSessionReused()).toBe(false);
  });
});

describe('a client with our options', () => {
  it.each([
    [
      'a worker that poses as a manager',
      () => worker,
      /node1 is swarm-worker, allowed: swarm-manager/,
    ],
    [
      'a server whose root is not ours',
      () => stranger,
      /unable to verify|self-signed|unable to get/,
    ],
  ])('refuses %s', async (_what, pair, reason) => {
    const both = home.certificate + foreign.certificate;
    const running = await serve(serverTlsOptions(serverParts(pair(), both)));
    await expect(greeted(running, clientTlsOptions(clientParts(worker)))).rejects.toThrow(reason);
  });

  it('refuses an admin as server, whose certificate may only call', async () => {
    const admin = await home.issue({ commonName: 'ann', organizationalUnit: 'swarm-admin' });
    const running = await serve(serverTlsOptions(serverParts(admin)));
    await expect(greeted(running, clientTlsOptions(clientParts(worker)))).rejects.toThrow(
      /purpose/,
    );
  });

  it('refuses a manager of another cluster although it trusts its root', async () => {
    const foreignManager = await foreign.issue({ organizationalUnit: 'swarm-manager' });
    const both = home.certificate + foreign.certificate;
    const running = await serve(serverTlsOptions(serverParts(foreignManager, both)));
    await expect(greeted(running, clientTlsOptions(clientParts(worker, both)))).rejects.toThrow(
      /of cluster "cluster2", this is cluster "cluster1"/,
    );
  });

  it('knows a node by its id when asked to, at any address', async () => {
    const running = await serve(serverTlsOptions(serverParts(worker)));
    const parts = { ...clientParts(manager), serverRole: 'swarm-worker' } as const;
    await greeted(running, clientTlsOptions({ ...parts, serverId: 'node1' }));
    await expect(
      greeted(running, clientTlsOptions({ ...parts, serverId: 'node2' })),
    ).rejects.toThrow('the server is node1, expected node2');
  });

  it('fetches the root without trust and checks it against a join token', async () => {
    const running = await serve(
      serverTlsOptions({ ...serverParts(manager), clientCertificate: 'optional' }),
    );
    await greeted(running, bootstrapTlsOptions());
    const token = parseJoinToken(createJoinToken(home.certificate));
    expect(() => verifyCaAgainstToken(home.certificate, token)).not.toThrow();
  });
});

describe('setSecureContext', () => {
  it('swaps certificate and roots without a restart; old connections stay, old clients do not return', async () => {
    const running = await serve(serverTlsOptions(serverParts(manager)));
    const options = clientTlsOptions(clientParts(worker));
    const before = await greeted(running, options);
    const renewed = await home.issue({
      commonName: 'manager1',
      organizationalUnit: 'swarm-manager',
    });
    running.server.setSecureContext(secureContextOptions(serverParts(renewed)));
    const after = await greeted(running, options);
    expect(after.getPeerCertificate().serialNumber).toBe(
      parseCertificate(renewed.certificate).serial,
    );
    expect(after.getPeerCertificate().serialNumber).not.toBe(
      before.getPeerCertificate().serialNumber,
    );

    const foreignManager = await foreign.issue({ organizationalUnit: 'swarm-manager' });
    running.server.setSecureContext(
      secureContextOptions({ ...serverParts(foreignManager), ca: foreign.certificate }),
    );
    const trusting = clientTlsOptions({ ...clientParts(worker, foreign.certificate) });
    await expect(greeted(running, trusting)).rejects.toThrow(REFUSED);
    await greeted(running, clientTlsOptions(clientParts(stranger, foreign.certificate)));
    const session = after.getSession();
    await expect(greeted(running, session ? { ...trusting, session } : trusting)).rejects.toThrow(
      REFUSED,
    );

    before.write('still here');
    const [data] = (await once(running.seen[0]!, 'data')) as [Buffer];
    expect(data.toString()).toBe('still here');
  });
});
