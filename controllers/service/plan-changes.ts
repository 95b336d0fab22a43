import type { RevisionTemplate, StoredServiceRevision } from '../../api/v1/index.js';
import type { TaskView } from '../../pkg/lifecycle/index.js';

/** A new task. Its id and its stamps are made when the change is applied. */
export interface NewTask {
  readonly slot: number;
  readonly forNode?: string | undefined;
  readonly revision: number;
  /** `ready`: it is prepared, and started when what it takes the place of has stopped. */
  readonly desiredState: 'ready' | 'running';
  /** Id of the task whose place an update gives it. */
  readonly updates?: string | undefined;
  /** The latest update of the service. */
  readonly attempt?: number | undefined;
  /** Id of the task whose place it takes because that has to leave its node. */
  readonly moves?: string | undefined;
  /** What it inherits from a try before it that failed, or from the task that it moves. */
  readonly retry?: Retry | undefined;
}

/** The counters of a new try, and when it may start. */
export interface Retry {
  readonly restarts: number;
  readonly failures: number;
  readonly lastFailure?: string;
  /** ISO 8601; missing: at once. */
  readonly startAt?: string;
}

/** One step of a service towards its spec. Each is applied whole or not at all. */
export type ServiceChange =
  | {
      readonly kind: 'create-revision';
      readonly revision: number;
      readonly hash: string;
      readonly template: RevisionTemplate;
      /** Why, in a person's words. */
      readonly cause?: string | undefined;
    }
  | { readonly kind: 'create-task'; readonly task: NewTask }
  /** Stops live tasks of a slot, maybe none, and creates their successor: never one without the other. */
  | {
      readonly kind: 'replace-task';
      readonly stopped: readonly TaskView[];
      readonly task: NewTask;
    }
  /** As `replace-task`, of a task that has to leave its node; rests on what is known of that node. */
  | {
      readonly kind: 'move-task';
      readonly from: TaskView;
      readonly why: 'node-drained' | 'node-lost';
      /** Of the record that says why: the node's own, or the verdict on it. */
      readonly nodeVersion: number;
      readonly stopped: readonly TaskView[];
      readonly task: NewTask;
    }
  | {
      readonly kind: 'set-desired-state';
      readonly task: TaskView;
      readonly desiredState: 'shutdown' | 'remove';
    }
  | { readonly kind: 'delete-revision'; readonly revision: StoredServiceRevision }
  /** Nothing of the service is left but its own keys. */
  | { readonly kind: 'delete-service' };

/** Tells a task to stop; nothing when it was told already. */
export function stop(task: TaskView): readonly ServiceChange[] {
  const { desiredState } = task.task.spec;
  if (desiredState === 'shutdown' || desiredState === 'remove') return [];
  return [{ kind: 'set-desired-state', task, desiredState: 'shutdown' }];
}

/** Lets a task go for good; nothing when it goes already. */
export function remove(task: TaskView): readonly ServiceChange[] {
  if (task.task.spec.desiredState === 'remove') return [];
  return [{ kind: 'set-desired-state', task, desiredState: 'remove' }];
}
