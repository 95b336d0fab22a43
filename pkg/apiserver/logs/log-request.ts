import type { StoredService, StoredTask } from '../../../api/v1/index.js';
import { BadRequestError } from '../../base/index.js';
import type { Query } from '../http/query.js';

/** Which lines of a task a client asked for. */
export interface LogOptions {
  readonly follow: boolean;
  /** -1: all. */
  readonly tail: number;
  /** ISO 8601, or empty. */
  readonly since: string;
  readonly timestamps: boolean;
}

/** Whose lines. */
export type LogTarget =
  | { readonly kind: 'service'; readonly service: StoredService }
  | { readonly kind: 'task'; readonly task: StoredTask };

/** A request for logs. */
export interface LogRequest extends LogOptions {
  readonly target: LogTarget;
  /** Path and query, to ask other managers the same. */
  readonly url: string;
  /** Another manager asks: it wants the tasks whose nodes hold their session here, and nothing else. */
  readonly isForwarded: boolean;
}

/** Reads the query of a request for logs. Errors: BadRequestError. */
export function readLogOptions(query: Query): LogOptions {
  const since = query.text('since') ?? '';
  if (since !== '' && Number.isNaN(Date.parse(since))) {
    throw new BadRequestError(
      `since: found "${since}", expected an instant such as 2026-01-31T12:00:00Z`,
    );
  }
  return {
    follow: query.flag('follow'),
    tail: query.integer('tail', { minimum: -1 }) ?? -1,
    since: since === '' ? '' : new Date(since).toISOString(),
    timestamps: query.flag('timestamps', true),
  };
}
