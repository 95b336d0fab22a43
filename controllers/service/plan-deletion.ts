import type { StoredServiceRevision } from '../../api/v1/index.js';
import type { TaskView } from '../../pkg/lifecycle/index.js';
import { remove, type ServiceChange } from './plan-changes.js';

/** All that is left of a service that goes. */
export interface Remains {
  readonly tasks: readonly TaskView[];
  readonly revisions: readonly StoredServiceRevision[];
}

/**
 * Lets every task go, then the revisions, then the service itself. Every step is found again from what is
 * left, so a crash at any point costs nothing.
 */
export function planDeletion({ tasks, revisions }: Remains): readonly ServiceChange[] {
  if (tasks.length > 0) return tasks.flatMap(remove);
  return [
    ...revisions.map((revision) => ({ kind: 'delete-revision', revision }) as const),
    { kind: 'delete-service' },
  ];
}
