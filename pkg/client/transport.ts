import { Agent, request as httpsRequest } from 'node:https';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { AbortScope, UnavailableError, messageOf } from '../base/index.js';
import { bootstrapTlsOptions, clientTlsOptions } from '../pki/index.js';
import { connectionFailure } from './connection-error.js';
import { errorOfAnswer } from './errors.js';
import { writeLines } from './json-lines.js';

/** PEM of who we are and whom we trust. */
export interface TlsCredentials {
  /** The trusted roots. Absent: any server is trusted; only to fetch a root that is checked later. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** How to connect. */
export interface TransportOptions {
  readonly tls: TlsCredentials;
  /** The cluster that servers must belong to. Default: the one of the root. */
  readonly clusterId?: string;
  /** A manager that does not answer the handshake in this time counts as away. Default 3,000 ms. */
  readonly connectTimeoutMs?: number;
}

/** One request to one manager. */
export interface Exchange {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text, or lines that are sent as they come (NDJSON). */
  readonly body?: string | AsyncIterable<object>;
  /** Aborts the request, and its answer's stream, at any time. */
  readonly signal?: AbortSignal | undefined;
  /** Aborts the request until the headers of its answer are there: the deadline of opening a stream. */
  readonly openSignal?: AbortSignal | undefined;
}

/** An answer that was read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

const CONNECT_TIMEOUT_MS = 3_000;
const IDLE_SOCKET_MS = 30_000;
const MAX_SOCKETS = 128;
const MAX_ERROR_BYTES = 1024 * 1024;

/** HTTPS with certificates of the cluster. Errors: {@link ConnectionError} and what the server answered. */
export class HttpsTransport {
  private agent: Agent;
  private readonly connectTimeoutMs: number;

  constructor(private readonly options: TransportOptions) {
    this.connectTimeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    this.agent = agentFor(options.tls, options.clusterId);
  }

  /** Later requests use these; streams that are open go on with what they began with. */
  useCredentials(tls: TlsCredentials): void {
    const previous = this.agent;
    this.agent = agentFor(tls, this.options.clusterId);
    closeIdle(previous);
  }

  /** The whole answer. Errors: SwarmError of the server's code; ConnectionError. */
  async call(manager: string, exchange: Exchange): Promise<Answer> {
    const response = await this.open(manager, exchange);
    try {
      const text = await textOf(response);
      return { status: response.statusCode ?? 0, headers: response.headers, text };
    } catch (error) {
      throw connectionFailure(manager, error, { sent: true, signal: exchange.signal });
    }
  }

  /** The answer once its headers are there; the caller reads or destroys the stream. Errors: as {@link call}. */
  async open(manager: string, exchange: Exchange): Promise<IncomingMessage> {
    const response = await this.send(manager, exchange);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    const text = await textOf(response, MAX_ERROR_BYTES).catch(messageOf);
    throw errorOfAnswer({ status, headers: response.headers, text });
  }

  /** Drops all connections; whatever runs on them fails. */
  close(): void {
    this.agent.destroy();
  }

  private async send(manager: string, exchange: Exchange): Promise<IncomingMessage> {
    const { signal, openSignal } = exchange;
    signal?.throwIfAborted();
    const life = new AbortScope(signal);
    const opening = new AbortScope(life.signal, openSignal);
    const request = this.begin(manager, exchange, opening.signal);
    const progress = this.watchConnection(request);
    void sendBody(request, exchange.body);
    try {
      const response = await headersArrived(request);
      destroyOnAbort(response, life);
      return response;
    } catch (error) {
      life[Symbol.dispose]();
      const cut = opening.signal.aborted ? opening.signal : signal;
      throw connectionFailure(manager, error, { sent: progress.sent, signal: cut });
    } finally {
      opening[Symbol.dispose]();
    }
  }

  private begin(manager: string, exchange: Exchange, signal: AbortSignal): ClientRequest {
    return httpsRequest({
      ...addressOf(manager),
      agent: this.agent,
      method: exchange.method,
      path: exchange.path,
      headers: headersOf(exchange),
      signal,
    });
  }

  /** Knows whether anything can have reached the server, and gives up on one that does not answer. */
  private watchConnection(request: ClientRequest): { sent: boolean } {
    const progress = { sent: false };
    const timer = setTimeout(() => {
      request.destroy(new UnavailableError(`no answer within ${this.connectTimeoutMs} ms`));
    }, this.connectTimeoutMs);
    const connected = () => {
      progress.sent = true;
      clearTimeout(timer);
    };
    request.once('socket', (socket: TLSSocket) => {
      if (request.reusedSocket) connected();
      else socket.once('secureConnect', connected);
    });
    request.once('close', () => {
      clearTimeout(timer);
    });
    return progress;
  }
}

function agentFor({ ca, cert, key }: TlsCredentials, clusterId: string | undefined): Agent {
  const connection: ConnectionOptions =
    ca === undefined
      ? bootstrapTlsOptions()
      : clientTlsOptions({
          ca,
          ...(cert !== undefined && { cert }),
          ...(key !== undefined && { key }),
          ...(clusterId !== undefined && { clusterId }),
        });
  return new Agent({
    ...connection,
    keepAlive: true,
    keepAliveMsecs: IDLE_SOCKET_MS,
    maxSockets: MAX_SOCKETS,
    maxCachedSessions: 0, // servers resume nothing; see pkg/pki serverTlsOptions
  });
}

/** `Agent.destroy` would also cut what is in use. */
function closeIdle(agent: Agent): void {
  // Read by the agent whenever a request ends: its socket is then closed instead of kept.
  (agent as unknown as { keepAlive: boolean }).keepAlive = false;
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}

function addressOf(manager: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(`https://${manager}`);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 443 : Number(port) };
}

function headersOf({ headers, body }: Exchange): Record<string, string> {
  const own: Record<string, string> = { accept: 'application/json', ...headers };
  if (typeof body === 'string') {
    own['content-type'] ??= 'application/json';
    own['content-length'] = String(Buffer.byteLength(body));
  } else if (body !== undefined) {
    own['content-type'] ??= 'application/x-ndjson';
  }
  return own;
}

/** What fails here fails the request, which tells whoever waits for the answer. */
async function sendBody(request: ClientRequest, body: Exchange['body']): Promise<void> {
  if (body === undefined || typeof body === 'string') {
    request.end(body);
    return;
  }
  try {
    await writeLines(request, body);
    request.end();
  } catch (error) {
    request.destroy(error instanceof Error ? error : new Error(messageOf(error)));
  }
}

/** The answer's stream lives until it ends or the caller's signal aborts. */
function destroyOnAbort(response: IncomingMessage, life: AbortScope): void {
  const onAbort = () => {
    response.destroy(life.signal.reason as Error);
  };
  life.signal.addEventListener('abort', onAbort, { once: true });
  response.once('close', () => {
    life[Symbol.dispose]();
  });
}

function headersArrived(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    // Stays attached: an error after the answer began is the answer's to tell, not an uncaught one.
    request.on('error', reject);
  });
}

async function textOf(response: IncomingMessage, maxBytes = Infinity): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
