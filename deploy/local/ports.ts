import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';

const LOOPBACK = '127.0.0.1';

async function occupy(): Promise<Server> {
  const server = createServer().listen(0, LOOPBACK);
  await once(server, 'listening');
  return server;
}

/** `count` addresses `127.0.0.1:<port>` that nobody listens on; all are held until all are known. */
export async function freeAddresses(count: number): Promise<readonly string[]> {
  const servers = await Promise.all(Array.from({ length: count }, occupy));
  const addresses = servers.map(
    (server) => `${LOOPBACK}:${(server.address() as AddressInfo).port}`,
  );
  await Promise.all(
    servers.map(async (server) => {
      server.close();
      await once(server, 'close');
    }),
  );
  return addresses;
}
