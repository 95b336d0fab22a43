import type {
  Assignment,
  RevisionTemplate,
  SessionMessage,
  SessionRequest,
  StoreFacts,
  StatusReport,
  StatusResponse,
  TaskReport,
  TaskState,
} from '../../api/v1/index.js';
import {
  NodeRemovedError,
  NotFoundError,
  UnavailableError,
  abortReason,
} from '../../pkg/base/index.js';
import type { PushedLogLine, SessionChoice } from '../../pkg/client/index.js';
import type { Managers, Session } from '../../pkg/agent/index.js';

/** The cluster and node that a {@link FakeManager} speaks for. */
export const FAKE_CLUSTER = { clusterId: 'cluster1', nodeId: 'node1' } as const;

interface OpenSession {
  readonly id: string;
  readonly manager: string;
  readonly queue: MessageQueue;
  sequence: number;
}

/** A log stream as it arrives. */
export interface FakeStream {
  readonly lines: PushedLogLine[];
  done: boolean;
}

/** Managers in memory that do what they are told: what is assigned, whether they answer. */
export class FakeManager implements Managers {
  /** Newest report of each task, in the order of arrival. */
  readonly reports = new Map<string, TaskReport>();
  /** Every report, as it came. */
  readonly history: { readonly taskId: string; readonly report: TaskReport }[] = [];
  readonly requests: SessionRequest[] = [];
  readonly batches: Omit<StatusReport, 'sessionId'>[] = [];
  readonly streams = new Map<string, FakeStream>();
  addresses: readonly string[] = ['10.0.0.1:2377'];
  heartbeatMs = 1_000;
  /** The store's revision, as told with assignments. */
  revision = 10;
  /** By how many revisions the manager's view, told with assignments, is behind the store. */
  behind = 0;
  /** What is said of the store beside its revision. */
  store: Omit<StoreFacts, 'revision'> = {
    id: 'etcd1',
    acceptedAt: '2026-01-01T00:00:00.000Z',
    remembers: 'unknown',
  };
  /** Openings fail with it. */
  openError: Error | undefined;
  /** Addresses of managers that advise to go on with another one. */
  readonly advisesToLeave = new Set<string>();
  /** The next reports fail with these, one each. */
  readonly reportErrors: Error[] = [];
  /** Tasks whose reports are refused. */
  readonly refuses = new Set<string>();
  used: readonly string[] = [];
  /** Address of the manager of each session, in their order. */
  readonly managersChosen: string[] = [];

  private readonly assignments = new Map<string, Assignment>();
  private readonly templates = new Map<string, RevisionTemplate>();
  private session: OpenSession | undefined;
  private opened = 0;

  // --- what tests say ---

  /** Assigns tasks, or changes them. */
  assign(template: RevisionTemplate, ...assignments: readonly Assignment[]): void {
    const templates: Record<string, RevisionTemplate> = {};
    for (const assignment of assignments) {
      this.assignments.set(assignment.taskId, assignment);
      this.templates.set(assignment.template, template);
      templates[assignment.template] = template;
    }
    this.change({ set: [...assignments], templates });
  }

  /** Tells the node to bring a task to another state. */
  desire(taskId: string, desiredState: Assignment['desiredState']): void {
    const before = this.assignments.get(taskId);
    if (!before) throw new Error(`no such task: ${taskId}`);
    const assignment = { ...before, desiredState };
    this.assignments.set(taskId, assignment);
    this.change({ set: [assignment] });
  }

  /** Takes tasks away from the node. */
  unassign(...taskIds: readonly string[]): void {
    for (const taskId of taskIds) this.assignments.delete(taskId);
    this.change({ removed: [...taskIds] });
  }

  /** Removes the node from the cluster. */
  removeNode(): void {
    this.openError = new NodeRemovedError('node was removed from the cluster', this.facts);
    this.endSession('node removed', true);
  }

  /** Ends the open session in good order. */
  endSession(reason: string, removed = false): void {
    this.send({ type: 'close', reason, removed });
    this.session = undefined;
  }

  /** Sends any message into the open session. */
  send(message: SessionMessage): void {
    this.session?.queue.push(message);
  }

  /** A message of changes is lost. */
  loseMessage(): void {
    if (this.session) this.session.sequence += 1;
  }

  /** The connection breaks. */
  cut(): void {
    this.session?.queue.fail(new UnavailableError('the connection was cut'));
    this.session = undefined;
  }

  get isConnected(): boolean {
    return this.session !== undefined;
  }

  get sessionsOpened(): number {
    return this.opened;
  }

  stateOf(taskId: string): TaskState | undefined {
    return this.reports.get(taskId)?.state;
  }

  // --- the port ---

  useManagers(managers: readonly string[]): void {
    this.used = managers;
  }

  openSession(
    request: SessionRequest,
    signal?: AbortSignal,
    { except }: SessionChoice = {},
  ): Promise<Session> {
    if (this.openError) return Promise.reject(this.openError);
    const address = this.addresses.find((each) => each !== except);
    if (address === undefined) return Promise.reject(new UnavailableError('no other manager'));
    // One that is left for another manager does not know it.
    if (except === undefined) {
      this.session?.queue.fail(new UnavailableError('replaced by a newer session'));
    }
    this.requests.push(request);
    this.opened += 1;
    this.managersChosen.push(address);
    const session: OpenSession = {
      id: `s${String(this.opened)}`,
      manager: address,
      queue: new MessageQueue(signal),
      sequence: 1,
    };
    this.session = session;
    session.queue.push({
      type: 'assignments',
      complete: true,
      sequence: session.sequence,
      revision: this.revision,
      set: [...this.assignments.values()],
      removed: [],
      templates: Object.fromEntries(this.templates),
    });
    return Promise.resolve(this.connection(session));
  }

  // --- inside ---

  private get facts(): StoreFacts {
    return { ...this.store, revision: this.revision + this.behind };
  }

  private connection(session: OpenSession): Session {
    return {
      manager: session.manager,
      opened: {
        type: 'open',
        sessionId: session.id,
        epoch: this.opened,
        heartbeatMs: this.heartbeatMs,
        managers: [...this.addresses],
        store: this.facts,
        ...FAKE_CLUSTER,
      },
      messages: session.queue,
      report: (report) => Promise.resolve().then(() => this.take(session, report)),
      pushStream: (streamId, lines, signal) => this.collect(streamId, lines, signal),
    };
  }

  private take(session: OpenSession, report: Omit<StatusReport, 'sessionId'>): StatusResponse {
    const error = this.reportErrors.shift();
    if (error) throw error;
    if (session !== this.session) throw new NotFoundError('no such session');
    this.batches.push(report);
    const refused: { taskId: string; reason: string }[] = [];
    for (const one of report.tasks) {
      if (this.refuses.has(one.taskId)) refused.push({ taskId: one.taskId, reason: 'backwards' });
      else this.reports.set(one.taskId, one.report);
      this.history.push(one);
    }
    return {
      heartbeatMs: this.heartbeatMs,
      refused,
      ...(this.advisesToLeave.has(session.manager) && { leave: true as const }),
    };
  }

  private async collect(
    streamId: string,
    lines: AsyncIterable<PushedLogLine>,
    signal?: AbortSignal,
  ): Promise<void> {
    const stream: FakeStream = { lines: [], done: false };
    this.streams.set(streamId, stream);
    try {
      for await (const line of lines) {
        signal?.throwIfAborted();
        stream.lines.push(line);
      }
    } finally {
      stream.done = true;
    }
  }

  private change(parts: {
    readonly set?: Assignment[];
    readonly removed?: string[];
    readonly templates?: Record<string, RevisionTemplate>;
  }): void {
    this.revision += 1;
    if (!this.session) return;
    this.session.sequence += 1;
    this.session.queue.push({
      type: 'assignments',
      complete: false,
      sequence: this.session.sequence,
      revision: this.revision,
      set: [],
      removed: [],
      templates: {},
      ...parts,
    });
  }
}

/** Messages of one session, to be read by one reader. */
class MessageQueue implements AsyncIterable<SessionMessage> {
  private readonly messages: SessionMessage[] = [];
  private failure: Error | undefined;
  private wake: (() => void) | undefined;

  constructor(private readonly signal: AbortSignal | undefined) {
    signal?.addEventListener('abort', () => {
      this.fail(abortReason(signal));
    });
  }

  push(message: SessionMessage): void {
    this.messages.push(message);
    this.wake?.();
  }

  fail(error: Error): void {
    this.failure ??= error;
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SessionMessage> {
    for (;;) {
      this.signal?.throwIfAborted();
      if (this.failure) throw this.failure;
      const message = this.messages.shift();
      if (message) yield message;
      else {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
    }
  }
}
