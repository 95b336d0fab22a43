import type { StoredNodeStatus, StoredTaskStatus } from '../../../api/v1/index.js';
import { Folder, type Compare, type Operation } from '../../../pkg/store/index.js';
import type { Committed } from '../etcd/sim-etcd.js';
import type { KeyChange, Truth } from './truth.js';
import type { Verdicts } from './verdicts.js';

const LEADER_KEY = '/swarm/leader';
const ROOT = '/swarm/';

/** Folders that nobody but the leader writes. */
const LEADERS_OWN: ReadonlySet<string> = new Set([
  Folder.serviceStatus,
  Folder.serviceRevisions,
  Folder.tasks,
]);

/** Who may write what, and with which guard (DESIGN 5). */
export class WriterRules {
  constructor(
    private readonly truth: Truth,
    private readonly verdicts: Verdicts,
  ) {}

  /** Before the truth has followed. */
  committed({ writer, txn }: Committed): void {
    const fence = txn.compare.find(({ key }) => key === LEADER_KEY);
    const isElection = txn.operations.some(({ key }) => key === LEADER_KEY);
    if (fence && !isElection) this.checkFence(writer, fence);
    if (fence) return;
    for (const operation of txn.operations) this.checkUnfenced(writer, operation, txn.compare);
  }

  /** After the truth has followed. */
  changed(changes: readonly KeyChange[]): void {
    for (const { folder, id, before, after } of changes) {
      if (folder !== Folder.nodeStatus || !before || !after) continue;
      this.checkSession(id, before as StoredNodeStatus, after as StoredNodeStatus);
    }
  }

  /** A fence that held in etcd is the present leader's; whoever wrote with it must be that leader. */
  private checkFence(writer: string, fence: Compare): void {
    const { leader } = this.truth;
    const epoch = 'createRevision' in fence ? fence.createRevision : 0;
    if (leader?.epoch === epoch && writer.startsWith(`${leader.managerId}.`)) return;
    this.verdicts.broken(
      'fenced',
      `${writer} wrote with epoch ${epoch}; the leader is ${leader?.managerId ?? 'nobody'} with ${leader?.epoch ?? 0}`,
    );
  }

  private checkUnfenced(writer: string, operation: Operation, compare: readonly Compare[]): void {
    const path = operation.key.startsWith(ROOT) ? operation.key.slice(ROOT.length) : '';
    const folder = path.slice(0, Math.max(0, path.indexOf('/')));
    const isVerdict = folder === Folder.nodeHealth && operation.kind === 'put';
    const isLeaders = LEADERS_OWN.has(folder) || isVerdict;
    const isDeletedReport = folder === Folder.taskStatus && operation.kind === 'delete';
    if (isLeaders || isDeletedReport) {
      this.verdicts.broken('fenced', `${writer} wrote ${operation.key} without the fence`);
    } else if (folder === Folder.taskStatus && operation.kind === 'put') {
      this.checkReport(writer, operation.value as StoredTaskStatus, compare);
    }
  }

  private checkReport(writer: string, report: StoredTaskStatus, compare: readonly Compare[]): void {
    const { taskId, nodeId, epoch } = report;
    const session = this.truth.nodeStatuses.get(nodeId)?.session;
    const key = `${ROOT}${Folder.nodeStatus}/${nodeId}`;
    const isCompared = compare.some((each) => each.key === key && 'modRevision' in each);
    const isHolder = session !== undefined && writer.startsWith(`${session.managerId}.`);
    if (!isCompared || !isHolder || session.epoch !== epoch) {
      const newest = session ? `${session.epoch} at ${session.managerId}` : 'none';
      this.verdicts.broken(
        'session-fence',
        `${writer} stored a report of ${nodeId} under epoch ${epoch}; newest is ${newest}`,
      );
    }
    const task = this.truth.tasks.get(taskId);
    if (task && task.spec.nodeId !== nodeId) {
      const where = task.spec.nodeId ?? 'no node';
      this.verdicts.broken('session-fence', `${nodeId} reported ${taskId}, which is on ${where}`);
    }
  }

  private checkSession(id: string, before: StoredNodeStatus, after: StoredNodeStatus): void {
    const [old, now] = [before.session, after.session];
    if (now.epoch < old.epoch) {
      this.verdicts.broken('session-fence', `${id}: epoch ${old.epoch} became ${now.epoch}`);
    }
    if (now.epoch === old.epoch && now.managerId !== old.managerId) {
      this.verdicts.broken('session-fence', `${id}: two managers hold epoch ${now.epoch}`);
    }
  }
}
