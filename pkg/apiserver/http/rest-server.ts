import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { codec, type ApiError } from '../../../api/v1/index.js';
import {
  BadRequestError,
  InvalidObjectError,
  NotFoundError,
  UnavailableError,
  messageOf,
} from '../../base/index.js';
import type { WorldCache } from '../../informer/index.js';
import type { Logger } from '../../log/index.js';
import type { Identity } from '../../pki/index.js';
import type { Authenticator } from './authenticator.js';
import { CallerLimits, type CallerLimitOptions } from './caller-limits.js';
import { failureAnswer, type FailureAnswer } from './failure.js';
import { NdjsonStream, StreamRegistry, type StreamOptions } from './ndjson-stream.js';
import { Query } from './query.js';
import type { ApiReply, ApiRequest, RouteDefinition } from './route.js';
import { addBodyParsers } from './body-parsers.js';

/** Told about every call that ended; streams are not calls. */
export interface CallObserver {
  onCall(call: { route: string; method: string; status: number; durationMs: number }): void;
}

/** What serves routes. */
export interface RestServerOptions<Context> {
  readonly routes: readonly RouteDefinition<Context>[];
  readonly context: Context;
  readonly cache: WorldCache;
  readonly authenticator: Authenticator;
  readonly log: Logger;
  readonly limits?: CallerLimitOptions;
  readonly observer?: CallObserver;
  /** Told when somebody could not prove who they are. */
  readonly onUnauthenticated?: (remote: string, reason: string) => void;
  readonly createServer: (
    handler: (request: IncomingMessage, response: ServerResponse) => void,
  ) => Server;
}

/** Bodies of calls; lines pushed as a stream are bounded one by one. */
const MAX_BODY_BYTES = 1024 * 1024;
const MIN_REVISION_TIMEOUT_MS = 5_000;
const CLOSE_GRACE_MS = 1_000;
const REVISION_HEADER = 'swarm-revision';

type App = FastifyInstance<Server>;

/** Serves route definitions over fastify: who may call, what is valid, what an error looks like. */
export class RestServer<Context> {
  private readonly app: App;
  private readonly streams = new StreamRegistry();
  private readonly limits: CallerLimits;
  private readonly stopping = new AbortController();
  private inFlight = 0;

  constructor(private readonly options: RestServerOptions<Context>) {
    this.limits = new CallerLimits(options.limits);
    this.app = fastify({
      serverFactory: options.createServer,
      bodyLimit: MAX_BODY_BYTES,
      logger: false,
      forceCloseConnections: 'idle',
      return503OnClosing: true,
      // A path that cannot even be routed is answered like everything else.
      frameworkErrors: (error, request, reply) => {
        this.fail(error, request, reply);
      },
      routerOptions: { maxParamLength: 300, ignoreTrailingSlash: false, caseSensitive: true },
    });
    this.prepare();
    for (const route of options.routes) this.register(route);
  }

  /** Calls being served now, streams not among them. */
  get callsInFlight(): number {
    return this.inFlight;
  }

  /** Open streams of all kinds. */
  get openStreams(): number {
    return this.streams.size;
  }

  /** Listens; resolves to the port. Errors: UnavailableError. */
  async listen({ host, port }: { readonly host: string; readonly port: number }): Promise<number> {
    try {
      await this.app.listen({ host, port });
    } catch (error) {
      throw new UnavailableError(`cannot listen at ${host}:${port}: ${messageOf(error)}`, {
        cause: error,
      });
    }
    return (this.app.server.address() as AddressInfo).port;
  }

  /**
   * Takes no new calls, says goodbye on every stream, and waits a second for calls under way.
   * Connections that are still open then are cut by whom they belong to.
   */
  async close(): Promise<void> {
    this.app.server.close();
    await this.streams.closeAll();
    this.stopping.abort(new UnavailableError('this manager stops'));
    const deadline = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_GRACE_MS).unref());
    await Promise.race([this.app.close(), deadline]);
  }

  private prepare(): void {
    addBodyParsers(this.app);
    // Bodies are checked by our own codecs, whose messages are made for people.
    this.app.setValidatorCompiler(() => () => true);
    this.app.setSerializerCompiler(() => (data) => JSON.stringify(data));
    this.app.setNotFoundHandler((request, reply) => {
      const path = request.url.split('?')[0] ?? '';
      return this.fail(new NotFoundError(`there is no ${request.method} ${path}`), request, reply);
    });
    this.app.setErrorHandler((error, request, reply) => this.fail(error, request, reply));
  }

  private register(route: RouteDefinition<Context>): void {
    const check = route.body && codec(route.body);
    this.app.route({
      method: route.method,
      url: route.url,
      // Before the body is read: nobody sends a megabyte to be refused.
      onRequest: async (request) => {
        const allowed = await this.options.authenticator.authorize(socketOf(request), route.allow);
        callers.set(request.raw, allowed);
      },
      handler: async (request, reply) => {
        if (check && !check.check(request.body)) {
          throw new InvalidObjectError('the request is not valid', check.problems(request.body));
        }
        await this.serve(route, request, reply);
      },
    });
  }

  private async serve(
    route: RouteDefinition<Context>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const caller = callers.get(request.raw);
    const startedAt = performance.now();
    const callerName = caller?.id ?? request.ip;
    let place = this.limits.enter(callerName, isStream(route) ? 'stream' : 'call');
    this.inFlight += 1;
    const streaming = { opened: false };
    // A list that turned out to be a watch gives the place of a call back.
    const opening = () => {
      if (isStream(route)) return;
      const call = place;
      place = this.limits.enter(callerName, 'stream');
      call[Symbol.dispose]();
    };
    const opened = (stream: NdjsonStream) => {
      streaming.opened = true;
      this.streams.add(stream);
      stream.signal.addEventListener('abort', () => place[Symbol.dispose](), { once: true });
    };
    try {
      const apiRequest = this.requestOf(route, { request, reply, caller, opening, opened });
      await this.reached(apiRequest);
      const answer = await route.handle(this.options.context, apiRequest);
      if (answer) await this.send(answer, reply);
    } catch (error) {
      if (!reply.raw.headersSent) throw error;
      this.options.log.warn({ error, url: request.url }, 'stream failed');
      reply.raw.destroy();
    } finally {
      this.inFlight -= 1;
      if (!streaming.opened) {
        place[Symbol.dispose]();
        this.observe(route, reply, performance.now() - startedAt);
      }
    }
  }

  /** A client that has seen a revision never reads anything older, whichever manager it asks. */
  private async reached({ query, headers, signal }: ApiRequest): Promise<void> {
    const header = headers['swarm-min-revision'];
    const minimum = Math.max(query.integer('minRevision') ?? 0, revisionIn(header));
    const { cache } = this.options;
    if (!cache.isSynced) throw new UnavailableError('this manager has not read the store yet');
    await cache.waitForRevision(minimum, { signal, timeoutMs: MIN_REVISION_TIMEOUT_MS });
  }

  private requestOf(
    route: RouteDefinition<Context>,
    { request, reply, caller, opening, opened }: Served,
  ): ApiRequest {
    return {
      method: request.method,
      url: request.url,
      caller,
      remoteAddress: request.ip.replace(/^::ffff:/, ''),
      params: request.params as Record<string, string>,
      query: Query.parse(request.query as Record<string, unknown>, route.query ?? {}),
      headers: request.headers,
      body: request.body,
      signal: signalOf(reply.raw, this.stopping.signal),
      openStream: (options: StreamOptions = {}) => {
        opening();
        reply.hijack();
        const headers = { [REVISION_HEADER]: this.revision, ...options.headers };
        const stream = new NdjsonStream(reply.raw, { ...options, headers });
        opened(stream);
        return stream;
      },
    };
  }

  private get revision(): string {
    return String(this.options.cache.revision);
  }

  private async send({ status = 200, headers = {}, body }: ApiReply, reply: FastifyReply) {
    await reply
      .code(status)
      .headers({ 'content-type': 'application/json; charset=utf-8', ...headers })
      .header(REVISION_HEADER, this.revision)
      .send(typeof body === 'string' ? body : JSON.stringify(body));
  }

  private fail(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const answer = failureAnswer(error);
    if (answer.isBug) {
      const { method, url } = request;
      this.options.log.error({ error, method, url }, 'request failed');
    } else if (answer.status === 401 || answer.status === 403) this.refused(error, request, answer);
    // The rest of a body that nobody reads would be taken for the next request.
    const headers = request.raw.complete ? {} : { connection: 'close' };
    return reply
      .code(answer.status)
      .headers({ ...answer.headers, ...headers, [REVISION_HEADER]: this.revision })
      .send(answer.body satisfies ApiError);
  }

  private refused(error: unknown, request: FastifyRequest, { status }: FailureAnswer): void {
    const { method, url, ip } = request;
    const reason = messageOf(error);
    this.options.log.warn({ remote: ip, method, url, reason }, 'request refused');
    if (status === 401) this.options.onUnauthenticated?.(ip, reason);
  }

  private observe(route: RouteDefinition<Context>, reply: FastifyReply, durationMs: number): void {
    const { method, url } = route;
    const status = reply.raw.statusCode;
    this.options.observer?.onCall({ route: url, method, status, durationMs });
  }
}

interface Served {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly caller: Identity | undefined;
  /** Called before a stream begins. Errors: BusyError. */
  readonly opening: () => void;
  readonly opened: (stream: NdjsonStream) => void;
}

const callers = new WeakMap<IncomingMessage, Identity | undefined>();

const isStream = ({ streams }: { streams?: string }) => streams === 'up' || streams === 'down';
// The server speaks TLS only, so every socket of it is one.
const socketOf = (request: FastifyRequest) => request.raw.socket as unknown as TLSSocket;

function revisionIn(header: string | string[] | undefined): number {
  if (header === undefined) return 0;
  const revision = Number(header);
  if (Number.isSafeInteger(revision) && revision >= 0) return revision;
  throw new BadRequestError('swarm-min-revision: expected a revision');
}

/** Aborts when the client goes before the answer was given, or when the server stops. */
function signalOf(response: ServerResponse, stopping: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const onStop = () => {
    controller.abort(stopping.reason);
  };
  stopping.addEventListener('abort', onStop, { once: true });
  response.once('close', () => {
    stopping.removeEventListener('abort', onStop);
    controller.abort(new UnavailableError('the client went away'));
  });
  return controller.signal;
}
