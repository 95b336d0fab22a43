import type { JoinRequest } from '../../api/v1/index.js';
import { AlreadyExistsError } from '../base/index.js';
import { joinCluster } from '../client/index.js';
import { createCsr, generateKey } from '../pki/index.js';
import { NodeState, type NodeIdentity } from './node-state.js';

/** What a machine needs to become a node. */
export interface JoinNodeOptions {
  readonly stateFolder: string;
  /** Addresses (host:port) of one or more managers. */
  readonly managers: readonly string[];
  readonly token: string;
  readonly hostname: string;
  readonly availability?: JoinRequest['availability'];
  readonly signal?: AbortSignal;
}

/**
 * Joins a cluster and keeps who this node is in the state folder. The key is made here and never leaves.
 * Errors: AlreadyExistsError when the folder belongs to a node; those of `joinCluster`.
 */
export async function joinNode(options: JoinNodeOptions): Promise<NodeIdentity> {
  const { stateFolder, managers, token, hostname, availability, signal } = options;
  const state = new NodeState(stateFolder);
  const existing = await state.findIdentity();
  if (existing) {
    const { nodeId, clusterId } = existing;
    throw new AlreadyExistsError(
      `${stateFolder} belongs to node ${nodeId} of cluster ${clusterId} already`,
    );
  }
  await state.prepare();
  const key = await generateKey();
  await state.saveNextKey(key);
  const answer = await joinCluster({
    managers,
    token,
    hostname,
    csr: await createCsr(key),
    ...(availability && { availability }),
    ...(signal && { signal }),
  });
  await state.saveCertificate({ cert: answer.certificate, ca: answer.caCertificate });
  const { nodeId, clusterId, role } = answer;
  const known = [...new Set([...answer.managers, ...managers])];
  const identity = { nodeId, clusterId, role, hostname, managers: known };
  await state.saveIdentity(identity);
  return identity;
}
