import {
  isTerminal,
  observedState,
  type StoredCluster,
  type StoredManager,
  type StoredNode,
  type StoredNodeHealth,
  type StoredNodeStatus,
  type StoredService,
  type StoredServiceRevision,
  type StoredServiceStatus,
  type StoredTask,
  type StoredTaskStatus,
  type TaskState,
} from '../../../api/v1/index.js';
import { slotKey } from '../../../pkg/objects/index.js';
import { Folder } from '../../../pkg/store/index.js';
import type { Change } from '../../fakes/memory-etcd.js';

/** One key that changed, with what it held before. */
export interface KeyChange {
  readonly folder: string;
  /** Name within the folder. */
  readonly id: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** A leader as etcd has it: its create revision is the fence of its writes. */
export interface Leadership {
  readonly managerId: string;
  readonly epoch: number;
}

const ROOT = '/swarm/';

/** What etcd holds, decoded without any of the caches that are under test. */
export class Truth {
  leader: Leadership | undefined;
  cluster: StoredCluster | undefined;
  readonly services = new Map<string, StoredService>();
  readonly serviceStatuses = new Map<string, StoredServiceStatus>();
  readonly revisions = new Map<string, StoredServiceRevision>();
  readonly tasks = new Map<string, StoredTask>();
  readonly taskStatuses = new Map<string, StoredTaskStatus>();
  readonly nodes = new Map<string, StoredNode>();
  readonly nodeStatuses = new Map<string, StoredNodeStatus>();
  readonly nodeHealths = new Map<string, StoredNodeHealth>();
  readonly managers = new Map<string, StoredManager>();
  private readonly slots = new Map<string, Set<string>>();

  private readonly maps: Readonly<Record<string, Map<string, unknown>>> = {
    [Folder.services]: this.services,
    [Folder.serviceStatus]: this.serviceStatuses,
    [Folder.serviceRevisions]: this.revisions,
    [Folder.tasks]: this.tasks,
    [Folder.taskStatus]: this.taskStatuses,
    [Folder.nodes]: this.nodes,
    [Folder.nodeStatus]: this.nodeStatuses,
    [Folder.nodeHealth]: this.nodeHealths,
    [Folder.managers]: this.managers,
  };

  /** Follows etcd; returns what changed of the world (events are no part of it). */
  apply({ events, revision }: Change): readonly KeyChange[] {
    const changes: KeyChange[] = [];
    for (const event of events) {
      const key = event.kind === 'put' ? event.entry.key : event.key;
      if (!key.startsWith(ROOT)) continue;
      const after = event.kind === 'put' ? decoded(event.entry.value, revision) : undefined;
      changes.push(this.note(key.slice(ROOT.length), after, revision));
    }
    return changes;
  }

  /** Begins anew with what is left after a backup was restored. */
  reset(change: Change): void {
    for (const map of Object.values(this.maps)) map.clear();
    this.slots.clear();
    this.leader = undefined;
    this.apply(change);
  }

  tasksOfSlot(key: string): readonly StoredTask[] {
    return [...(this.slots.get(key) ?? [])].flatMap((id) => this.tasks.get(id) ?? []);
  }

  stateOf(task: StoredTask): TaskState {
    return observedState(task, this.taskStatuses.get(task.metadata.uid));
  }

  hasEnded(task: StoredTask): boolean {
    return isTerminal(this.stateOf(task));
  }

  /** The service that a task belongs to, if it is still that very one. */
  serviceOf({ spec }: StoredTask): StoredService | undefined {
    const service = this.services.get(spec.service);
    return service?.metadata.uid === spec.serviceUid ? service : undefined;
  }

  revisionOf({ spec }: StoredTask): StoredServiceRevision | undefined {
    const found = this.revisions.get(`${spec.service}/${String(spec.revision).padStart(8, '0')}`);
    return found?.serviceUid === spec.serviceUid ? found : undefined;
  }

  private note(path: string, after: unknown, revision: number): KeyChange {
    if (path === Folder.leader) return this.noteLeader(after, revision);
    if (path === Folder.cluster) {
      const before = this.cluster;
      this.cluster = after as StoredCluster | undefined;
      return { folder: path, id: '', before, after };
    }
    const at = path.indexOf('/');
    const [folder, id] = [path.slice(0, at), path.slice(at + 1)];
    const map = this.maps[folder];
    if (!map) return { folder, id, before: undefined, after };
    const before = map.get(id);
    if (after === undefined) map.delete(id);
    else map.set(id, after);
    if (folder === Folder.tasks) this.noteSlot(id, before as StoredTask, after as StoredTask);
    return { folder, id, before, after };
  }

  private noteLeader(after: unknown, revision: number): KeyChange {
    const before = this.leader;
    const { managerId } = (after ?? {}) as Partial<Leadership>;
    this.leader =
      managerId === undefined ? undefined : { managerId, epoch: before?.epoch ?? revision };
    return { folder: Folder.leader, id: '', before, after: this.leader };
  }

  private noteSlot(
    id: string,
    before: StoredTask | undefined,
    after: StoredTask | undefined,
  ): void {
    if (before) this.slots.get(slotKey(before.spec))?.delete(id);
    if (!after) return;
    const key = slotKey(after.spec);
    const members = this.slots.get(key) ?? new Set<string>();
    this.slots.set(key, members.add(id));
  }
}

function decoded(value: string, revision: number): unknown {
  const object = JSON.parse(value) as { metadata?: object; version?: number };
  if (object.metadata) return { ...object, metadata: { ...object.metadata, version: revision } };
  return { ...object, version: revision };
}
