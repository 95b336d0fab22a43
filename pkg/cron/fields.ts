import { InvalidObjectError } from '../base/index.js';

interface Field {
  readonly name: string;
  readonly minimum: number;
  readonly maximum: number;
  /** Names of its values from `minimum` on. */
  readonly names: readonly string[];
}

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const WEEKDAYS = 'sun mon tue wed thu fri sat'.split(' ');

const FIELDS: readonly Field[] = [
  { name: 'minute', minimum: 0, maximum: 59, names: [] },
  { name: 'hour', minimum: 0, maximum: 23, names: [] },
  { name: 'day of month', minimum: 1, maximum: 31, names: [] },
  { name: 'month', minimum: 1, maximum: 12, names: MONTHS },
  { name: 'day of week', minimum: 0, maximum: 7, names: WEEKDAYS },
];

const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/**
 * A schedule as five fields of numbers: names and macros resolved, `5/15` spelled out as `5-59/15`. Exactly
 * what crontab(5) knows is taken, so that no library decides what a schedule means.
 * Errors: InvalidObjectError, whose message says which field is wrong and what is allowed.
 */
export function canonicalFields(text: string): string {
  const trimmed = text.trim().toLowerCase();
  if (trimmed.startsWith('@')) return macro(trimmed);
  const parts = trimmed.split(/\s+/);
  if (trimmed === '' || parts.length !== FIELDS.length) {
    throw refused(
      text,
      `expected five fields (${FIELDS.map(({ name }) => name).join(', ')}) or ${Object.keys(MACROS).join(', ')}`,
    );
  }
  return FIELDS.map((field, index) => canonicalField(text, field, parts[index] ?? '')).join(' ');
}

function macro(text: string): string {
  const fields = MACROS[text];
  if (fields !== undefined) return fields;
  throw refused(text, `expected ${Object.keys(MACROS).join(', ')} or five fields`);
}

function canonicalField(schedule: string, field: Field, text: string): string {
  const items = text.split(',').map((item) => canonicalItem(field, item));
  if (!items.includes(undefined)) return items.join(',');
  const { name, minimum, maximum, names } = field;
  const words = names.length === 0 ? '' : `, or ${names[0] ?? ''} to ${names.at(-1) ?? ''}`;
  throw refused(
    schedule,
    `${name} is "${text}"; expected *, numbers from ${minimum} to ${maximum}${words}, ranges (1-5), steps (*/10) and lists of them`,
  );
}

/** One of `*`, `n`, `n-m`, each with a step or without; undefined when it is none of them. */
function canonicalItem(field: Field, item: string): string | undefined {
  const [, range, step] = /^([^/]+)(?:\/(\d+))?$/.exec(item) ?? [];
  if (range === undefined || !isStep(field, step)) return undefined;
  const values = range === '*' ? '*' : canonicalRange(field, range, step !== undefined);
  return values === undefined || step === undefined ? values : `${values}/${Number(step)}`;
}

/** A single value with a step begins there and goes on to the end. */
function canonicalRange(field: Field, range: string, hasStep: boolean): string | undefined {
  const [, first = '', last] = /^([^-]+)(?:-([^-]+))?$/.exec(range) ?? [];
  const from = valueOf(field, first);
  if (last === undefined)
    return hasStep && from !== undefined ? `${from}-${field.maximum}` : text(from);
  const to = valueOf(field, last);
  return from === undefined || to === undefined || from > to ? undefined : `${from}-${to}`;
}

const text = (value: number | undefined): string | undefined =>
  value === undefined ? undefined : String(value);

const isStep = ({ maximum }: Field, step: string | undefined): boolean =>
  step === undefined || (Number(step) >= 1 && Number(step) <= maximum);

function valueOf({ minimum, maximum, names }: Field, text: string): number | undefined {
  const named = names.indexOf(text);
  if (named >= 0) return minimum + named;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : NaN;
  return value >= minimum && value <= maximum ? value : undefined;
}

const refused = (text: string, why: string): InvalidObjectError =>
  new InvalidObjectError(`"${text}" is not a schedule: ${why}`);
