import { castGrpcError } from 'etcd3';
import { toWireLease } from './etcd-codec.js';
import type { EtcdConnection } from './etcd-connection.js';

/**
 * One keep-alive round trip on a stream of its own, by `deadline` (milliseconds since the epoch).
 * Resolves to the TTL in seconds; 0 means that the lease is gone. Errors: gRPC's own.
 */
export async function keepAliveOnce(
  connection: EtcdConnection,
  leaseId: string,
  deadline: number,
): Promise<number> {
  const stream = await connection.leaseClient.leaseKeepAlive({ deadline });
  return new Promise((resolve, reject) => {
    stream.on('error', (error) => {
      reject(castGrpcError(error));
    });
    stream.on('end', () => {
      reject(new Error('etcd ended the keep-alive stream'));
    });
    stream.on('data', ({ TTL }) => {
      resolve(Number(TTL));
      stream.end(); // not `cancel`: etcd3 would take that for a broken connection
    });
    stream.write({ ID: toWireLease(leaseId) });
  });
}
