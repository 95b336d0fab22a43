import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasCode } from '../base/index.js';
import { puts } from '../objects/index.js';
import { readJsonLines, type SwarmClient } from './index.js';
import { aNode, aNodeStatus, aServiceSpec } from '../../test/builders/objects.js';
import { ApiFixture, until } from '../../test/fixtures/api.js';
import { FaultProxy } from '../../test/fixtures/fault-proxy.js';

let api: ApiFixture;
const listeners: Server[] = [];

beforeEach(async () => {
  api = await ApiFixture.start();
});
afterEach(async () => {
  await api.dispose();
  for (const listener of listeners.splice(0)) listener.close();
});

/** An address where connections are taken and nothing is ever said. */
async function silentAddress(): Promise<string> {
  const server = createServer();
  listeners.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

async function clientOf(managers: readonly string[]): Promise<SwarmClient> {
  const { certificate: cert, key } = await api.certificate('admin', 'swarm-admin');
  return api.clientWith({ ca: api.authority.certificate, cert, key }, managers);
}

const web = {
  apiVersion: 'swarm/v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: aServiceSpec(),
};

describe('failover', () => {
  it('goes on with the next manager when one refuses connections', async () => {
    const client = await clientOf(['127.0.0.1:1', api.first.address, '127.0.0.1:2']);
    expect((await client.version()).managerId).toBe('m1');
    // Nothing can have arrived there, so even a create may be tried elsewhere.
    expect((await client.create('services', web)).result).toBe('created');
  });

  it('goes on when one does not answer the handshake', async () => {
    const client = await clientOf([await silentAddress(), api.first.address]);
    for (let turn = 0; turn < 3; turn += 1) {
      expect((await client.version({ timeoutMs: 9_000 })).managerId).toBe('m1');
    }
  }, 20_000);

  it('gives one that hangs its share of the time only', async () => {
    const proxy = await FaultProxy.start({ port: Number(api.first.address.split(':')[1]) });
    try {
      const client = await clientOf([proxy.address]);
      await client.version(); // the good one from now on, and connected
      client.useManagers([proxy.address, (await api.addServer('m2')).address]);
      proxy.blackhole();
      expect((await client.version({ timeoutMs: 4_000 })).managerId).toBe('m2');
    } finally {
      await proxy.close();
    }
  });

  it('asks the one that is named last only when no other answers', async () => {
    const hello = { description: aNodeStatus().description, engineHealthy: true };
    const { address } = api.first;
    const client = await api.client('worker', 'n1');
    await api.put(puts.node(api.keys, aNode('n1')));
    expect((await client.openSession(hello)).manager).toBe(address);
    const other = (await api.addServer('m2')).address;
    client.useManagers([address, other]);
    expect((await client.openSession(hello, undefined, { last: address })).manager).toBe(other);
    client.useManagers([address, '127.0.0.1:1']);
    expect((await client.openSession(hello, undefined, { last: address })).manager).toBe(address);
  });

  it('tries all but the one that is left, and says so when there is no other', async () => {
    const hello = { description: aNodeStatus().description, engineHealthy: true };
    const { address } = api.first;
    const client = await api.client('worker', 'n1');
    await api.put(puts.node(api.keys, aNode('n1')));
    await expect(client.openSession(hello, undefined, { except: address })).rejects.toThrow(
      'no other manager',
    );
    client.useManagers([address, '127.0.0.1:1']);
    const error: unknown = await client
      .openSession(hello, undefined, { except: address })
      .catch((reason: unknown) => reason);
    expect(String(error)).toContain('127.0.0.1:1: connection refused');
    expect(String(error)).not.toContain(address);
    expect((await client.openSession(hello)).manager).toBe(address);
  });

  it('names every manager and its fault when none can be reached', async () => {
    const client = await clientOf(['127.0.0.1:1', '127.0.0.1:2']);
    const error: unknown = await client.version().catch((reason: unknown) => reason);
    expect(hasCode(error, 'ERR_UNAVAILABLE')).toBe(true);
    expect(String(error)).toMatch(/127\.0\.0\.1:1: connection refused/);
    expect(String(error)).toMatch(/127\.0\.0\.1:2: connection refused/);
  });

  it('survives that a manager stops and another one goes on', async () => {
    const second = await api.addServer('m2');
    const client = await clientOf([api.first.address, second.address]);
    await client.version();
    await api.first.stop();
    for (let turn = 0; turn < 3; turn += 1) expect((await client.version()).managerId).toBe('m2');
  });

  it('ends with its signal', async () => {
    const client = await clientOf([await silentAddress()]);
    const stop = new AbortController();
    const call = client.version({ signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
  });
});

describe('reading', () => {
  it('sees its own writes at a manager that is behind', async () => {
    const second = await api.addServer('m2');
    const client = await clientOf([api.first.address]);
    await client.create('services', web);
    client.useManagers([second.address]);
    expect((await client.get('services', 'web')).metadata.name).toBe('web');
  });
});

describe('watching', () => {
  it('goes on after its connection was cut, and tells nothing twice', async () => {
    const client = await clientOf([api.first.address]);
    await client.create('services', web);
    const stop = new AbortController();
    const lines: string[] = [];
    const watching = (async () => {
      for await (const line of client.watch('services', { signal: stop.signal })) {
        if ('object' in line) lines.push(`${line.type} ${line.object.metadata.name}`);
      }
    })();
    await until('first line', () => lines.length === 1);
    client.close(); // cuts every connection that is open
    await client.create('services', { ...web, metadata: { name: 'api' } });
    await until('second line', () => lines.length === 2);
    stop.abort();
    await watching;
    expect(lines).toEqual(['added web', 'added api']);
  });
});

describe('readJsonLines', () => {
  const values = async (...chunks: readonly (string | Buffer)[]) => {
    const source = Readable.from(chunks.map((chunk) => Buffer.from(chunk as string)));
    const found: unknown[] = [];
    for await (const value of readJsonLines(source)) found.push(value);
    return found;
  };

  it('puts lines together again, wherever they were cut', async () => {
    const bytes = Buffer.from('{"a":"ä€😀"}\n\n{"b":1}\n{"c":2}');
    const every = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
    expect(await values(...every)).toEqual([{ a: 'ä€😀' }, { b: 1 }, { c: 2 }]);
  });

  it('says that the stream broke when a line is not JSON', async () => {
    await expect(values('{"a":1}\n{"b":')).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
  });

  it('bounds lines', async () => {
    const source = Readable.from([Buffer.alloc(100, 'x')]);
    await expect(readJsonLines(source, { maxLineBytes: 50 }).next()).rejects.toThrow(/too long/);
  });

  it('gives up a source that is silent, not one whose reader is slow', async () => {
    const slow = readJsonLines(Readable.from([Buffer.from('{"a":1}\n{"b":2}\n')]), { idleMs: 30 });
    await slow.next();
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect((await slow.next()).value).toEqual({ b: 2 });
    const silent = new Readable({ read: () => undefined });
    await expect(readJsonLines(silent, { idleMs: 30 }).next()).rejects.toThrow(/silent/);
    expect(silent.destroyed).toBe(true);
  });
});
