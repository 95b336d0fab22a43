import type {
  Assignment,
  LogDriver,
  RevisionTemplate,
  SessionMessage,
  StoredTask,
} from '../../../api/v1/index.js';
import { clusterOf, revisionOf, type World } from '../../objects/index.js';

type AssignmentsMessage = Extract<SessionMessage, { type: 'assignments' }>;

/** Key of a template among those of a session. */
export const templateKey = ({ spec }: StoredTask): string =>
  `${spec.serviceUid}/${String(spec.revision)}`;

/**
 * What one session was told: the complete set first, then only what a node has to know of changes; each
 * template once.
 */
export class AssignmentFeed {
  /** Desired state as told last, by task: the only thing of an assignment that changes. */
  private readonly told = new Map<string, string>();
  private readonly templates = new Set<string>();
  private readonly missing = new Set<string>();
  /** The cluster's default that went into the templates. */
  private logDriver: LogDriver | undefined;
  private sequence = 0;

  constructor(
    private readonly world: World,
    private readonly nodeId: string,
  ) {}

  /** Tasks whose template was not there when they were told of. */
  get awaitingTemplates(): ReadonlySet<string> {
    return this.missing;
  }

  /**
   * Everything that is assigned now. `isAuthoritative` false means that something may be missing in it, so
   * that nothing may be removed for not being in it.
   */
  completeSet(isAuthoritative: boolean): AssignmentsMessage {
    this.told.clear();
    return this.message(this.world.tasks.byIndex('node', this.nodeId), [], isAuthoritative);
  }

  /** What the node has to know after changes of these tasks; undefined when that is nothing. */
  changes(taskIds: Iterable<string>): AssignmentsMessage | undefined {
    const changed: StoredTask[] = [];
    const removed: string[] = [];
    for (const id of taskIds) {
      const task = this.world.tasks.get(id);
      if (task?.spec.nodeId === this.nodeId) {
        if (this.isNews(task)) changed.push(task);
      } else if (this.told.has(id) && this.isGone(id)) removed.push(id);
    }
    if (changed.length + removed.length === 0) return undefined;
    return this.message(changed, removed, false);
  }

  private isNews({ metadata, spec }: StoredTask): boolean {
    return this.told.get(metadata.uid) !== spec.desiredState || this.missing.has(metadata.uid);
  }

  /** What cannot be read, or vanished with lost history, is not known to be gone: its container stays. */
  private isGone(taskId: string): boolean {
    return !this.world.tasks.isInvalid(taskId) && this.world.cache.historyBreak === undefined;
  }

  private message(
    tasks: readonly StoredTask[],
    removed: readonly string[],
    complete: boolean,
  ): AssignmentsMessage {
    for (const id of removed) this.forget(id);
    this.sequence += 1;
    const { revision, historyMark: mark } = this.world.cache;
    return {
      type: 'assignments',
      complete,
      sequence: this.sequence,
      revision,
      ...(mark && { mark }),
      templates: this.newTemplates(tasks),
      set: tasks.map((task) => this.tell(task)),
      removed: [...removed],
    };
  }

  private forget(taskId: string): void {
    this.told.delete(taskId);
    this.missing.delete(taskId);
  }

  private tell(task: StoredTask): Assignment {
    const { metadata, spec } = task;
    this.told.set(metadata.uid, spec.desiredState);
    return {
      taskId: metadata.uid,
      name: metadata.name,
      service: spec.service,
      serviceUid: spec.serviceUid,
      serviceLabels: { ...this.world.services.get(spec.service)?.metadata.labels },
      slot: spec.slot,
      desiredState: spec.desiredState,
      ...(spec.assignedResources && { assignedResources: spec.assignedResources }),
      template: templateKey(task),
    };
  }

  private newTemplates(tasks: readonly StoredTask[]): Record<string, RevisionTemplate> {
    const found: Record<string, RevisionTemplate> = {};
    this.followDefaults();
    for (const task of tasks) {
      const key = templateKey(task);
      const template = this.templates.has(key) ? undefined : this.templateOf(task);
      if (template) {
        found[key] = template;
        this.templates.add(key);
      }
      if (this.templates.has(key)) this.missing.delete(task.metadata.uid);
      else this.missing.add(task.metadata.uid);
    }
    return found;
  }

  /** A later service of the same name has revisions of the same numbers. */
  private templateOf(task: StoredTask): RevisionTemplate | undefined {
    const revision = revisionOf(this.world, task);
    if (revision?.serviceUid !== task.spec.serviceUid) return undefined;
    return withLogDriver(revision.template, this.logDriver);
  }

  /** After a change of the cluster's defaults templates are told again, for tasks that come from now on. */
  private followDefaults(): void {
    const current = clusterOf(this.world)?.spec.defaultLogDriver;
    if (current === this.logDriver) return;
    this.logDriver = current;
    this.templates.clear();
  }
}

/** Nodes know no cluster settings: the default goes into what they are told. */
function withLogDriver(
  template: RevisionTemplate,
  logDriver: LogDriver | undefined,
): RevisionTemplate {
  if (logDriver === undefined || template.task.logDriver !== undefined) return template;
  return { ...template, task: { ...template.task, logDriver } };
}

/** True when the cache can be trusted to know every task, so that what it does not know may go. */
export function isAuthoritative({ cache }: World, taskPrefix: string): boolean {
  if (cache.historyBreak !== undefined) return false;
  for (const key of cache.invalid.keys()) if (key.startsWith(taskPrefix)) return false;
  return true;
}
