import { canonicalText } from '../../../api/v1/index.js';

/** As much of a JSON schema as a merge has to know. */
interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  /** Only one of these members may be there, as in `mode`: naming one takes the others' place. */
  readonly oneOfMembers?: readonly string[];
}

/** What a merge starts from. */
export interface ThreeWay {
  /** What the last apply said and nobody has changed since. */
  readonly last: unknown;
  /** What is said now; null means "no value, whoever gave it one". */
  readonly wish: unknown;
  /** What there is. */
  readonly live: unknown;
  readonly schema: object;
}

/**
 * The live value as the wish wants it. Maps are merged field by field, everything else (lists, too) is replaced
 * whole. What the last apply said and the wish does not say any more is taken away, unless somebody else has
 * changed it since: it is theirs then. What the wish never said stays.
 */
export function mergeApplied({ last, wish, live, schema }: ThreeWay): unknown {
  if (!isMap(wish)) return wish;
  const node: SchemaNode = schema;
  const result = leftFrom(last, wish, live, node);
  for (const [key, value] of Object.entries(wish)) {
    const before = { last: memberOf(last, key), live: result.get(key) };
    const merged = mergeApplied({ ...before, wish: value, schema: childOf(node, key) });
    keep(result, key, value === null ? undefined : merged);
  }
  return mapOf(result);
}

/** What stays of the live fields before those of the wish are set. */
function leftFrom(
  last: unknown,
  wish: Record<string, unknown>,
  live: unknown,
  schema: SchemaNode,
): Map<string, unknown> {
  const left = new Map(isMap(live) ? Object.entries(live) : []);
  for (const [key, value] of Object.entries(isMap(last) ? last : {})) {
    if (Object.hasOwn(wish, key)) continue;
    keep(left, key, withoutOwned(value, left.get(key), childOf(schema, key)));
  }
  const { oneOfMembers = [] } = schema;
  const isOneNamed = oneOfMembers.some((key) => (memberOf(wish, key) ?? null) !== null);
  for (const key of isOneNamed ? oneOfMembers : []) {
    if (!Object.hasOwn(wish, key)) left.delete(key);
  }
  return left;
}

/**
 * The part of `owned` that `live` still says in the same meaning; undefined when that is nothing. What others
 * changed or removed is not the document's any more.
 */
export function stillOwned(owned: unknown, live: unknown, schema: object): unknown {
  if (!isMap(owned) || !isMap(live)) {
    return live !== undefined && meansTheSame(owned, live, schema) ? owned : undefined;
  }
  const names = Object.keys(owned);
  const parts = names.map((key): [string, unknown] => {
    const child = childOf(schema, key);
    return [key, stillOwned(owned[key], live[key], child)];
  });
  const kept = parts.filter(([, value]) => value !== undefined);
  return names.length > 0 && kept.length === 0 ? undefined : mapOf(new Map(kept));
}

/** A document without the fields that it gives no value. Lists are left as they are. */
export function withoutNulls(value: unknown): unknown {
  if (!isMap(value)) return value;
  const given = Object.entries(value).filter(([, part]) => part !== null);
  return mapOf(new Map(given.map(([key, part]) => [key, withoutNulls(part)])));
}

/** Takes what is owned out of what there is; undefined when nothing is left. */
function withoutOwned(owned: unknown, live: unknown, schema: SchemaNode): unknown {
  if (!isMap(owned) || !isMap(live)) return meansTheSame(owned, live, schema) ? undefined : live;
  const rest = new Map(Object.entries(live));
  for (const [key, value] of Object.entries(owned)) {
    keep(rest, key, withoutOwned(value, rest.get(key), childOf(schema, key)));
  }
  return rest.size === 0 ? undefined : mapOf(rest);
}

/** Maps that differ only in what is theirs by default are told apart by nobody. */
const meansTheSame = (a: unknown, b: unknown, schema: object) =>
  canonicalText(a, schema) === canonicalText(b, schema);

function childOf({ properties, patternProperties }: SchemaNode, key: string): SchemaNode {
  const named = Object.hasOwn(properties ?? {}, key) ? properties?.[key] : undefined;
  return named ?? Object.values(patternProperties ?? {})[0] ?? {};
}

const memberOf = (value: unknown, key: string): unknown =>
  isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;

function keep(map: Map<string, unknown>, key: string, value: unknown): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

/** A key such as `__proto__` is data like any other here. */
function mapOf(entries: ReadonlyMap<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(entries);
}

/** Whether a value has fields. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
