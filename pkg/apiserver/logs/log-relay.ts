import { stateRank, type LogLine, type StoredTask } from '../../../api/v1/index.js';
import { AbortScope, messageOf } from '../../base/index.js';
import { readJsonLines, type HttpsTransport, type PushedLogLine } from '../../client/index.js';
import type { Logger } from '../../log/index.js';
import type { World } from '../../objects/index.js';
import type { NdjsonStream } from '../http/ndjson-stream.js';
import type { NodeSessions } from '../sessions/node-sessions.js';
import type { LogRequest } from './log-request.js';
import { PushedStreams } from './pushed-streams.js';

/** What the relay works with. */
export interface LogRelayOptions {
  readonly world: World;
  readonly sessions: NodeSessions;
  readonly managerId: string;
  readonly log: Logger;
  /** Reaches other managers as a manager. */
  readonly peers: Pick<HttpsTransport, 'open'>;
}

/** Marks a request that another manager passes on, so that it goes no further. */
export const FORWARDED_HEADER = 'swarm-forwarded-by';

/** Containers read at once when they are not followed: their order is then nearly that of the tasks. */
const PARALLEL = 16;
/** Containers followed at once in one request. */
const MAX_STREAMS = 500;

/** Where a task's output can be had. */
type Place =
  | { readonly kind: 'here' }
  | { readonly kind: 'peer'; readonly address: string }
  | { readonly kind: 'nowhere'; readonly why: string };

/** Brings the output of containers from the nodes to whoever asks for it. */
export class LogRelay {
  readonly pushed = new PushedStreams();

  constructor(private readonly options: LogRelayOptions) {}

  /** Sends what was asked for; resolves when that is done or the client is gone. Never rejects. */
  async relay(request: LogRequest, out: NdjsonStream): Promise<void> {
    const scope = new AbortScope(out.signal);
    const run = new LogRun(this.options, this.pushed, { request, out, signal: scope.signal });
    try {
      await run.all();
    } catch (error) {
      if (!out.isClosed) this.options.log.warn({ error }, 'log request failed');
    } finally {
      scope.abort(new Error('the log request is over'));
      scope[Symbol.dispose]();
      out.end();
    }
  }
}

interface RunOptions {
  readonly request: LogRequest;
  readonly out: NdjsonStream;
  readonly signal: AbortSignal;
}

/** One request for logs. */
class LogRun {
  private readonly started = new Set<string>();
  private readonly peers = new Set<string>();
  private readonly sources = new Set<Promise<void>>();

  constructor(
    private readonly options: LogRelayOptions,
    private readonly pushed: PushedStreams,
    private readonly run: RunOptions,
  ) {}

  async all(): Promise<void> {
    const { request, signal } = this.run;
    const following =
      request.follow && request.target.kind === 'service' ? this.followNew() : undefined;
    try {
      for (const task of this.tasks()) {
        this.start(task);
        while (!request.follow && this.sources.size >= PARALLEL) await Promise.race(this.sources);
      }
      if (following) await aborted(signal);
      while (this.sources.size > 0) await Promise.race(this.sources);
    } finally {
      following?.[Symbol.dispose]();
    }
  }

  private tasks(): readonly StoredTask[] {
    const { target } = this.run.request;
    if (target.kind === 'task') return [target.task];
    const { world } = this.options;
    return world.tasks
      .byIndex('service', target.service.metadata.uid)
      .filter(({ metadata }) => hasOutput(world, metadata.uid))
      .sort((a, b) => a.metadata.createdAt.localeCompare(b.metadata.createdAt));
  }

  /** A replacement's output belongs to the service, too. */
  private followNew(): Disposable {
    const { world } = this.options;
    const { target } = this.run.request;
    return world.taskStatuses.onChange((_previous, _current, { key }) => {
      const task = world.tasks.get(key);
      const isOurs =
        target.kind === 'service' && task?.spec.serviceUid === target.service.metadata.uid;
      if (isOurs && hasOutput(world, key)) this.start(task);
    });
  }

  private start(task: StoredTask): void {
    if (this.started.has(task.metadata.uid) || this.run.signal.aborted) return;
    this.started.add(task.metadata.uid);
    const source = (this.started.size > MAX_STREAMS ? this.tooMany(task) : this.read(task))
      .catch((error: unknown) => this.notice(task, messageOf(error)))
      .catch(() => undefined) // the client is gone
      .finally(() => this.sources.delete(source));
    this.sources.add(source);
  }

  private read(task: StoredTask): Promise<void> {
    const place = this.placeOf(task);
    switch (place.kind) {
      case 'here':
        return this.readHere(task);
      case 'peer':
        return this.run.request.isForwarded
          ? Promise.resolve()
          : this.readFrom(place.address, task);
      case 'nowhere':
        return this.run.request.isForwarded ? Promise.resolve() : this.notice(task, place.why);
    }
  }

  private placeOf({ spec }: StoredTask): Place {
    const { world, sessions, managerId } = this.options;
    const { nodeId } = spec;
    if (nodeId === undefined) return { kind: 'nowhere', why: 'the task has no node yet' };
    if (sessions.get(nodeId)) return { kind: 'here' };
    const session = world.nodeStatuses.get(nodeId)?.session;
    const manager = session?.open === true ? world.managers.get(session.managerId) : undefined;
    if (manager && manager.id !== managerId) return { kind: 'peer', address: manager.address };
    const name = world.nodes.get(nodeId)?.metadata.name ?? nodeId;
    return { kind: 'nowhere', why: `node ${name} is out of reach` };
  }

  private async readHere(task: StoredTask): Promise<void> {
    const { request, signal } = this.run;
    const nodeId = task.spec.nodeId ?? '';
    const session = this.options.sessions.get(nodeId);
    if (!session) return this.notice(task, 'the node is out of reach');
    const scope = new AbortScope(signal, session.streamSignal);
    let streamId = '';
    const ask = (id: string) => {
      streamId = id;
      const { follow, tail, since } = request;
      session.send({ type: 'logs', streamId, taskId: task.metadata.uid, follow, tail, since });
    };
    try {
      const take = (line: PushedLogLine) => this.pass(task, line);
      await this.pushed.receive(nodeId, ask, { take, signal: scope.signal });
    } finally {
      // Harmless when the node is done; it must not go on for nobody.
      if (scope.signal.aborted) session.send({ type: 'cancel', streamId });
      scope[Symbol.dispose]();
    }
  }

  /** The other manager answers for all tasks of the request whose nodes it holds, so it is asked once. */
  private async readFrom(address: string, task: StoredTask): Promise<void> {
    if (this.peers.has(address)) return;
    this.peers.add(address);
    const { request, out, signal } = this.run;
    const { peers, managerId } = this.options;
    const response = await peers
      .open(address, {
        method: 'GET',
        path: request.url,
        headers: { [FORWARDED_HEADER]: managerId },
        signal,
      })
      .catch((error: unknown) => messageOf(error));
    if (typeof response === 'string') {
      return this.notice(task, `the manager of its node is out of reach: ${response}`);
    }
    for await (const line of readJsonLines<LogLine>(response)) await out.write(line);
  }

  private pass(task: StoredTask, { stream, at, line }: PushedLogLine): Promise<void> {
    return this.run.out.write({
      ...this.head(task),
      stream,
      ...(at !== undefined && this.run.request.timestamps && { at }),
      line,
    } satisfies LogLine);
  }

  private notice(task: StoredTask, line: string): Promise<void> {
    return this.run.out.write({ ...this.head(task), stream: 'system', line } satisfies LogLine);
  }

  private tooMany(task: StoredTask): Promise<void> {
    return this.notice(task, `not shown: more than ${MAX_STREAMS} containers in one request`);
  }

  private head({ metadata, spec }: StoredTask): Pick<LogLine, 'taskId' | 'task' | 'node'> {
    const nodeId = spec.nodeId ?? '';
    const node = this.options.world.nodes.get(nodeId)?.metadata.name ?? nodeId;
    return { taskId: metadata.uid, task: metadata.name, node };
  }
}

/** Whether there is a container whose output could be read. */
function hasOutput(world: World, taskId: string): boolean {
  const status = world.taskStatuses.get(taskId);
  if (!status || status.state === 'orphaned') return false;
  return status.containerId !== undefined || stateRank(status.state) >= stateRank('running');
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
