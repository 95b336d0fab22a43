import type { RevisionTemplate, StoredServiceRevision } from '../../api/v1/index.js';
import type { TaskView } from '../../pkg/lifecycle/index.js';

/** A new task. Its id and its stamps are made when the change is applied. */
export interface NewTask {
  /** From 1; 0 for a global job. */
  readonly slot: number;
  readonly forNode?: string | undefined;
  readonly revision: number;
  /** `ready`: it is prepared, and started when it may. */
  readonly desiredState: 'ready' | 'complete';
  /** Set when the start is held back; ISO 8601. */
  readonly startAt?: string | undefined;
  /** Failures of the slot in this run before it. */
  readonly restarts: number;
  readonly failures: number;
  /** See `Succession`. */
  readonly lastFailure?: string;
  /** ISO 8601. Undefined: since its own creation. */
  readonly tryingSince?: string | undefined;
}

/** One step of a job. Each is applied whole or not at all. */
export type JobChange =
  /** Begins a run. */
  | {
      readonly kind: 'create-revision';
      readonly revision: number;
      readonly hash: string;
      readonly template: RevisionTemplate;
    }
  /** Fills a slot. The task that is tried again stops counting as wanted in the same moment. */
  | {
      readonly kind: 'create-task';
      readonly task: NewTask;
      readonly after?: TaskView | undefined;
    }
  | {
      readonly kind: 'set-desired-state';
      readonly task: TaskView;
      readonly desiredState: 'shutdown' | 'remove';
    }
  | { readonly kind: 'delete-revision'; readonly revision: StoredServiceRevision }
  /** Its time after the end of its run is over: the service is to be deleted. */
  | { readonly kind: 'expire-service' }
  /** Nothing of the service is left but its own keys. */
  | { readonly kind: 'delete-service' };

/** Tells a task to stop, or that it is not wanted any more; nothing when it was told already. */
export function stop(task: TaskView): readonly JobChange[] {
  const { desiredState } = task.task.spec;
  if (desiredState === 'shutdown' || desiredState === 'remove') return [];
  return [{ kind: 'set-desired-state', task, desiredState: 'shutdown' }];
}

/** Lets a task go for good; nothing when it goes already. */
export function remove(task: TaskView): readonly JobChange[] {
  if (task.task.spec.desiredState === 'remove') return [];
  return [{ kind: 'set-desired-state', task, desiredState: 'remove' }];
}
