import { UsageError } from '../exit-code.js';

/** A template that was read; gives the text of one row. */
export type Template = (row: object) => string;

/** Calls `{{fn .Field}}` and `{{.Field | fn}}` may use. */
const FUNCTIONS: Readonly<Record<string, (value: unknown) => string>> = {
  json: (value) => JSON.stringify(value),
  lower: (value) => textOf(value).toLowerCase(),
  upper: (value) => textOf(value).toUpperCase(),
  println: (value) => `${textOf(value)}\n`,
  print: textOf,
  len: (value) => String(lengthOf(value)),
};

const FIELD = /^\.([A-Za-z_][\w]*(?:\.[A-Za-z_][\w-]*)*)?$/;
const ESCAPES: Readonly<Record<string, string>> = { '\\t': '\t', '\\n': '\n', '\\r': '\r' };

/**
 * Reads the part of Go's templates that command lines use: fields (`{{.Name}}`, letter case aside), `json`,
 * `lower`, `upper`, `print`, `println` and `len`, also behind a pipe. Errors: UsageError.
 */
export function parseTemplate(text: string): Template {
  const parts = text
    .replace(/\\[tnr]/g, (escape) => ESCAPES[escape] ?? escape)
    .split(/(\{\{-?.*?-?\}\})/s)
    .map(parsePart);
  return (row) => parts.map((part) => part(row)).join('');
}

function parsePart(part: string): Template {
  const [, action] = /^\{\{-?\s*(.*?)\s*-?\}\}$/s.exec(part) ?? [];
  if (action !== undefined) return parseAction(action);
  if (part.includes('{{')) throw wrong(part, 'unclosed action');
  return () => part;
}

function parseAction(action: string): Template {
  const [first = '', ...pipes] = action.split('|').map((step) => step.trim());
  const words = first.split(/\s+/);
  const field = words.at(-1) ?? '';
  const functions = [...words.slice(0, -1).reverse(), ...pipes].map((name) => {
    const known = FUNCTIONS[name];
    if (known === undefined) throw wrong(action, `function "${name}" not defined`);
    return known;
  });
  if (!FIELD.test(field)) throw wrong(action, `expected a field such as .Name`);
  return (row) =>
    textOf(functions.reduce<unknown>((value, apply) => apply(value), fieldOf(row, field)));
}

function wrong(text: string, why: string): UsageError {
  return new UsageError(
    `template parsing error: ${why} in "${text}"`,
    'Fields such as {{.Name}}, and json, lower, upper, print, println, len are understood.',
  );
}

function fieldOf(row: object, path: string): unknown {
  let value: unknown = row;
  for (const name of path.split('.').filter(Boolean)) {
    const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
    const key =
      keys.find((known) => known === name) ??
      keys.find((known) => known.toLowerCase() === name.toLowerCase());
    if (key === undefined) {
      if (value === row)
        throw wrong(path, `can't evaluate field ${name}; known: ${keys.join(', ')}`);
      return '<no value>';
    }
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  return typeof value === 'object' ? JSON.stringify(value) : JSON.stringify(value);
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  return typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
}
