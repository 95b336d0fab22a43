import { KINDS, nearest, type KindDescription } from '../../../api/v1/index.js';
import { UsageError } from '../exit-code.js';
import { requireKind } from './target.js';

/** What of a JSON schema explains a field. */
export interface FieldSchema {
  readonly [keyword: string]: unknown;
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly expected?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly patternProperties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly items?: FieldSchema;
  readonly anyOf?: readonly FieldSchema[];
}

/** A field and where it is. */
export interface FoundField {
  readonly kind: KindDescription;
  /** `spec.task`; empty for the object. */
  readonly path: string;
  readonly schema: FieldSchema;
  readonly isRequired: boolean;
}

/** The field at `service.spec.task`. Errors: UsageError that suggests a field. */
export function findField(text: string): FoundField {
  const [kindName = '', ...keys] = text.replaceAll('[]', '').split('.').filter(Boolean);
  const kind = requireKind(kindName);
  let found: FoundField = {
    kind,
    path: '',
    schema: kind.schema as FieldSchema,
    isRequired: true,
  };
  for (const key of keys) found = fieldBelow(found, key);
  return found;
}

function fieldBelow({ kind, path, schema }: FoundField, key: string): FoundField {
  const parent = container(schema);
  const below = parent.properties?.[key] ?? anyValue(parent);
  const at = path === '' ? key : `${path}.${key}`;
  if (below === undefined)
    throw unknownField({ kind, path, schema: parent, isRequired: true }, key);
  return { kind, path: at, schema: below, isRequired: parent.required?.includes(key) ?? false };
}

function unknownField({ kind, path, schema }: FoundField, key: string): UsageError {
  const known = Object.keys(schema.properties ?? {});
  const place = path === '' ? kind.singular : `${kind.singular}.${path}`;
  if (known.length === 0) return new UsageError(`${place} has no fields`);
  const near = nearest(key, known);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return new UsageError(`${place} has no field "${key}"${hint}`, `Fields: ${known.join(', ')}.`);
}

/** Lists stand for their items. */
export function container(schema: FieldSchema): FieldSchema {
  return schema.items === undefined ? schema : container(schema.items);
}

/** What the values of a map of free keys are. */
function anyValue(schema: FieldSchema): FieldSchema | undefined {
  return Object.values(schema.patternProperties ?? {})[0];
}

/** A field's fields. */
export function fieldsOf(
  schema: FieldSchema,
): readonly (readonly [string, FieldSchema, boolean])[] {
  const { properties = {}, required = [] } = container(schema);
  return Object.entries(properties).map(([name, field]) => [name, field, required.includes(name)]);
}

/** The type in a word: `duration`, `[]object`, `map of string`. */
export function typeWords(schema: FieldSchema): string {
  if (schema.items !== undefined) return `[]${typeWords(schema.items)}`;
  const quantity = QUANTITIES.find(([words]) => schema.expected?.startsWith(words));
  if (quantity) return quantity[1];
  const values = anyValue(schema);
  if (values !== undefined && schema.properties === undefined) return `map of ${typeWords(values)}`;
  if (schema.enum !== undefined || typeof schema.const === 'string') return 'string';
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeWords))].join(' or ');
  return schema.type ?? 'any';
}

const QUANTITIES: readonly (readonly [string, string])[] = [
  ['a duration', 'duration'],
  ['a size', 'size'],
  ['a number of CPUs', 'cpus'],
];

/** What values are allowed, when that is not clear from the type. */
export function allowedWords(schema: FieldSchema): string | undefined {
  if (schema.enum !== undefined) return schema.enum.map(String).join(', ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.expected !== undefined) return schema.expected;
  const { minimum, maximum } = schema as { minimum?: number; maximum?: number };
  if (minimum !== undefined && maximum !== undefined) {
    return `${String(minimum)} to ${String(maximum)}`;
  }
  if (minimum !== undefined) return `at least ${String(minimum)}`;
  return maximum === undefined ? undefined : `at most ${String(maximum)}`;
}

/** Words that may follow `text` in a path of `explain`, for completion. */
export function pathsAfter(text: string): readonly string[] {
  const dot = text.lastIndexOf('.');
  if (dot < 0) return KINDS.map(({ singular }) => singular);
  const parent = text.slice(0, dot);
  return fieldsOf(findField(parent).schema).map(([name]) => `${parent}.${name}`);
}
