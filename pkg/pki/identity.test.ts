import type { PeerCertificate, TLSSocket } from 'node:tls';
import { describe, it, expect } from 'vitest';
import { assertRole, assertStillValid, identityOf, peerIdentity } from './index.js';
import type { Identity } from './index.js';

function peer(subject: Record<string, unknown> | undefined): PeerCertificate {
  return {
    subject,
    valid_to: 'Nov 20 10:00:00 2026 GMT',
    serialNumber: '0A',
  } as unknown as PeerCertificate;
}
const subject = { CN: 'node1', OU: 'swarm-worker', O: 'cluster1' };
const END = new Date('2026-11-20T10:00:00Z');

describe('identityOf', () => {
  it('reads id, role, cluster, end and serial', () => {
    expect(identityOf(peer(subject))).toEqual<Identity>({
      id: 'node1',
      role: 'swarm-worker',
      clusterId: 'cluster1',
      notAfter: END,
      serial: '0A',
    });
  });

  it.each([
    ['no subject', undefined],
    ['no name', { ...subject, CN: undefined }],
    ['two names', { ...subject, CN: ['node1', 'node2'] }],
    ['two roles', { ...subject, OU: ['swarm-worker', 'swarm-manager'] }],
    ['an unknown role', { ...subject, OU: 'toString' }],
    ['no cluster', { CN: 'node1', OU: 'swarm-worker' }],
  ])('refuses %s', (_what, parts) => {
    expect(() => identityOf(peer(parts))).toThrow(
      expect.objectContaining({ code: 'ERR_UNAUTHENTICATED' }) as Error,
    );
  });
});

describe('peerIdentity', () => {
  const who = { clusterId: 'cluster1', now: new Date(END.getTime() - 1) };
  const socket = (authorized: boolean, certificate: PeerCertificate | undefined) =>
    ({
      authorized,
      authorizationError: 'CERT_HAS_EXPIRED',
      getPeerCertificate: () => certificate,
    }) as unknown as TLSSocket;

  it('tells nobody from somebody and refuses what was not verified', () => {
    expect(peerIdentity(socket(false, {} as PeerCertificate), who)).toBeUndefined();
    expect(peerIdentity(socket(true, peer(subject)), who)?.id).toBe('node1');
    expect(() => peerIdentity(socket(false, peer(subject)), who)).toThrow(/CERT_HAS_EXPIRED/);
    expect(() => peerIdentity(socket(true, undefined), who)).toThrow(/connection is closed/);
  });

  it('refuses another cluster, and anybody once the certificate ended', () => {
    const foreign = { ...who, clusterId: 'cluster2' };
    expect(() => peerIdentity(socket(true, peer(subject)), foreign)).toThrow(/this is cluster/);
    const late = { ...who, now: END };
    expect(() => peerIdentity(socket(true, peer(subject)), late)).toThrow(/ended on 2026-11-20/);
  });
});

describe('the assertions', () => {
  it('pass and refuse by role and by time', () => {
    const identity = identityOf(peer(subject));
    expect(() => assertRole(identity, 'swarm-worker', 'swarm-manager')).not.toThrow();
    expect(() => assertRole(identity, 'swarm-manager')).toThrow(
      'node1 is swarm-worker, allowed: swarm-manager',
    );
    expect(() => assertStillValid(identity, new Date(END.getTime() - 1))).not.toThrow();
    expect(() => assertStillValid(identity, END)).toThrow(/node1 ended on/);
  });
});
