import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { aNode } from '../../../test/builders/objects.js';
import type { World } from '../../objects/index.js';
import { keysUnder, type Entry } from '../../store/index.js';
import { Authenticator } from './authenticator.js';

const NOW = new Date('2026-06-01T00:00:00Z');
const keys = keysUnder('/test');

function socket(ou: string, id = 'n1', validTo = '2027-01-01T00:00:00Z'): TLSSocket {
  return {
    authorized: true,
    getPeerCertificate: () => ({
      subject: { CN: id, OU: ou, O: 'c1' },
      valid_to: validTo,
      serialNumber: '01',
    }),
  } as unknown as TLSSocket;
}

interface Facts {
  readonly cached?: boolean;
  readonly invalid?: boolean;
  readonly stored?: boolean;
  readonly historyBroken?: boolean;
  /** There is a running manager of this id, as far as our cache knows. */
  readonly registered?: boolean;
  /** The same, as far as etcd knows. */
  readonly registeredInStore?: boolean;
}

function authenticator(facts: Facts, now = { value: NOW }) {
  const world = {
    nodes: {
      get: () => (facts.cached ? aNode('n1') : undefined),
      isInvalid: () => facts.invalid ?? false,
    },
    managers: { get: () => (facts.registered ? {} : undefined) },
    cache: { historyBreak: facts.historyBroken ? {} : undefined },
  } as unknown as World;
  const stored = new Set([
    ...(facts.stored ? [keys.node('n1')] : []),
    ...(facts.registeredInStore ? [keys.manager('n1')] : []),
  ]);
  return new Authenticator({
    world,
    store: { get: (key) => Promise.resolve(stored.has(key) ? ({ key } as Entry) : undefined) },
    keys,
    clock: { now: () => now.value, monotonicMs: () => 0, sleep: () => Promise.resolve() },
    clusterId: 'c1',
  });
}

const worker = socket('swarm-worker');
const manager = socket('swarm-manager');

describe('Authenticator', () => {
  it('lets a node in that only etcd knows yet', async () => {
    const identity = await authenticator({ stored: true }).authorize(worker, ['node']);
    expect(identity?.id).toBe('n1');
  });

  it('believes that a node was removed only when etcd says so', async () => {
    const outcome = authenticator({}).authorize(worker, ['node']);
    await expect(outcome).rejects.toMatchObject({ code: 'ERR_NODE_REMOVED' });
  });

  it('takes a node whose object cannot be read for one that exists', async () => {
    await expect(
      authenticator({ invalid: true }).authorize(worker, ['node']),
    ).resolves.toBeDefined();
  });

  it('does not tell a node that it was removed when the store lost history', async () => {
    const outcome = authenticator({ historyBroken: true }).authorize(worker, ['node']);
    await expect(outcome).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
  });

  it('asks for a node only where one has to be', async () => {
    const subject = authenticator({ registered: true });
    await expect(subject.authorize(manager, ['manager', 'node'])).resolves.toBeDefined();
    await expect(subject.authorize(manager, ['node'])).rejects.toMatchObject({
      code: 'ERR_NODE_REMOVED',
    });
  });

  it.each([{ registered: true }, { registeredInStore: true }, { cached: true }, { stored: true }])(
    'knows a manager that runs or is a node: %j',
    async (facts) => {
      await expect(authenticator(facts).authorize(manager, ['manager'])).resolves.toBeDefined();
    },
  );

  it('takes its rights from a manager that was removed as a node', async () => {
    const outcome = authenticator({}).authorize(manager, ['admin', 'manager', 'node']);
    await expect(outcome).rejects.toMatchObject({ code: 'ERR_NODE_REMOVED' });
  });

  it('refuses a connection whose certificate ended while it was open', async () => {
    const now = { value: NOW };
    const subject = authenticator({ cached: true }, now);
    const connection = socket('swarm-worker', 'n1', '2026-06-01T00:00:10Z');
    await expect(subject.authorize(connection, ['node'])).resolves.toBeDefined();
    now.value = new Date('2026-06-01T00:00:10Z');
    await expect(subject.authorize(connection, ['node'])).rejects.toMatchObject({
      code: 'ERR_UNAUTHENTICATED',
    });
  });

  it('lets nobody in who is not named', async () => {
    const outcome = authenticator({}).authorize(socket('swarm-admin'), []);
    await expect(outcome).rejects.toMatchObject({ code: 'ERR_FORBIDDEN' });
  });
});
