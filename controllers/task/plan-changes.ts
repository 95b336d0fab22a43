import type { PendingReason } from '../../api/v1/index.js';
import type { EndCause, TaskView } from '../../pkg/lifecycle/index.js';
import type { AssignedResources } from '../../pkg/scheduler/index.js';

/** The task that follows one that ended. Its id and its stamps are made when the change is applied. */
export interface Successor {
  readonly desiredState: 'ready' | 'running';
  /** Set when the start is held back; ISO 8601. */
  readonly startAt?: string | undefined;
  readonly restarts: number;
  readonly failures: number;
  /** See `Succession`. */
  readonly lastFailure?: string;
}

/** One step of tasks, applied whole or not at all. */
export type TaskChange =
  /** The task stops counting as live; with a successor, which comes into being in the same moment. */
  | {
      readonly kind: 'end-task';
      readonly task: TaskView;
      readonly cause: EndCause;
      readonly successor?: Successor | undefined;
    }
  /** A prepared task may start, to run for ever or to its end. */
  | {
      readonly kind: 'start-task';
      readonly task: TaskView;
      readonly desiredState: 'running' | 'complete';
      /** Tasks of its slot that run and that nobody has told to stop: when one of them is, it has to wait. */
      readonly beside: readonly TaskView[];
    }
  /** The task is to go for good. */
  | { readonly kind: 'remove-task'; readonly task: TaskView }
  /** Its node was removed from the cluster: nobody will ever say how it ended. */
  | { readonly kind: 'orphan-task'; readonly task: TaskView }
  /** Both records go. */
  | { readonly kind: 'delete-task'; readonly task: TaskView }
  /** A node was found, and on it the generic resources that the task reserves. */
  | {
      readonly kind: 'place-task';
      readonly task: TaskView;
      readonly nodeId: string;
      readonly resources?: AssignedResources;
    }
  /** No node was found, and the reason is new. */
  | {
      readonly kind: 'explain-task';
      readonly task: TaskView;
      readonly pending: PendingReason;
    };

/** Changes, and the instant (milliseconds since 1970) at which time alone may bring new ones. */
export interface TaskPlan {
  readonly changes: readonly TaskChange[];
  readonly lookAgainAt?: number | undefined;
}

/** The earlier of two instants, either of which may be missing. */
export function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}
