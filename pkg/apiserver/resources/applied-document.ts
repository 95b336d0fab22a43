import { Labels, canonicalText, type Applied } from '../../../api/v1/index.js';
import { isMap, mergeApplied, stillOwned, withoutNulls } from './three-way.js';
import type { MutableKind, StoredObject } from './mutable-kind.js';

/** The parts of an object that people write, beside each other. */
interface Parts {
  readonly labels?: unknown;
  readonly annotations?: unknown;
  readonly spec?: unknown;
}

/** What an applied document says, without the fields that it gives no value. Its shape is checked elsewhere. */
export function appliedPartOf(input: unknown): Applied {
  const { labels, annotations, spec } = partsOf(input);
  const given = { labels, annotations, spec };
  return Object.fromEntries(
    Object.entries(given)
      .filter(([, value]) => isMap(value))
      .map(([key, value]) => [key, withoutNulls(value)]),
  );
}

/**
 * The whole wish that an applied document means for an object: its own fields, those of others, and none of
 * what it said the last time and does not say any more. Whether that is valid is still to be checked.
 */
export function wishOf(
  kind: MutableKind,
  before: StoredObject | undefined,
  input: unknown,
): unknown {
  if (!isMap(input)) return input;
  const live = before && partsOf(before);
  const schema = schemaOf(kind);
  const wish = partsOf(input);
  const merged = mergeApplied({ last: before?.applied, wish, live, schema }) as Parts;
  const { metadata } = input;
  const notes = { labels: merged.labels, annotations: merged.annotations };
  const given = Object.entries(notes).filter(([, value]) => value !== undefined);
  const { labels: _labels, annotations: _annotations, ...rest } = isMap(metadata) ? metadata : {};
  return {
    ...input,
    ...(isMap(metadata) && { metadata: { ...rest, ...Object.fromEntries(given) } }),
    ...(merged.spec !== undefined && { spec: merged.spec }),
  };
}

/**
 * What of the last apply still belongs to its document after a write by others; empty, and still there, when that
 * is nothing: what once came from a document can be pruned.
 */
export function ownedAfter(kind: MutableKind, after: StoredObject): Applied | undefined {
  if (after.applied === undefined) return undefined;
  return stillOwned(after.applied, partsOf(after), schemaOf(kind)) ?? {};
}

/** Whether two documents own the same fields with the same meaning. */
export function ownsTheSame(
  kind: MutableKind,
  a: Applied | undefined,
  b: Applied | undefined,
): boolean {
  const schema = schemaOf(kind);
  return (
    (a === undefined) === (b === undefined) && canonicalText(a, schema) === canonicalText(b, schema)
  );
}

/** Whether a document names an annotation itself. */
export const namesAnnotation = (input: unknown, name: string): boolean => {
  const { annotations } = partsOf(input);
  return isMap(annotations) && typeof annotations[name] === 'string';
};

function partsOf(object: unknown): Parts {
  const { metadata, spec } = isMap(object) ? object : {};
  const { labels, annotations } = isMap(metadata) ? metadata : {};
  return {
    ...(labels !== undefined && { labels }),
    ...(annotations !== undefined && { annotations }),
    ...(spec !== undefined && { spec }),
  };
}

const schemaOf = ({ specSchema }: MutableKind) => ({
  properties: { labels: Labels, annotations: Labels, spec: specSchema },
});
