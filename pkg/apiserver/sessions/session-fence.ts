import type { StoredNodeStatus } from '../../../api/v1/index.js';
import { NodeRemovedError, NotFoundError } from '../../base/index.js';
import type { CollectionDefinition } from '../../informer/index.js';
import { atVersion, nodeStatuses, taskStatuses, tasks } from '../../objects/index.js';
import { decodeEntry, type Compare, type Keys, type Store } from '../../store/index.js';
import type { LiveSession } from './live-session.js';
import type { TaskFacts } from './report-rules.js';

/** What the fence works with. */
export interface SessionFenceOptions {
  readonly store: Pick<Store, 'get'>;
  readonly keys: Keys;
  /** The session's writes are refused from now on: another one has begun, or the node is gone. */
  readonly onFenced: (session: LiveSession, reason: 'replaced' | 'removed') => void;
}

/** Keeps sessions that are over from writing: every write is compared with the node-status of its epoch. */
export class SessionFence {
  constructor(private readonly options: SessionFenceOptions) {}

  /** What every transaction of the session must compare. */
  compare({ nodeId, version }: LiveSession): Compare {
    return atVersion(this.options.keys.nodeStatus(nodeId), version);
  }

  /**
   * After a lost compare: whether the session's epoch still stands in etcd. Learns the version when it
   * does; else notes in `failed` what to tell the node.
   */
  async holds(session: LiveSession, failed: Map<LiveSession, unknown>): Promise<boolean> {
    const { keys, onFenced } = this.options;
    let stored: StoredNodeStatus | undefined;
    try {
      stored = await this.read(keys.nodeStatus(session.nodeId), nodeStatuses);
    } catch (error) {
      failed.set(session, error);
      return false;
    }
    if (stored === undefined) {
      failed.set(session, new NodeRemovedError('node was removed from the cluster'));
      onFenced(session, 'removed');
      return false;
    }
    if (!isOf(session, stored)) {
      failed.set(session, new NotFoundError('the session was replaced by a newer one'));
      onFenced(session, 'replaced');
      return false;
    }
    session.version = stored.version;
    return true;
  }

  /** What etcd holds of a task now. */
  async storedFacts(taskId: string): Promise<TaskFacts> {
    const { keys } = this.options;
    const [task, status] = await Promise.all([
      this.read(keys.task(taskId), tasks),
      this.read(keys.taskStatus(taskId), taskStatuses),
    ]);
    return { task, status };
  }

  /** Reads past the cache. Errors: UnavailableError, InvalidObjectError. */
  async read<T>(key: string, definition: CollectionDefinition<T>): Promise<T | undefined> {
    const entry = await this.options.store.get(key);
    if (!entry) return undefined;
    const { modRevision, createRevision } = entry;
    return definition.decode(decodeEntry(entry).value, { key, modRevision, createRevision });
  }
}

/** Whether a stored node status is that of this very session. */
export function isOf({ epoch, status }: LiveSession, stored: StoredNodeStatus): boolean {
  return stored.session.epoch === epoch && stored.session.managerId === status.session.managerId;
}
