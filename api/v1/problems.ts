import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { Settings } from 'typebox/system';

/** One thing wrong with an object: where, what was found and what is allowed. */
export interface Problem {
  /** Such as `spec.task.container.mounts[0].target`; empty for the whole object. */
  readonly path: string;
  readonly message: string;
}

/** People mend several mistakes at once, so we collect them; bounded, as input is not ours. */
Settings.Set({ maxErrors: 200 });

type Validation = ReturnType<Validator['Errors']>[number];
interface SchemaNode {
  readonly [keyword: string]: unknown;
  readonly type?: string;
  readonly expected?: string;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
}

/** A compiled schema with error messages for people. */
export interface Codec<T> {
  check(value: unknown): value is T;
  problems(value: unknown): readonly Problem[];
}

/** Compiles `schema` once; compiling is dear, checking is cheap. */
export function codec<T>(schema: TSchema): Codec<T> {
  let compiled: Validator | undefined;
  const validator = () => (compiled ??= Compile(schema));
  return {
    check: (value): value is T => validator().Check(value),
    problems: (value) =>
      validator().Check(value)
        ? []
        : readable(schema as SchemaNode, value, validator().Errors(value)),
  };
}

/** The path of a field below `parent`: `a.b`, `a[0]`, `a["odd key"]`. */
export function fieldPath(parent: string, key: string | number): string {
  if (typeof key === 'number' || /^\d+$/.test(key)) return `${parent}[${String(key)}]`;
  if (!/^[A-Za-z_][\w-]*$/.test(key)) return `${parent}[${JSON.stringify(key)}]`;
  return parent === '' ? key : `${parent}.${key}`;
}

/** What was found, short enough for one line. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${String(value.length)}`;
  if (typeof value === 'object' && value !== null) return 'a map';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}

function readable(
  schema: SchemaNode,
  root: unknown,
  errors: readonly Validation[],
): readonly Problem[] {
  const byPath = new Map<string, Problem>();
  for (const error of errors) {
    for (const problem of problemsOf(schema, root, error)) {
      if (!byPath.has(problem.path)) byPath.set(problem.path, problem);
    }
  }
  return [...byPath.values()];
}

function problemsOf(schema: SchemaNode, root: unknown, error: Validation): readonly Problem[] {
  const segments = pointerSegments(error.instancePath);
  const at = locate(schema, root, segments);
  switch (error.keyword) {
    case 'required':
      return stringsOf(error.params, 'requiredProperties')
        .filter((name) => !hasKey(at.value, name))
        .map((name) => ({
          path: fieldPath(at.path, name),
          message: `is required${expectation(at.schema?.properties?.[name], ': ')}`,
        }));
    case 'additionalProperties':
      return stringsOf(error.params, 'additionalProperties').map((name) => ({
        path: fieldPath(at.path, name),
        message: unknownField(name, Object.keys(at.schema?.properties ?? {})),
      }));
    case 'boolean': // the schema `false` of an additional property: told by `additionalProperties`
      return [];
    default:
      return [
        {
          path: at.path,
          message: `found ${describeValue(at.value)}, expected ${expectation(at.schema) || error.message}`,
        },
      ];
  }
}

interface Located {
  readonly path: string;
  readonly value: unknown;
  readonly schema: SchemaNode | undefined;
}

function locate(schema: SchemaNode, root: unknown, segments: readonly string[]): Located {
  let at: Located = { path: '', value: root, schema };
  for (const segment of segments) {
    const value = (at.value as Record<string, unknown> | undefined)?.[segment];
    at = { path: fieldPath(at.path, segment), value, schema: childSchema(at.schema, segment) };
  }
  return at;
}

function childSchema(schema: SchemaNode | undefined, key: string): SchemaNode | undefined {
  if (schema?.items) return schema.items;
  return schema?.properties?.[key] ?? Object.values(schema?.patternProperties ?? {})[0];
}

/** What a field allows, in words. */
function expectation(schema: SchemaNode | undefined, prefix = ''): string {
  const text = schema && wordsFor(schema);
  return text ? `${prefix}${text}` : '';
}

function wordsFor(schema: SchemaNode): string {
  if (schema.expected) return schema.expected;
  if (schema.enum) return `one of ${schema.enum.map((value) => String(value)).join(', ')}`;
  if (schema['const'] !== undefined) return JSON.stringify(schema['const']);
  switch (schema.type) {
    case 'integer':
    case 'number':
      return numberWords(schema);
    case 'boolean':
      return 'true or false';
    case 'array':
      return 'a list';
    case 'object':
      return 'a map';
    case 'string':
      return schema['minLength'] === 1 ? 'text that is not empty' : 'text';
    default:
      return '';
  }
}

function numberWords(schema: SchemaNode): string {
  const noun = schema.type === 'integer' ? 'a whole number' : 'a number';
  const { minimum, maximum } = schema as { minimum?: number; maximum?: number };
  if (minimum !== undefined && maximum !== undefined) {
    return `${noun} from ${String(minimum)} to ${String(maximum)}`;
  }
  if (minimum !== undefined) return `${noun} of at least ${String(minimum)}`;
  return maximum === undefined ? noun : `${noun} of at most ${String(maximum)}`;
}

/** Names the allowed fields and, when one is close, the likely one. */
export function unknownField(name: string, allowed: readonly string[]): string {
  const near = nearest(name, allowed);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return `unknown field${hint} Allowed: ${[...allowed].sort().join(', ')}`.replace(
    'field Allowed',
    'field; allowed',
  );
}

/** The word of `words` that is within two edits of `word` (letter case aside), the nearest first. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const scored = words
    .map((candidate) => ({
      candidate,
      edits: editDistance(word.toLowerCase(), candidate.toLowerCase()),
    }))
    .sort((a, b) => a.edits - b.edits);
  const best = scored[0];
  return best && best.edits <= Math.min(2, word.length - 1) ? best.candidate : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function pointerSegments(pointer: string): readonly string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function stringsOf(params: unknown, name: string): readonly string[] {
  const value = (params as Record<string, unknown>)[name];
  return Array.isArray(value) ? value.map(String) : [];
}

function hasKey(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && key in value;
}
