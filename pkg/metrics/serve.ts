import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UnavailableError, messageOf } from '../base/index.js';
import type { Scrape } from './registry.js';

/** What is wrong with the process, each reason one line; two empty lists mean all is well. */
export interface HealthReport {
  /** Reasons to restart the process: it cannot recover by itself. */
  readonly unhealthy: readonly string[];
  /** Reasons to send it no work yet; they are expected to pass. */
  readonly notReady: readonly string[];
  /** What is wrong although it can do its work: told, and no reason to send the work elsewhere. */
  readonly degraded?: readonly string[];
}

/** Where and what to serve. */
export interface ObservabilityOptions {
  /** Address to listen at; port 0 takes any free one. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly registry: Scrape;
  /** Asked at every probe: must answer at once, from memory. A throw counts as unhealthy. */
  readonly health: () => HealthReport;
}

/** The running listener. */
export interface ObservabilityServer {
  /** The address in use, with the real port. */
  readonly address: { readonly host: string; readonly port: number };
  /** Stops listening; requests in flight get a second to end. Safe to call twice. */
  stop(): Promise<void>;
}

const HEADER_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;
const STOP_GRACE_MS = 1_000;
const MAX_HEADER_BYTES = 8 * 1024;
const MAX_CONNECTIONS = 64;
const TEXT = 'text/plain; charset=utf-8';

/**
 * Serves `/metrics`, `/healthz` (200, or 503 when the process needs a restart) and `/readyz` (200, or
 * 503 with the reasons as lines) over plain HTTP, apart from the API so that a scrape needs no
 * certificate. Rejects with UnavailableError when the address cannot be listened at.
 */
export async function serveObservability(
  options: ObservabilityOptions,
): Promise<ObservabilityServer> {
  const server = createServer(
    {
      headersTimeout: HEADER_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: HEADER_TIMEOUT_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    (request, response) => void answer(options, request, response),
  );
  server.maxConnections = MAX_CONNECTIONS;
  await listening(server, options.listen);
  const { address, port } = server.address() as AddressInfo;
  let stopping: Promise<void> | undefined;
  return {
    address: { host: address, port },
    stop: () => (stopping ??= closed(server)),
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Never rejects: a scrape that fails is answered with 500. */
async function answer(
  options: ObservabilityOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.resume(); // a body is not expected; drain it so that the connection can be reused
  if (request.method !== 'GET') {
    response.setHeader('allow', 'GET');
    reply(response, { status: 405, type: TEXT, body: 'method not allowed: use GET\n' });
    return;
  }
  try {
    reply(response, await page(options, (request.url ?? '/').split('?', 1)[0] ?? '/'));
  } catch (error) {
    reply(response, { status: 500, type: TEXT, body: `${messageOf(error)}\n` });
  }
}

function reply(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(body);
}

async function page({ registry, health }: ObservabilityOptions, path: string): Promise<Answer> {
  switch (path) {
    case '/metrics':
      return { status: 200, type: registry.contentType, body: await registry.text() };
    case '/healthz':
      return verdict(report(health).unhealthy);
    case '/readyz': {
      const { unhealthy, notReady, degraded } = report(health);
      return verdict([...unhealthy, ...notReady], degraded);
    }
    default:
      return { status: 404, type: TEXT, body: 'not found: try /metrics, /healthz or /readyz\n' };
  }
}

function report(health: () => HealthReport): HealthReport {
  try {
    return health();
  } catch (error) {
    return { unhealthy: [`health check failed: ${messageOf(error)}`], notReady: [] };
  }
}

function verdict(reasons: readonly string[], degraded: readonly string[] = []): Answer {
  const told = degraded.map((reason) => `degraded: ${reason}`);
  const [status, lines] =
    reasons.length === 0 ? [200, ['ok', ...told]] : [503, [...reasons, ...told]];
  return { status, type: TEXT, body: lines.map((line) => `${line}\n`).join('') };
}

function listening(server: Server, { host, port }: ObservabilityOptions['listen']): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const where = `${host}:${String(port)}`;
      reject(new UnavailableError(`cannot listen at ${where}: ${cause.message}`, { cause }));
    });
    server.listen({ host, port }, resolve);
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS);
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    server.closeIdleConnections();
  });
}
