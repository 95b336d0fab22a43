import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { TSchema } from 'typebox';
import type { Identity } from '../../pki/index.js';
import type { NdjsonStream, StreamOptions } from './ndjson-stream.js';
import type { Query, QueryParameter } from './query.js';

/**
 * Who may call a route. `anyone` needs no certificate; `node` is a manager's or worker's certificate
 * whose node exists (routes for nodes only ever touch the caller's own); `former-node` is one whose node may
 * not exist any more, for the route that tells it. Whoever is not named is refused.
 */
export type Caller = 'anyone' | 'admin' | 'manager' | 'node' | 'former-node';

/** What a handler is given. */
export interface ApiRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  /** Undefined only on routes that `anyone` may call. */
  readonly caller: Identity | undefined;
  readonly remoteAddress: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  /** Valid against the route's body schema, when it has one; a stream for NDJSON. */
  readonly body: unknown;
  /** Aborts when the client goes away or the server stops. */
  readonly signal: AbortSignal;
  /** Answers with lines instead of one document; the handler then returns nothing. */
  readonly openStream: (options?: StreamOptions) => NdjsonStream;
}

/** The body of a request that is sent as it comes. */
export const streamBody = (request: ApiRequest): Readable => request.body as Readable;

/** The answer of a handler that did not open a stream. */
export interface ApiReply {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, a string as it is. */
  readonly body: unknown;
}

/** One route, as data: the server, the authorization test and the OpenAPI document read it. */
export interface RouteDefinition<Context> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `:parameters`. */
  readonly url: string;
  readonly allow: readonly Caller[];
  readonly summary: string;
  readonly tag: string;
  /** Everything that may stand in the query; anything else is refused. */
  readonly query?: Readonly<Record<string, QueryParameter>>;
  /** Checked before the handler runs. */
  readonly body?: TSchema;
  /** For the document only: what a success looks like. */
  readonly answer?: TSchema;
  /** For the document only: the status of a success. Default 201 for a POST that is no stream, else 200. */
  readonly answerStatus?: number;
  /** Lines (NDJSON) up or down: not counted among the calls in flight, and without their deadline. */
  readonly streams?: 'up' | 'down' | 'maybe-down';
  handle(context: Context, request: ApiRequest): Promise<ApiReply | undefined>;
}
