import { canonicalText } from '../../../api/v1/index.js';
import { InvalidObjectError } from '../../base/index.js';
import type { MutableKind, StoredObject, Submitted } from './mutable-kind.js';

/**
 * The object after a change, or undefined when it means the same as before. Only a change of the spec
 * makes a new generation. Errors: InvalidObjectError for what may not change.
 */
export function changeOf(
  kind: MutableKind,
  before: StoredObject,
  { wish, now }: { readonly wish: Submitted; readonly now: string },
): StoredObject | undefined {
  requireAllowed(kind, before, wish);
  const spec = kind.normalise(wish.spec);
  const { labels = {}, annotations } = wish.metadata;
  const specChanged =
    canonicalText(spec, kind.specSchema) !== canonicalText(before.spec, kind.specSchema);
  const notesChanged =
    !sameMap(labels, before.metadata.labels) || !sameMap(annotations, before.metadata.annotations);
  if (!specChanged && !notesChanged) return undefined;
  const { annotations: _old, ...metadata } = before.metadata;
  return {
    ...before,
    metadata: {
      ...metadata,
      labels,
      ...(annotations && { annotations }),
      generation: metadata.generation + (specChanged ? 1 : 0),
      updatedAt: now,
    },
    // What means the same stays as it was written, or it would look changed to a reader.
    spec: specChanged ? spec : before.spec,
  };
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
