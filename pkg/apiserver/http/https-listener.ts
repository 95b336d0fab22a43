import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../base/index.js';
import { secureContextOptions, serverTlsOptions, type ServerTlsParts } from '../../pki/index.js';
import type { Logger } from '../../log/index.js';

/** PEM of the server and the roots it trusts. */
export type ServerCredentials = Pick<ServerTlsParts, 'cert' | 'key' | 'ca'>;

/** What a listener is made of. */
export interface HttpsListenerOptions {
  readonly credentials: ServerCredentials;
  readonly clock: Clock;
  readonly log: Logger;
}

const HEADERS_TIMEOUT_MS = 10_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Longer than clients keep idle sockets, so that it is they who close. */
const KEEP_ALIVE_MS = 65_000;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_REQUESTS_PER_SOCKET = 100_000;
const MAX_CONNECTIONS = 20_000;
const EXPIRY_CHECK_MS = 1_000;

/**
 * The TLS server under the API: certificates are asked for but not demanded (a machine that joins has
 * none), nothing is resumed, and connections end when the certificate of the client does.
 */
export class HttpsListener {
  private readonly endsAt = new Map<TLSSocket, number>();
  private expiryTimer: NodeJS.Timeout | undefined;
  private server: Server | undefined;

  constructor(private readonly options: HttpsListenerOptions) {}

  /** Makes the server; for fastify's `serverFactory`. */
  create(handler: (request: IncomingMessage, response: ServerResponse) => void): Server {
    const { credentials } = this.options;
    const server = createServer(
      {
        ...serverTlsOptions({ ...credentials, clientCertificate: 'optional' }),
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        headersTimeout: HEADERS_TIMEOUT_MS,
        // Agents push logs for hours in one request; bodies of calls have a deadline of their own.
        requestTimeout: 0,
        keepAliveTimeout: KEEP_ALIVE_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
        noDelay: true,
      },
      handler,
    );
    server.maxRequestsPerSocket = MAX_REQUESTS_PER_SOCKET;
    server.maxConnections = MAX_CONNECTIONS;
    server.on('secureConnection', (socket: TLSSocket) => {
      this.track(socket);
    });
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      this.options.log.debug({ error, remote: socket.remoteAddress }, 'tls handshake failed');
    });
    this.expiryTimer = setInterval(() => {
      this.closeExpired();
    }, EXPIRY_CHECK_MS).unref();
    this.server = server;
    return server;
  }

  /** New connections use these; open ones go on with what they began with. */
  useCredentials(credentials: ServerCredentials): void {
    this.server?.setSecureContext(secureContextOptions(credentials));
  }

  /** Stops the timer; the server itself is closed by whom it was made for. */
  stop(): void {
    clearInterval(this.expiryTimer);
  }

  /** Cuts what is still open. */
  destroyConnections(): void {
    for (const socket of this.endsAt.keys()) socket.destroy();
  }

  private track(socket: TLSSocket): void {
    const { valid_to: end } = socket.getPeerCertificate() as { valid_to?: string };
    this.endsAt.set(socket, end === undefined ? Infinity : Date.parse(end));
    socket.once('close', () => this.endsAt.delete(socket));
  }

  private closeExpired(): void {
    const now = this.options.clock.now().getTime();
    for (const [socket, end] of this.endsAt) {
      // A certificate that had ended before it came is let in, to be told so in words.
      if (end <= now && socket.authorized) socket.destroy();
    }
  }
}
