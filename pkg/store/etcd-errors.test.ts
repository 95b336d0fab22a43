import { castGrpcError } from 'etcd3';
import { describe, expect, it } from 'vitest';
import { ConflictError } from '../base/index.js';
import { isRefusal, isReplyTooLarge, toStoreError } from './etcd-errors.js';

/** As grpc-js throws it and etcd3 hands it on. */
function grpcError(code: number, message: string): Error {
  return castGrpcError(Object.assign(new Error(`${String(code)} NAME: ${message}`), { code }));
}

describe('what etcd answers', () => {
  it.each([
    [3, 'etcdserver: too many operations in txn request', 'ERR_INVALID_TRANSACTION', true],
    [3, 'etcdserver: request is too large', 'ERR_INVALID_TRANSACTION', true],
    [8, 'grpc: received message larger than max (3 vs. 2)', 'ERR_INVALID_TRANSACTION', true],
    [8, 'etcdserver: mvcc: database space exceeded', 'ERR_UNAVAILABLE', true],
    [8, 'etcdserver: too many requests', 'ERR_UNAVAILABLE', true],
    [8, 'Received message larger than max (5 vs 4)', 'ERR_UNAVAILABLE', false],
    [11, 'etcdserver: mvcc: required revision has been compacted', 'ERR_COMPACTED', true],
    [11, 'etcdserver: mvcc: required revision is a future revision', 'ERR_UNAVAILABLE', true],
    [5, 'etcdserver: requested lease not found', 'ERR_NOT_FOUND', true],
    [7, 'etcdserver: permission denied', 'ERR_UNAVAILABLE', true],
    [16, 'etcdserver: user name is empty', 'ERR_UNAVAILABLE', true],
    [14, 'etcdserver: request timed out', 'ERR_UNAVAILABLE', false],
    [14, 'etcdserver: leader changed', 'ERR_UNAVAILABLE', false],
    [14, 'Connection dropped', 'ERR_UNAVAILABLE', false],
    [4, 'Deadline exceeded', 'ERR_UNAVAILABLE', false],
    [1, 'Call cancelled', 'ERR_UNAVAILABLE', false],
    [13, 'Received RST_STREAM with code 2', 'ERR_UNAVAILABLE', false],
    [2, 'context canceled', 'ERR_UNAVAILABLE', false],
  ])('%i %s is %s; proves that nothing was applied: %s', (code, message, expected, refusal) => {
    const error = grpcError(code, message);
    expect(toStoreError('commit', error)).toMatchObject({ code: expected });
    expect(isRefusal(error)).toBe(refusal);
  });

  it('tells a reply that is too large for us from a request that is too large for etcd', () => {
    expect(isReplyTooLarge(grpcError(8, 'Received message larger than max (5 vs 4)'))).toBe(true);
    expect(isReplyTooLarge(grpcError(8, 'grpc: received message larger than max'))).toBe(false);
    expect(isReplyTooLarge(grpcError(14, 'larger than max'))).toBe(false);
  });

  it('says what happened without the words of gRPC', () => {
    const error = grpcError(
      14,
      'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: ',
    );
    expect(toStoreError('health', error).message).toBe(
      'health: No connection established. connect ECONNREFUSED 127.0.0.1:1.',
    );
  });

  it('says what to do when etcd is full', () => {
    const { message } = toStoreError(
      'commit',
      grpcError(8, 'etcdserver: mvcc: database space exceeded'),
    );
    expect(message).toMatch(/^commit: etcd is full; compact it and defragment/);
  });

  it('leaves our own errors as they are, and keeps the cause of others', () => {
    const own = new ConflictError('lost');
    expect(toStoreError('commit', own)).toBe(own);
    expect(isRefusal(own)).toBe(true);
    const strange = new Error('strange');
    expect(toStoreError('get', strange)).toMatchObject({ message: 'get: strange', cause: strange });
    expect(toStoreError('get', 'text').message).toBe('get: text');
  });
});
