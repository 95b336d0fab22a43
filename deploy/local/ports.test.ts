import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freeAddresses } from './ports.js';

describe('freeAddresses', () => {
  it('gives different addresses that can be listened on', async () => {
    const addresses = await freeAddresses(5);
    expect(new Set(addresses).size).toBe(5);
    for (const address of addresses) {
      const [host, port] = address.split(':');
      const server = createServer().listen(Number(port), host);
      await once(server, 'listening');
      server.close();
    }
  });
});
