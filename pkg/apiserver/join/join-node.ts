import {
  ObjectName,
  codec,
  describeValue,
  type JoinRequest,
  type JoinResponse,
} from '../../../api/v1/index.js';
import { InvalidObjectError, hasCode, messageOf, newNodeId } from '../../base/index.js';
import { absent, puts } from '../../objects/index.js';
import type { ApiContext } from '../api-context.js';

const hostnameCodec = codec<string>(ObjectName);

/**
 * Lets a machine join: checks its token, signs its key and creates the node.
 * Errors: UnauthenticatedError for a wrong token, InvalidObjectError for a bad request, BusyError.
 */
export async function joinNode(
  context: ApiContext,
  request: JoinRequest,
  { remoteAddress, signal }: { readonly remoteAddress: string; readonly signal: AbortSignal },
): Promise<JoinResponse> {
  using _running = context.joinLimits.enter(remoteAddress);
  const role = checkToken(context, request, remoteAddress);
  requireHostname(request.hostname);
  const nodeId = newNodeId();
  const issued = await context.issuer.issue(request.csr, {
    id: nodeId,
    role: role === 'manager' ? 'swarm-manager' : 'swarm-worker',
  });
  await createNode(context, { nodeId, role, request, signal });
  context.log.info({ nodeId, role, hostname: request.hostname, remoteAddress }, 'node joined');
  record(context, {
    type: 'normal',
    reason: 'NodeJoined',
    message: `${request.hostname} joined as a ${role} from ${remoteAddress}`,
    nodeId,
    name: request.hostname,
  });
  return {
    nodeId,
    clusterId: context.clusterId,
    role,
    ...issued,
    managers: context.world.managers.list().map(({ address }) => address),
  };
}

function checkToken(
  context: ApiContext,
  { token, hostname }: JoinRequest,
  remoteAddress: string,
): 'worker' | 'manager' {
  try {
    return context.issuer.roleOf(token.trim());
  } catch (error) {
    if (hasCode(error, 'ERR_UNAUTHENTICATED')) {
      context.joinLimits.refused(remoteAddress);
      context.log.warn({ remoteAddress, hostname, reason: messageOf(error) }, 'join refused');
    }
    throw error;
  }
}

function requireHostname(hostname: string): void {
  if (hostnameCodec.check(hostname)) return;
  const message = `found ${describeValue(hostname)}, expected letters, digits, "-", "_" and "."`;
  throw new InvalidObjectError('the hostname cannot be used', [{ path: 'hostname', message }]);
}

interface NewNode {
  readonly nodeId: string;
  readonly role: 'worker' | 'manager';
  readonly request: JoinRequest;
  readonly signal: AbortSignal;
}

async function createNode(
  { store, keys, clock, world }: ApiContext,
  { nodeId, role, request, signal }: NewNode,
): Promise<void> {
  const now = clock.now().toISOString();
  const node = {
    apiVersion: 'swarm/v1' as const,
    kind: 'Node' as const,
    metadata: {
      name: request.hostname,
      uid: nodeId,
      generation: 1,
      createdAt: now,
      updatedAt: now,
      labels: {},
    },
    spec: { role, availability: request.availability ?? ('active' as const) },
  };
  const revision = await store.commit(
    { compare: [absent(keys.node(nodeId))], operations: [puts.node(keys, node)] },
    { signal },
  );
  // The node exists; a cache that is behind must not make it join a second time.
  await world.cache.waitForRevision(revision, { signal }).catch(() => undefined);
}

interface NodeEvent {
  readonly type: 'normal' | 'warning';
  readonly reason: string;
  readonly message: string;
  readonly nodeId: string;
  readonly name: string;
}

function record({ events }: ApiContext, { nodeId, name, ...words }: NodeEvent): void {
  events.record({ ...words, regarding: { kind: 'Node', name, uid: nodeId }, source: 'api' });
}
