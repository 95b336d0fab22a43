import type { SessionMessage, StoredNodeStatus } from '../../../api/v1/index.js';
import type { World } from '../../objects/index.js';
import type { NdjsonStream } from '../http/ndjson-stream.js';
import { AssignmentFeed } from './assignments.js';

/** What the manager stores of a node's session, without its version. */
export type NodeStatusValue = Omit<StoredNodeStatus, 'version'>;

/** What a session needs of the stream to its node. */
export type SessionStream = Pick<NdjsonStream, 'signal' | 'isFull' | 'send' | 'drained' | 'end'>;

/** How a session came to be. */
export interface LiveSessionOptions {
  readonly id: string;
  readonly status: NodeStatusValue;
  /** Version of node-status that this session wrote: the fence of all its writes. */
  readonly version: number;
  readonly stream: SessionStream;
  readonly world: World;
  readonly nowMs: number;
}

/** One session of one node, held by this manager. */
export class LiveSession {
  readonly id: string;
  readonly nodeId: string;
  readonly epoch: number;
  readonly feed: AssignmentFeed;
  /** Changes with every write of ours. */
  version: number;
  /** What is stored, or about to be. */
  status: NodeStatusValue;
  /** What is stored for sure: a write may fail. */
  storedStatus: NodeStatusValue;
  /** Monotonic. */
  lastSeenMs: number;
  /** When the stream broke; the node has one heartbeat to come back. */
  streamLostAtMs: number | undefined;
  /** The addresses of all managers, as the node was told them last; joined with commas. */
  toldManagers = '';
  private closed = false;
  private readonly stream: SessionStream;

  constructor({ id, status, version, stream, world, nowMs }: LiveSessionOptions) {
    this.id = id;
    this.nodeId = status.nodeId;
    this.epoch = status.session.epoch;
    this.status = status;
    this.storedStatus = status;
    this.version = version;
    this.stream = stream;
    this.lastSeenMs = nowMs;
    this.feed = new AssignmentFeed(world, status.nodeId);
  }

  /** True once nothing of this session is accepted any more. */
  get isClosed(): boolean {
    return this.closed;
  }

  /** Aborts when the stream ends; the session may live on for a moment. */
  get streamSignal(): AbortSignal {
    return this.stream.signal;
  }

  /** Tells the node something; a node that does not read is cut off. */
  send(message: SessionMessage): void {
    this.stream.send(message);
    if (this.stream.isFull) void this.stream.drained().catch(() => undefined); // it is cut then
  }

  /** Ends the session on our side. */
  close(reason: string, removed = false): void {
    if (this.closed) return;
    this.closed = true;
    this.stream.end({ type: 'close', reason, removed } satisfies SessionMessage);
  }
}
