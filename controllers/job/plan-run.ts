import {
  revisionTemplateOf,
  type StoredService,
  type StoredServiceRevision,
} from '../../api/v1/index.js';
import type { TaskView } from '../../pkg/lifecycle/index.js';
import type { JobChange } from './plan-changes.js';

/** Revisions of earlier runs that are kept though no task is left of them, unless the spec says otherwise. */
const KEPT_REVISIONS = 10;

/** The run that the spec asks for. */
export interface Run {
  /** Its service revision. */
  readonly iteration: number;
  /** ISO 8601: when its revision was made. */
  readonly startedAt: string;
  /** Empty when it has begun already. */
  readonly changes: readonly JobChange[];
}

/** What the choice of a run rests on. */
export interface RunInput {
  readonly service: StoredService;
  /** Of the template in the spec. */
  readonly templateHash: string;
  readonly revisions: readonly StoredServiceRevision[];
  /** The first number from the newest revision's on that is free in the store. */
  readonly freeRevision: number;
  /** ISO 8601. */
  readonly now: string;
}

/**
 * A run is a service revision: a template that is not the newest revision's begins another, and nothing else
 * does. To run it again as it is, `forceUpdate` in the template is counted up.
 */
export function planRun({ service, templateHash, revisions, freeRevision, now }: RunInput): Run {
  const newest = revisions.reduce<StoredServiceRevision | undefined>(
    (found, each) => (found && found.revision > each.revision ? found : each),
    undefined,
  );
  if (newest?.hash === templateHash) {
    return { iteration: newest.revision, startedAt: newest.createdAt, changes: [] };
  }
  const iteration = Math.max(freeRevision, (newest?.revision ?? 0) + 1);
  const template = revisionTemplateOf(service.spec);
  return {
    iteration,
    startedAt: now,
    changes: [{ kind: 'create-revision', revision: iteration, hash: templateHash, template }],
  };
}

/** Deletes revisions of earlier runs of which no task is left, but for the newest of them. */
export function planRevisionTrim(
  { service, revisions }: Pick<RunInput, 'service' | 'revisions'>,
  tasks: readonly TaskView[],
  iteration: number,
): readonly JobChange[] {
  const limit = service.spec.revisionHistoryLimit ?? KEPT_REVISIONS;
  if (revisions.length <= limit + 1) return [];
  const used = new Set(tasks.map(({ task }) => task.spec.revision));
  return revisions
    .filter(({ revision }) => revision < iteration && !used.has(revision))
    .sort((a, b) => b.revision - a.revision)
    .slice(limit)
    .map((revision) => ({ kind: 'delete-revision', revision }));
}
