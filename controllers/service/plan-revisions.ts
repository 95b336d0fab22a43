import {
  effectiveRestartPolicy,
  revisionTemplateOf,
  type EffectiveRestartPolicy,
  type StoredService,
  type StoredServiceRevision,
} from '../../api/v1/index.js';
import type { TaskView } from '../../pkg/lifecycle/index.js';
import type { ServiceChange } from './plan-changes.js';
import type { Policies } from './plan-slots.js';

/** Revisions that no task uses and that are kept all the same, to look at and to go back to. */
const KEPT_REVISIONS = 10;

/** The revision that the spec asks for. */
export interface TargetRevision {
  readonly revision: number;
  /** Empty when the revision is stored already. */
  readonly changes: readonly ServiceChange[];
}

/** What the choice of a revision rests on. */
export interface RevisionInput {
  readonly service: StoredService;
  /** Of the template in the spec. */
  readonly templateHash: string;
  readonly revisions: readonly StoredServiceRevision[];
  /** The first number from the newest revision's on that is free in the store. */
  readonly freeRevision: number;
}

/**
 * The newest revision when its template is the spec's, else a new one. A template that returns to that of an
 * older revision gets a new number too: numbers tell the history.
 */
export function planTargetRevision({
  service,
  templateHash,
  revisions,
  freeRevision,
}: RevisionInput): TargetRevision {
  const newest = newestOf(revisions);
  if (newest?.hash === templateHash) return { revision: newest.revision, changes: [] };
  const revision = Math.max(freeRevision, (newest?.revision ?? 0) + 1);
  const template = revisionTemplateOf(service.spec);
  return {
    revision,
    changes: [{ kind: 'create-revision', revision, hash: templateHash, template }],
  };
}

/** Deletes what no task uses beyond the {@link KEPT_REVISIONS} newest; never the target or a newer one. */
export function planRevisionTrim(
  revisions: readonly StoredServiceRevision[],
  tasks: readonly TaskView[],
  target: number,
): readonly ServiceChange[] {
  if (revisions.length <= KEPT_REVISIONS + 1) return [];
  const used = new Set(tasks.map(({ task }) => task.spec.revision));
  return revisions
    .filter(({ revision }) => revision < target && !used.has(revision))
    .sort((a, b) => b.revision - a.revision)
    .slice(KEPT_REVISIONS)
    .map((revision) => ({ kind: 'delete-revision', revision }));
}

/** Reads restart policies by revision; a revision that is gone has the default policy. */
export function policiesOf(revisions: readonly StoredServiceRevision[]): Policies {
  const known = new Map(
    revisions.map(({ revision, template }) => [revision, effectiveRestartPolicy(template)]),
  );
  return (revision) => known.get(revision) ?? DEFAULT_POLICY;
}

const DEFAULT_POLICY: EffectiveRestartPolicy = effectiveRestartPolicy({
  task: { container: { image: 'none' } },
});

function newestOf(revisions: readonly StoredServiceRevision[]): StoredServiceRevision | undefined {
  return revisions.reduce<StoredServiceRevision | undefined>(
    (newest, revision) =>
      newest === undefined || revision.revision > newest.revision ? revision : newest,
    undefined,
  );
}
