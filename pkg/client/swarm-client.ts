import type { IncomingMessage } from 'node:http';
import {
  paths,
  type HistoryAcceptance,
  type JoinTokens,
  type LogLine,
  type ObjectList,
  type RenewResponse,
  type PlacementAnswer,
  type PlanAnswer,
  type PlanRequest,
  type RolloutOrder,
  type SessionRequest,
  type WatchLine,
  type WriteResult,
} from '../../api/v1/index.js';
import { SystemClock, type Clock } from '../base/index.js';
import { Failover, type AttemptOptions } from './failover.js';
import { checkedBackup, type CheckedLine } from './backup-lines.js';
import { readJsonLines } from './json-lines.js';
import type {
  DeleteOptions,
  KindTypes,
  ListQuery,
  LogQuery,
  PatchOptions,
  Plural,
  ReadOptions,
  VersionAnswer,
  WatchQuery,
  WriteOptions,
} from './kinds.js';
import { openSessionWith, type SessionConnection } from './session.js';
import { HttpsTransport, type Answer, type Exchange, type TlsCredentials } from './transport.js';
import { ResumingWatch } from './watch.js';

/** Whom to call, and as whom. */
export interface SwarmClientOptions {
  /** Addresses (host:port) of one or more managers. */
  readonly managers: readonly string[];
  readonly tls: TlsCredentials;
  /** The cluster that servers must belong to. Default: the one of the root. */
  readonly clusterId?: string;
  /** Deadline of a call over all attempts. Default 10,000 ms. */
  readonly timeoutMs?: number;
  /** A manager that does not answer the handshake in this time counts as away. Default 3,000 ms. */
  readonly connectTimeoutMs?: number;
  /** Default SystemClock. */
  readonly clock?: Clock;
}

/** A page of a kind. */
export type Page<P extends Plural> = ObjectList<KindTypes[P]>;
/** The result of a write of a kind. */
export type Written<P extends Plural> = WriteResult<KindTypes[P]>;

/** Which manager not to go to, or only when no other answers. */
export type SessionChoice = Pick<AttemptOptions, 'except' | 'last'>;

interface Call extends Omit<Exchange, 'signal'> {
  readonly what: string;
  readonly idempotent: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

const TIMEOUT_MS = 10_000;
/** A manager follows a plan for some seconds, after those of others that came before. */
const PLAN_TIMEOUT_MS = 60_000;
const PAGE_LIMIT = 500;
/** Watches send bookmarks several times in this time. */
const WATCH_IDLE_MS = 20_000;
/** A manager that reads a backup from etcd is not silent for so long. */
const BACKUP_IDLE_MS = 30_000;

/**
 * The managers' API as methods. Calls that can safely be repeated go on with the next manager when one
 * fails; others only when nothing can have reached it.
 *
 * Errors of every call: the SwarmError of the server's code (InvalidObjectError carries all problems);
 * UnavailableError when no manager answers in time; the signal's reason when it aborts.
 */
export class SwarmClient {
  private readonly transport: HttpsTransport;
  private readonly failover: Failover;
  private readonly timeoutMs: number;
  private readonly clock: Clock;
  /** The newest revision seen: reads never show anything older. */
  private seenRevision = 0;

  constructor(options: SwarmClientOptions) {
    this.clock = options.clock ?? new SystemClock();
    this.transport = new HttpsTransport(options);
    this.failover = new Failover(options.managers, this.clock);
    this.timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  }

  /** Addresses that are tried. */
  get managers(): readonly string[] {
    return this.failover.addresses;
  }

  /** Replaces the addresses, as a session or a join tells them; an empty list is ignored. */
  useManagers(managers: readonly string[]): void {
    this.failover.use(managers);
  }

  /** Later calls use these (renewal); streams that are open go on with what they began with. */
  useCredentials(tls: TlsCredentials): void {
    this.transport.useCredentials(tls);
  }

  /** Drops all connections. */
  close(): void {
    this.transport.close();
  }

  /** One page. */
  async list<P extends Plural>(plural: P, query: ListQuery = {}): Promise<Page<P>> {
    const { labelSelector, fieldSelector, limit, continue: after, showApplied } = query;
    const path = withQuery(paths.list(plural), {
      labelSelector,
      fieldSelector,
      limit,
      continue: after,
      showApplied,
    });
    return this.read(`list ${plural}`, path, query);
  }

  /** All pages, read at one revision. */
  async listAll<P extends Plural>(
    plural: P,
    query: Omit<ListQuery, 'continue'> = {},
  ): Promise<Page<P>> {
    const first = await this.list(plural, { limit: PAGE_LIMIT, ...query });
    const items = [...first.items];
    let next = first.metadata.continue;
    while (next !== undefined) {
      const page = await this.list(plural, { limit: PAGE_LIMIT, ...query, continue: next });
      items.push(...page.items);
      next = page.metadata.continue;
    }
    return { ...first, metadata: { revision: first.metadata.revision }, items };
  }

  /** One object, by name or by what else the kind can be looked up with. Errors: NotFoundError. */
  get<P extends Plural>(plural: P, name: string, options: ReadOptions = {}): Promise<KindTypes[P]> {
    const path = withQuery(paths.object(plural, name), { showApplied: options.showApplied });
    return this.read(`get ${plural}/${name}`, path, options);
  }

  /**
   * Changes as they happen, through broken connections and restarts of managers: it resumes by itself,
   * and when history is gone it reads everything again and tells the difference. Bookmarks are passed on.
   */
  watch<P extends Plural>(
    plural: P,
    query: WatchQuery = {},
  ): AsyncGenerator<WatchLine<KindTypes[P]>, void, undefined> {
    const { labelSelector, fieldSelector, since, signal } = query;
    const watch = new ResumingWatch<KindTypes[P]>(
      async (from, signalOfOne) => {
        const path = withQuery(paths.list(plural), {
          watch: true,
          since: from,
          labelSelector,
          fieldSelector,
        });
        const response = await this.openStream(`watch ${plural}`, path, signalOfOne);
        return readJsonLines<WatchLine<KindTypes[P]>>(response, { idleMs: WATCH_IDLE_MS });
      },
      since,
      this.clock,
    );
    return watch.lines(signal);
  }

  /** Errors: AlreadyExistsError, InvalidObjectError. */
  create<P extends Plural>(
    plural: P,
    object: object,
    options: WriteOptions = {},
  ): Promise<Written<P>> {
    return this.write(`create ${plural}`, options, {
      method: 'POST',
      path: withQuery(paths.list(plural), writeQuery(options)),
      body: JSON.stringify(object),
      idempotent: false,
    });
  }

  /**
   * Creates it, or merges it into what is there (see ADR 0013); `unchanged` when it means the same. Safe to
   * repeat.
   */
  apply<P extends Plural>(
    plural: P,
    object: object & { readonly metadata: { readonly name: string } },
    options: WriteOptions = {},
  ): Promise<Written<P>> {
    const { name } = object.metadata;
    return this.write(`apply ${plural}/${name}`, options, {
      method: 'PUT',
      path: withQuery(paths.object(plural, name), { apply: true, ...writeQuery(options) }),
      body: JSON.stringify(object),
      idempotent: true,
    });
  }

  /** Replaces what exists. With `metadata.version` it fails with ConflictError when that is stale. */
  replace<P extends Plural>(
    plural: P,
    name: string,
    object: object,
    options: WriteOptions = {},
  ): Promise<Written<P>> {
    return this.write(`replace ${plural}/${name}`, options, {
      method: 'PUT',
      path: withQuery(paths.object(plural, name), writeQuery(options)),
      body: JSON.stringify(object),
      idempotent: false,
    });
  }

  /**
   * Changes parts, by a JSON merge patch (RFC 7386: null removes a field, lists are replaced whole) or a JSON
   * patch (RFC 6902).
   */
  patch<P extends Plural>(
    plural: P,
    name: string,
    patch: object,
    options: PatchOptions = {},
  ): Promise<Written<P>> {
    return this.write(`patch ${plural}/${name}`, options, {
      method: 'PATCH',
      path: withQuery(paths.object(plural, name), writeQuery(options)),
      headers: {
        'content-type': `application/${options.type === 'json' ? 'json' : 'merge'}-patch+json`,
      },
      body: JSON.stringify(patch),
      idempotent: false,
    });
  }

  /** `deleting` when what it owns must go first, else `deleted`. Errors: NotFoundError. */
  delete<P extends Plural>(
    plural: P,
    name: string,
    options: DeleteOptions = {},
  ): Promise<Written<P>> {
    const { dryRun, force, version } = options;
    return this.write(`delete ${plural}/${name}`, options, {
      method: 'DELETE',
      path: withQuery(paths.object(plural, name), { dryRun, force, version }),
      idempotent: false,
    });
  }

  /**
   * Orders something about the rollout of a service; `unchanged` when it has been obeyed already.
   * Errors: ConflictError when there is nothing that it could be about, or the version is stale; NotFoundError.
   */
  rollout(
    service: string,
    order: RolloutOrder,
    options: WriteOptions = {},
  ): Promise<Written<'services'>> {
    return this.write(`${order.action} the rollout of services/${service}`, options, {
      method: 'POST',
      path: withQuery(paths.serviceRollout(service), writeQuery(options)),
      body: JSON.stringify(order),
      idempotent: false,
    });
  }

  /** What would become of objects and tasks by an apply or a deletion. Errors: those of the writes. */
  async plan(request: PlanRequest, options: ReadOptions = {}): Promise<PlanAnswer> {
    const answer = await this.call({
      what: 'make a plan',
      method: 'POST',
      path: paths.plan,
      body: JSON.stringify(request),
      idempotent: true,
      signal: options.signal,
      timeoutMs: options.timeoutMs ?? PLAN_TIMEOUT_MS,
    });
    return JSON.parse(answer.text) as PlanAnswer;
  }

  /** Why tasks of a service have no node, and what every node says to them. */
  placement(service: string, options: ReadOptions = {}): Promise<PlacementAnswer> {
    return this.read(
      `read the placement of services/${service}`,
      paths.servicePlacement(service),
      options,
    );
  }

  /**
   * Runs a cron job now. With `run`, the name that its service gets, it is safe to repeat.
   * Errors: NotFoundError; ConflictError while it is being deleted; AlreadyExistsError.
   */
  runCronJob(
    cronJob: string,
    run?: string,
    options: WriteOptions = {},
  ): Promise<Written<'services'>> {
    return this.write(`run cronjobs/${cronJob}`, options, {
      method: 'POST',
      path: withQuery(paths.cronJobRun(cronJob), { dryRun: options.dryRun }),
      body: JSON.stringify({ name: run }),
      idempotent: run !== undefined,
    });
  }

  /** Output of a service's or a task's containers. Ends when all ended, or when the signal aborts. */
  async *logs(
    target: { readonly service: string } | { readonly task: string },
    query: LogQuery = {},
  ): AsyncGenerator<LogLine, void, undefined> {
    const { follow, tail, since, timestamps, signal } = query;
    const base =
      'service' in target ? paths.serviceLogs(target.service) : paths.taskLogs(target.task);
    const withoutTimes = timestamps === false ? 'false' : undefined; // the server's default is true
    const path = withQuery(base, { follow, tail, since, timestamps: withoutTimes });
    const response = await this.openStream('read logs', path, signal);
    try {
      yield* readJsonLines<LogLine>(response);
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
  }

  /** Both join tokens. Admins only. */
  joinTokens(options: ReadOptions = {}): Promise<JoinTokens> {
    return this.read('read the join tokens', paths.joinTokens, options);
  }

  /**
   * Accepts what the store holds, after it was restored or replaced: frozen nodes go on. Repeated, it is
   * accepted anew. Admins only.
   */
  acceptHistory(options: WriteOptions = {}): Promise<HistoryAcceptance> {
    const { dryRun } = options;
    return this.write('accept the history of the store', options, {
      method: 'POST',
      path: withQuery(paths.acceptHistory, { dryRun }),
      body: '{}',
      idempotent: true,
    });
  }

  /**
   * Everything that lasts of the cluster, at one revision; complete when it ends without an error. Admins only.
   * Errors: also what the manager failed with on the way.
   */
  async *backup(signal?: AbortSignal): AsyncGenerator<CheckedLine, void, undefined> {
    const response = await this.openStream('make a backup', paths.backup, signal);
    yield* checkedBackup(readJsonLines(response, { idleMs: BACKUP_IDLE_MS }));
  }

  /** What the manager that answers is. */
  version(options: ReadOptions = {}): Promise<VersionAnswer> {
    return this.read('read the version', paths.version, options);
  }

  /** A new certificate for the caller's own identity. Safe to repeat. */
  async renew(csr: string, options: ReadOptions = {}): Promise<RenewResponse> {
    const answer = await this.call({
      what: 'renew the certificate',
      method: 'POST',
      path: paths.renew,
      body: JSON.stringify({ csr }),
      idempotent: true,
      ...options,
    });
    return JSON.parse(answer.text) as RenewResponse;
  }

  /**
   * Opens a session of this node with any manager that `choice` allows.
   * Errors: NodeRemovedError when the node was removed from the cluster; UnavailableError; BusyError.
   */
  openSession(
    request: SessionRequest,
    signal?: AbortSignal,
    choice: SessionChoice = {},
  ): Promise<SessionConnection> {
    const { timeoutMs } = this;
    return this.failover.run(
      { what: 'open a session', timeoutMs, idempotent: true, signal, ...choice },
      (manager, openSignal) =>
        openSessionWith(this.transport, manager, { request, signal, openSignal }),
    );
  }

  private async read<T>(what: string, path: string, options: ReadOptions): Promise<T> {
    const minimum = options.minRevision ?? this.seenRevision;
    const answer = await this.call({
      what,
      method: 'GET',
      path,
      ...(minimum > 0 && { headers: { 'swarm-min-revision': String(minimum) } }),
      idempotent: true,
      signal: options.signal,
      timeoutMs: options.timeoutMs,
    });
    return JSON.parse(answer.text) as T;
  }

  private async write<T>(
    what: string,
    options: WriteOptions,
    call: Omit<Call, 'what' | 'signal' | 'timeoutMs'>,
  ): Promise<T> {
    const { signal, timeoutMs } = options;
    const answer = await this.call({ ...call, what, signal, timeoutMs });
    return JSON.parse(answer.text) as T;
  }

  private async call({ what, idempotent, signal, timeoutMs, ...exchange }: Call): Promise<Answer> {
    const attempt = { what, idempotent, signal, timeoutMs: timeoutMs ?? this.timeoutMs };
    const answer = await this.failover.run(attempt, (manager, deadline) =>
      this.transport.call(manager, { ...exchange, signal: deadline }),
    );
    const revision = Number(answer.headers['swarm-revision']);
    if (revision > this.seenRevision) this.seenRevision = revision;
    return answer;
  }

  private openStream(
    what: string,
    path: string,
    signal: AbortSignal | undefined,
  ): Promise<IncomingMessage> {
    const headers: Record<string, string> =
      this.seenRevision > 0 ? { 'swarm-min-revision': String(this.seenRevision) } : {};
    return this.failover.run(
      { what, timeoutMs: this.timeoutMs, idempotent: true, signal },
      (manager, openSignal) =>
        this.transport.open(manager, { method: 'GET', path, headers, signal, openSignal }),
    );
  }
}

function withQuery(
  path: string,
  query: Readonly<Record<string, string | number | boolean | undefined>>,
): string {
  // What is false is not said: not every route knows every flag.
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== false);
  if (given.length === 0) return path;
  const search = new URLSearchParams(
    given.map(([key, value]): [string, string] => [key, String(value)]),
  );
  return `${path}?${search.toString()}`;
}

const writeQuery = ({ dryRun, cause }: WriteOptions) => ({ dryRun, cause });
