import { CHANGE_CAUSE, canonicalText, type Applied } from '../../../api/v1/index.js';
import { InvalidObjectError } from '../../base/index.js';
import { ownedAfter, ownsTheSame } from './applied-document.js';
import type { MutableKind, StoredObject, Submitted } from './mutable-kind.js';

/** What a write wants of an object that exists. */
export interface Change {
  readonly wish: Submitted;
  readonly now: string;
  /** Why, in a person's words. */
  readonly cause?: string | undefined;
  /** For an apply: what its document says. Without it, what others change is taken from the document. */
  readonly applied?: Applied;
  /** The document states the cause itself, even if it is that of the change before. */
  readonly statesCause?: boolean;
}

/** What a write makes of an object. */
export interface ChangedObject {
  readonly stored: StoredObject;
  /** False when it means the same as before and only belongs to another document now. */
  readonly isChanged: boolean;
}

/**
 * The object after a change, or undefined when there is nothing to write. Only a change of the spec
 * makes a new generation. Errors: InvalidObjectError for what may not change.
 */
export function changeOf(
  kind: MutableKind,
  before: StoredObject,
  change: Change,
): ChangedObject | undefined {
  const { wish, now } = change;
  requireAllowed(kind, before, wish);
  const spec = kind.normalise(wish.spec);
  const { labels = {}, annotations } = wish.metadata;
  const { specSchema } = kind;
  const specChanged = canonicalText(spec, specSchema) !== canonicalText(before.spec, specSchema);
  const notesChanged =
    !sameMap(labels, before.metadata.labels) || !sameMap(annotations, before.metadata.annotations);
  const isChanged = specChanged || notesChanged;
  const isNewTemplate = kind.templateText?.(spec) !== kind.templateText?.(before.spec);
  const written = isChanged ? writtenObject() : before;
  const applied = change.applied ?? ownedAfter(kind, written);
  if (!isChanged && ownsTheSame(kind, applied, before.applied)) return undefined;
  return { isChanged, stored: withApplied(written, applied) };

  function writtenObject(): StoredObject {
    const notes = withCause(annotations, before, { ...change, isNewTemplate });
    const { annotations: _old, ...metadata } = before.metadata;
    const stored = {
      ...before,
      metadata: {
        ...metadata,
        labels,
        ...(notes && { annotations: notes }),
        generation: metadata.generation + (specChanged ? 1 : 0),
        updatedAt: now,
      },
      // What means the same stays as it was written, or it would look changed to a reader.
      spec: specChanged ? spec : before.spec,
    };
    return isNewTemplate ? (kind.withNewTemplate?.(stored) ?? stored) : stored;
  }
}

function withApplied(stored: StoredObject, applied: Applied | undefined): StoredObject {
  const { applied: _old, ...object } = stored;
  return applied === undefined ? object : { ...object, applied };
}

type Annotations = Readonly<Record<string, string>> | undefined;

/** A new template has the cause that was given with it, and no longer that of the change before. */
function withCause(
  annotations: Annotations,
  before: StoredObject,
  {
    cause,
    statesCause = false,
    isNewTemplate,
  }: Pick<Change, 'cause' | 'statesCause'> & { readonly isNewTemplate: boolean },
): Annotations {
  if (cause !== undefined) return { ...annotations, [CHANGE_CAUSE]: cause };
  const { [CHANGE_CAUSE]: found, ...others } = annotations ?? {};
  const isOld = found !== undefined && found === before.metadata.annotations?.[CHANGE_CAUSE];
  if (!isOld || !isNewTemplate || statesCause) return annotations;
  return Object.keys(others).length === 0 ? undefined : others;
}

function requireAllowed(kind: MutableKind, before: StoredObject, wish: Submitted): void {
  const problems = [...nameProblems(before, wish), ...kind.changeProblems(before, wish.spec)];
  if (problems.length > 0) {
    throw new InvalidObjectError(`${describe(before)} cannot be changed like that`, problems);
  }
}

function nameProblems(before: StoredObject, wish: Submitted) {
  const { name } = before.metadata;
  if (wish.metadata.name === name) return [];
  const message = `found "${wish.metadata.name}", expected "${name}": a name cannot change`;
  return [{ path: 'metadata.name', message }];
}

function sameMap(
  a: Readonly<Record<string, string>> | undefined,
  b: Readonly<Record<string, string>> | undefined,
): boolean {
  const [left, right] = [a ?? {}, b ?? {}];
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => left[key] === right[key]);
}

/** Such as `service web`. */
export function describe(object: {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}): string {
  return `${object.kind.toLowerCase()} ${object.metadata.name}`;
}
