import {
  JoinRequest,
  JoinResponse,
  RenewRequest,
  RenewResponse,
  SessionMessage,
  SessionRequest,
  StatusReport,
  StatusResponse,
  paths,
} from '../../../api/v1/index.js';
import { BadRequestError } from '../../base/index.js';
import type { ByteSource } from '../../client/index.js';
import type { Identity } from '../../pki/index.js';
import type { ApiContext } from '../api-context.js';
import { streamBody, type ApiRequest, type RouteDefinition } from '../http/route.js';
import { joinNode } from '../join/join-node.js';

const TAG = 'Nodes and certificates';

/** Routes on which the caller acts for itself: joining, certificates, sessions. */
export const nodeRoutes: readonly RouteDefinition<ApiContext>[] = [
  {
    method: 'GET',
    url: paths.ca,
    allow: ['anyone'],
    tag: TAG,
    summary: 'The root certificate (PEM). Check it against the digest in a join token.',
    handle: ({ issuer }) =>
      Promise.resolve({
        headers: { 'content-type': 'application/x-pem-file' },
        body: issuer.caCertificate,
      }),
  },
  {
    method: 'POST',
    url: paths.join,
    allow: ['anyone'],
    tag: TAG,
    summary: 'Join the cluster with a token; the answer holds the certificate.',
    body: JoinRequest,
    answer: JoinResponse,
    handle: async (context, request) => ({
      status: 201,
      body: await joinNode(context, request.body as JoinRequest, request),
    }),
  },
  {
    method: 'POST',
    url: paths.renew,
    allow: ['admin', 'manager', 'node'],
    tag: TAG,
    summary: "A new certificate for the caller's own identity.",
    body: RenewRequest,
    answer: RenewResponse,
    handle: async ({ issuer, log }, request) => {
      const { id, role } = callerOf(request);
      const issued = await issuer.issue((request.body as RenewRequest).csr, { id, role });
      log.info({ id, role }, 'certificate renewed');
      return { body: issued };
    },
  },
  {
    method: 'POST',
    url: paths.session,
    // A node is told here, with what it takes to judge that, whether it was removed.
    allow: ['node', 'former-node'],
    tag: TAG,
    summary: 'Open the session of the calling node: NDJSON messages down.',
    body: SessionRequest,
    answer: SessionMessage,
    streams: 'down',
    handle: async ({ sessions }, request) => {
      const { id, notAfter } = callerOf(request);
      await sessions.open(
        {
          nodeId: id,
          address: request.remoteAddress,
          certificateExpiresAt: notAfter,
          request: request.body as SessionRequest,
        },
        request.openStream,
        request.signal,
      );
      return undefined;
    },
  },
  {
    method: 'POST',
    url: paths.sessionStatus,
    answerStatus: 200,
    allow: ['node'],
    tag: TAG,
    summary: 'Heartbeat and task reports of the calling node; answered when they are stored.',
    body: StatusReport,
    answer: StatusResponse,
    handle: async ({ sessions }, request) => ({
      body: await sessions.report(callerOf(request).id, request.body as StatusReport),
    }),
  },
  {
    method: 'POST',
    url: paths.sessionStream(':streamId'),
    allow: ['node'],
    tag: TAG,
    summary: 'Push the lines that a session message asked for (NDJSON).',
    streams: 'up',
    handle: async ({ logs }, request) => {
      const body = streamBody(request) as ByteSource | undefined;
      if (typeof body?.destroy !== 'function')
        throw new BadRequestError('expected a body of NDJSON');
      await logs.pushed.accept(callerOf(request).id, request.params['streamId'] ?? '', body);
      return { body: {} };
    },
  },
];

function callerOf({ caller }: ApiRequest): Identity {
  if (!caller) throw new RangeError('the route lets callers in that it cannot serve');
  return caller;
}
