import { Agent as HttpAgent } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type DockerClient from 'dockerode';
import { UnavailableError, abortReason, withDeadline } from '../base/index.js';
import { negotiateApiVersion } from './api-version.js';
import {
  errorOfConnection,
  errorOfFailure,
  isStaleConnection,
  isVersionTrouble,
} from './engine-errors.js';
import type { EngineFailure } from './engine-errors.js';
import { formatEngineHost } from './host.js';
import type { EngineHost } from './host.js';
import { Docker } from './lean-dockerode.js';

/** One request to the engine. */
export interface EngineRequest {
  /** For messages and metrics, such as `create container`. */
  readonly operation: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Without version and query: `/containers/json`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers?: OutgoingHttpHeaders;
  /** Statuses that are success besides 2xx, such as 304. */
  readonly alsoOk?: readonly number[];
  /** What an error status means here; default {@link errorOfFailure}. */
  readonly errorOf?: (failure: EngineFailure) => Error;
  readonly signal?: AbortSignal;
  /** Until the whole answer is here; for a stream until its headers are. */
  readonly timeoutMs: number;
}

/** An answer that was read whole. */
export interface EngineAnswer {
  readonly status: number;
  /** Parsed JSON, undefined when there was none. */
  readonly body: unknown;
}

/** What the engine said about itself in its last ping. */
interface Handshake {
  readonly apiVersion: string;
  readonly engineApiVersion: string;
}

/** Every status reaches our own code: the modem's tables lack some, and it loses bodies. */
const ANY_STATUS = Object.fromEntries(
  Array.from({ length: 400 }, (_, index) => [200 + index, true] as const),
);

/** Error texts longer than this are cut. */
const MAX_ERROR_BYTES = 16 * 1024;

/**
 * Requests to one engine through dockerode's modem, with what the modem lacks: a deadline on
 * everything, bodies that are read here (its own reader never settles when the engine dies in the
 * middle), API version negotiation, and one retry of a read whose kept-alive connection was dead.
 */
export class EngineTransport {
  private readonly rpc: ModemClient;
  /** Apart, so that a hundred followed logs never keep a call from its connection. */
  private readonly streams: ModemClient;
  private handshake: Promise<Handshake> | undefined;

  constructor(
    private readonly host: EngineHost,
    private readonly pingTimeoutMs: number,
  ) {
    this.rpc = new ModemClient(host, { keepAlive: true });
    this.streams = new ModemClient(host, { keepAlive: false });
  }

  /** Sends a request and reads the whole answer. */
  async call(request: EngineRequest): Promise<EngineAnswer> {
    const work = async (signal: AbortSignal): Promise<EngineAnswer> => {
      const { apiVersion } = await this.agreed();
      const response = await this.send(this.rpc, request, apiVersion, signal);
      return await this.readAnswer(request, response);
    };
    try {
      return await withDeadline(request.operation, request.timeoutMs, work, request.signal);
    } catch (error) {
      throw this.failed(request, error);
    }
  }

  /**
   * Sends a request and returns the answer's body as a stream once its headers are here. The
   * stream is destroyed when the signal aborts; the caller destroys it when done earlier.
   */
  async stream(request: EngineRequest): Promise<IncomingMessage> {
    const work = async (signal: AbortSignal): Promise<IncomingMessage> => {
      const { apiVersion } = await this.agreed();
      const response = await this.send(this.streams, request, apiVersion, signal);
      if (!isOk(request, response)) await this.readAnswer(request, response);
      return response;
    };
    try {
      const { operation, timeoutMs, signal } = request;
      const response = await withDeadline(operation, timeoutMs, work, signal);
      destroyOnAbort(response, signal);
      return response;
    } catch (error) {
      throw this.failed(request, error);
    }
  }

  /** Asks for the engine's API version anew. */
  async ping(timeoutMs: number, signal?: AbortSignal): Promise<Handshake> {
    const request: EngineRequest = {
      operation: 'ping',
      method: 'GET',
      path: '/_ping',
      timeoutMs,
      ...(signal && { signal }),
    };
    try {
      const handshake = await withDeadline(
        request.operation,
        timeoutMs,
        (cut) => this.shakeHands(request, cut),
        signal,
      );
      this.handshake = Promise.resolve(handshake);
      return handshake;
    } catch (error) {
      throw this.failed(request, error);
    }
  }

  /** Closes all connections, also those of running streams. */
  close(): void {
    this.rpc.close();
    this.streams.close();
  }

  /** The version to speak; asked once, by whoever comes first, for all. */
  private agreed(): Promise<Handshake> {
    if (!this.handshake) {
      const asked: Promise<Handshake> = this.ping(this.pingTimeoutMs).catch((error: unknown) => {
        if (this.handshake === asked) this.handshake = undefined;
        throw error;
      });
      this.handshake = asked;
    }
    return this.handshake;
  }

  private async shakeHands(request: EngineRequest, signal: AbortSignal): Promise<Handshake> {
    const response = await this.send(this.rpc, request, undefined, signal);
    await this.readAnswer(request, response);
    const header = response.headers['api-version'];
    const engineApiVersion = Array.isArray(header) ? header[0] : header;
    const apiVersion = negotiateApiVersion(engineApiVersion);
    return { apiVersion, engineApiVersion: engineApiVersion ?? apiVersion };
  }

  private async send(
    client: ModemClient,
    request: EngineRequest,
    apiVersion: string | undefined,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    signal.throwIfAborted();
    try {
      return await client.dial(request, apiVersion, signal);
    } catch (error) {
      if (request.method !== 'GET' || !isStaleConnection(error) || signal.aborted) throw error;
      client.dropIdleConnections();
      return await client.dial(request, apiVersion, signal);
    }
  }

  private async readAnswer(
    request: EngineRequest,
    response: IncomingMessage,
  ): Promise<EngineAnswer> {
    const ok = isOk(request, response);
    const status = response.statusCode ?? 0;
    const text = await readBody(response, ok ? Infinity : MAX_ERROR_BYTES);
    if (ok) return { status, body: parseBody(request, response, text) };
    const failure = { operation: request.operation, status, message: messageIn(text, response) };
    if (isVersionTrouble(failure)) this.handshake = undefined;
    throw (request.errorOf ?? errorOfFailure)(failure);
  }

  /** Maps the error; after a lost connection the next call asks for the version again. */
  private failed({ operation, signal }: EngineRequest, error: unknown): Error {
    const mapped = errorOfConnection(operation, error, signal);
    if (mapped instanceof UnavailableError) {
      this.handshake = undefined;
      this.rpc.dropIdleConnections();
      if (mapped === error) return mapped;
      return new UnavailableError(`${mapped.message} (${formatEngineHost(this.host)})`, {
        cause: error,
      });
    }
    return mapped;
  }
}

/** One dockerode client with connections of its own. */
class ModemClient {
  private readonly agent: HttpAgent;
  private readonly docker: DockerClient;

  constructor(host: EngineHost, { keepAlive }: { readonly keepAlive: boolean }) {
    this.agent =
      host.kind === 'tcp' && host.tls
        ? new HttpsAgent({ keepAlive, ...host.tls })
        : new HttpAgent({ keepAlive });
    this.docker = new Docker(modemOptions(host, this.agent));
  }

  /** Resolves with the answer's head, whatever its status. */
  dial(
    { method, path, query = {}, body, headers }: EngineRequest,
    apiVersion: string | undefined,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const prefix = apiVersion === undefined ? '' : `/v${apiVersion}`;
    return new Promise((resolve, reject) => {
      this.docker.modem.dial(
        {
          path: `${prefix}${path}?`,
          method,
          // Both always: without `_query` the modem writes the body, secrets and all, into the URL.
          options: { _query: query, _body: body ?? {} },
          headers: { ...headers },
          // Hands out the response instead of collecting it, see readBody.
          isStream: true,
          statusCodes: ANY_STATUS,
          abortSignal: signal,
        },
        (error, response) => {
          if (error) reject(error);
          else resolve(response as IncomingMessage);
        },
      );
    });
  }

  /** Connections that wait for their next request may be dead; those in use find out themselves. */
  dropIdleConnections(): void {
    for (const sockets of Object.values(this.agent.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
  }

  close(): void {
    this.agent.destroy();
  }
}

/** Says everything, because whatever is left out the modem takes from the process's environment. */
function modemOptions(host: EngineHost, agent: HttpAgent): DockerClient.DockerOptions {
  const unset = { ca: undefined, cert: undefined, key: undefined, timeout: undefined };
  const { socketPath, hostname, port, tls } = addressOf(host);
  const protocol = tls ? 'https' : 'http';
  const options = {
    ...unset,
    ...tls,
    pathPrefix: '/',
    protocol,
    socketPath,
    host: hostname,
    port,
    agent,
  };
  return options as DockerClient.DockerOptions;
}

function addressOf(host: EngineHost) {
  return host.kind === 'unix'
    ? { socketPath: host.socketPath, hostname: undefined, port: undefined, tls: undefined }
    : { socketPath: undefined, hostname: host.hostname, port: host.port, tls: host.tls };
}

function isOk({ alsoOk }: EngineRequest, { statusCode = 0 }: IncomingMessage): boolean {
  return (statusCode >= 200 && statusCode < 300) || alsoOk?.includes(statusCode) === true;
}

/** The body as text, cut at `maxBytes`; rejects at once when the connection ends before it does. */
async function readBody(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= maxBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseBody(
  { operation }: EngineRequest,
  { headers }: IncomingMessage,
  text: string,
): unknown {
  if (text === '' || headers['content-type']?.includes('application/json') !== true) {
    return undefined;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new UnavailableError(`${operation}: the engine's answer is no JSON`, { cause: error });
  }
}

function messageIn(text: string, { statusCode = 0 }: IncomingMessage): string {
  try {
    const { message } = JSON.parse(text) as { readonly message?: unknown };
    if (typeof message === 'string') return message.trim();
  } catch {
    // A proxy's page, or half an answer: the text itself is the best there is.
  }
  return text.trim() || `status ${statusCode}`;
}

function destroyOnAbort(response: IncomingMessage, signal: AbortSignal | undefined): void {
  // Whoever reads sees the error; nobody reading must not mean a crash.
  response.on('error', () => undefined);
  if (!signal) return;
  const onAbort = () => response.destroy(abortReason(signal));
  if (signal.aborted) {
    onAbort();
    return;
  }
  signal.addEventListener('abort', onAbort, { once: true });
  response.once('close', () => {
    signal.removeEventListener('abort', onAbort);
  });
}
