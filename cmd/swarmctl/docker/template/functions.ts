import { formatPrintf, formatValue, isTruthy } from './format-value.js';
import { templateError } from './template-error.js';

/** A function of templates, of values. */
type TemplateFunction = (...args: readonly unknown[]) => unknown;

const text = (value: unknown) => (value === undefined ? '' : formatValue(value));

/** Go's own functions, and Docker's: see `docker … --format`. */
const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  json: (value) => JSON.stringify(value ?? null), // JSON's word for nothing
  lower: (value) => text(value).toLowerCase(),
  upper: (value) => text(value).toUpperCase(),
  title: (value) => text(value).replace(/(^|\s)\S/g, (start) => start.toUpperCase()),
  split: (value, separator) => text(value).split(text(separator)),
  join: (list, separator) => joined(list, separator),
  pad: (value, before, after) =>
    `${' '.repeat(countOf(before))}${text(value)}${' '.repeat(countOf(after))}`,
  truncate: (value, length) => Array.from(text(value)).slice(0, countOf(length)).join(''),
  print: (...values) => printed(values),
  println: (...values) => `${values.map(text).join(' ')}\n`,
  printf: (format, ...values) => formatPrintf(text(format), values),
  urlquery: (...values) => encodeURIComponent(printed(values)),
  len: (value) => lengthOf(value),
  index: (value, ...keys) => keys.reduce(item, value),
  slice: (value, from, to) => sliced(value, from, to),
  not: (value) => !isTruthy(value),
  eq: (value, ...others) => others.some((other) => value === other),
  ne: (a, b) => a !== b,
  lt: (a, b) => compared(a, b) < 0,
  le: (a, b) => compared(a, b) <= 0,
  gt: (a, b) => compared(a, b) > 0,
  ge: (a, b) => compared(a, b) >= 0,
};

/** Evaluated one by one until it is clear what they are together. */
const LAZY = ['and', 'or'];

/** Every function that a template may call. */
export const FUNCTION_NAMES: ReadonlySet<string> = new Set([...Object.keys(FUNCTIONS), ...LAZY]);

/** Calls a function; arguments are evaluated when they are needed. Errors: UsageError. */
export function callFunction(name: string, args: readonly (() => unknown)[]): unknown {
  if (LAZY.includes(name)) return firstThat(name === 'or', args);
  const values = args.map((evaluate) => evaluate());
  if (values.length === 0) throw templateError(`wrong number of args for ${name}: want at least 1`);
  return FUNCTIONS[name]?.(...values);
}

function firstThat(isWanted: boolean, args: readonly (() => unknown)[]): unknown {
  let value: unknown;
  for (const evaluate of args) {
    value = evaluate();
    if (isTruthy(value) === isWanted) return value;
  }
  return value;
}

/** Between two values that are no text there is a space, as in Go. */
function printed(values: readonly unknown[]): string {
  return values
    .map((value, index) => {
      const before = values[index - 1];
      const isSpaced = index > 0 && typeof before !== 'string' && typeof value !== 'string';
      return `${isSpaced ? ' ' : ''}${text(value)}`;
    })
    .join('');
}

/** Also in the order that a pipe gives: `.List | join ","`. */
function joined(first: unknown, second: unknown): string {
  const [list, separator] = Array.isArray(first) ? [first, second] : [second, first];
  if (!Array.isArray(list)) throw templateError('join needs a list');
  return list.map(text).join(text(separator));
}

function item(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) {
    const found: unknown = value[Number(key)];
    if (found === undefined) throw templateError(`error calling index: out of range: ${text(key)}`);
    return found;
  }
  if (typeof value !== 'object' || value === null) return '';
  return Object.hasOwn(value, text(key)) ? (value as Record<string, unknown>)[text(key)] : '';
}

function sliced(value: unknown, from: unknown, to: unknown): unknown {
  const [start, end] = [countOf(from ?? 0), to === undefined ? undefined : countOf(to)];
  return Array.isArray(value) ? value.slice(start, end) : text(value).slice(start, end);
}

function compared(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return text(a) < text(b) ? -1 : Number(text(a) > text(b));
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  return typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
}

function countOf(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw templateError(`expected a whole number, found ${text(value)}`);
}
