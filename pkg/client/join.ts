import { JoinResponse, codec, paths, type JoinRequest } from '../../api/v1/index.js';
import { UnavailableError } from '../base/index.js';
import { parseCertificate, parseJoinToken, verifyCaAgainstToken } from '../pki/index.js';
import { Failover } from './failover.js';
import { HttpsTransport } from './transport.js';

/** What a machine knows when it joins. */
export interface JoinOptions extends JoinRequest {
  /** Addresses (host:port) of one or more managers. */
  readonly managers: readonly string[];
  /** Deadline of the whole. Default 20,000 ms. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const JOIN_TIMEOUT_MS = 20_000;
const joinCodec = codec<JoinResponse>(JoinResponse);

/**
 * Joins a cluster. The root is fetched from a server that is not trusted yet and must be the one that
 * the token pins; only then is the token sent, over a connection that this root vouches for.
 * Errors: InvalidObjectError (the token has no such form), UnauthenticatedError (another cluster's root
 * or a wrong token), UnavailableError, BusyError.
 */
export async function joinCluster(options: JoinOptions): Promise<JoinResponse> {
  const { managers, timeoutMs = JOIN_TIMEOUT_MS, signal, ...request } = options;
  const token = parseJoinToken(request.token);
  const failover = new Failover(managers);
  // Joining twice makes a second node, so a lost reply is not tried again.
  const attempt = { what: 'joining the cluster', timeoutMs, idempotent: false, signal };
  return failover.run(attempt, async (manager, deadline) => {
    const ca = await fetchCa(manager, deadline);
    verifyCaAgainstToken(ca, token);
    return sendJoin(manager, ca, { request, signal: deadline });
  });
}

/** The root that a manager shows; not trusted by anything yet. */
export async function fetchCa(manager: string, signal?: AbortSignal): Promise<string> {
  const transport = new HttpsTransport({ tls: {} });
  try {
    return (await transport.call(manager, { method: 'GET', path: paths.ca, signal })).text;
  } finally {
    transport.close();
  }
}

interface JoinCall {
  readonly request: JoinRequest;
  readonly signal: AbortSignal;
}

async function sendJoin(
  manager: string,
  ca: string,
  { request, signal }: JoinCall,
): Promise<JoinResponse> {
  const clusterId = parseCertificate(ca).organization;
  const transport = new HttpsTransport({ tls: { ca }, clusterId });
  try {
    const body = JSON.stringify(request);
    const exchange = { method: 'POST', path: paths.join, body, signal };
    const { text } = await transport.call(manager, exchange);
    const answer: unknown = JSON.parse(text);
    if (!joinCodec.check(answer)) throw new UnavailableError(`${manager}: not an answer to a join`);
    return answer;
  } finally {
    transport.close();
  }
}
