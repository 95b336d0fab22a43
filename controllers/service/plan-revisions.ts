import {
  CHANGE_CAUSE,
  effectiveRestartPolicy,
  minReadyMs,
  revisionTemplateOf,
  type EffectiveRestartPolicy,
  type StoredService,
  type StoredServiceRevision,
  type UpdateStatus,
} from '../../api/v1/index.js';
import { availableAtMs, type TaskView } from '../../pkg/lifecycle/index.js';
import type { ServiceChange } from './plan-changes.js';
import type { Goal } from './plan-current.js';
import type { Policies } from './plan-slots.js';

/** Revisions that no task uses and that are kept all the same, to look at and to go back to. */
const KEPT_REVISIONS = 10;

/** The revision that the spec asks for. */
export interface WantedRevision extends Goal {
  /** Empty when the revision is stored already. */
  readonly changes: readonly ServiceChange[];
  /** The spec has another template, which waits until the rollout is resumed. */
  readonly isHeld: boolean;
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
 * older revision gets a new number too: numbers tell the history. While the rollout is paused, changes of
 * the template gather.
 */
export function planWantedRevision(input: RevisionInput): WantedRevision {
  const { service, templateHash, revisions, freeRevision } = input;
  const newest = newestOf(revisions);
  const isStored = newest?.hash === templateHash;
  if (newest && (isStored || service.rollout?.paused === true)) {
    return { ...goalOf(newest), changes: [], isHeld: !isStored };
  }
  const revision = Math.max(freeRevision, (newest?.revision ?? 0) + 1);
  const template = revisionTemplateOf(service.spec);
  const cause = service.metadata.annotations?.[CHANGE_CAUSE];
  return {
    revision,
    hash: templateHash,
    template,
    changes: [{ kind: 'create-revision', revision, hash: templateHash, template, cause }],
    isHeld: false,
  };
}

/** A stored revision as something to bring tasks to. */
export function goalOf({ revision, hash, template }: Goal): Goal {
  return { revision, hash, template };
}

/**
 * The revision to go back to from `wanted`: the newest older one that was stable, else the one that the
 * update before wanted to go back to, else the newest older one. Undefined when all there is has its template.
 */
export function returnRevision(
  wanted: Goal,
  revisions: readonly StoredServiceRevision[],
  {
    stable,
    previous,
  }: { readonly stable: readonly number[]; readonly previous?: UpdateStatus | undefined },
): number | undefined {
  const candidates = revisions
    .filter(({ revision, hash }) => revision < wanted.revision && hash !== wanted.hash)
    .map(({ revision }) => revision)
    .sort((a, b) => b - a);
  const isCandidate = (revision: number | undefined): boolean =>
    revision !== undefined && candidates.includes(revision);
  return (
    candidates.find((revision) => stable.includes(revision)) ??
    [previous?.from].find(isCandidate) ??
    candidates[0]
  );
}

/** What trimming rests on. */
export interface TrimInput {
  readonly service: StoredService;
  readonly revisions: readonly StoredServiceRevision[];
  readonly tasks: readonly TaskView[];
  readonly wanted: number;
  readonly update: UpdateStatus | undefined;
  readonly stable: readonly number[];
}

/**
 * Deletes what no task uses beyond the newest of them that the service keeps; never the wanted revision or a
 * newer one, never one that an update comes from or goes to, never the last stable one.
 */
export function planRevisionTrim(input: TrimInput): readonly ServiceChange[] {
  const { service, revisions, wanted } = input;
  const limit = service.spec.revisionHistoryLimit ?? KEPT_REVISIONS;
  if (revisions.length <= limit + 1) return [];
  const needed = neededRevisions(input);
  return revisions
    .filter(({ revision }) => revision < wanted && !needed.has(revision))
    .sort((a, b) => b.revision - a.revision)
    .slice(limit)
    .map((revision) => ({ kind: 'delete-revision', revision }));
}

function neededRevisions({ tasks, update, stable }: TrimInput): ReadonlySet<number | undefined> {
  return new Set([
    ...tasks.map(({ task }) => task.spec.revision),
    update?.from,
    update?.to,
    ...(stable.length > 0 ? [Math.max(...stable)] : []),
  ]);
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

/** When tasks count as available, by the `minReady` of their own revision. */
export function availabilityOf(
  revisions: readonly StoredServiceRevision[],
): (view: TaskView) => number | undefined {
  const known = new Map(
    revisions.map(({ revision, template }) => [revision, minReadyMs(template)]),
  );
  return (view) => availableAtMs(view, known.get(view.task.spec.revision) ?? 0);
}

function newestOf(revisions: readonly StoredServiceRevision[]): StoredServiceRevision | undefined {
  return revisions.reduce<StoredServiceRevision | undefined>(
    (newest, revision) =>
      newest === undefined || revision.revision > newest.revision ? revision : newest,
    undefined,
  );
}
