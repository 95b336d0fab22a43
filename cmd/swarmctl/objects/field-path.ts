import { UsageError } from '../exit-code.js';

/**
 * The value at a path such as `metadata.name`, `.spec.task.container.mounts[0].target` or
 * `{.status.running}`; undefined when there is none. Errors: UsageError when it is no path.
 */
export function valueAt(object: unknown, path: string): unknown {
  let value = object;
  for (const key of keysOf(path)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

function keysOf(path: string): readonly (string | number)[] {
  const plain = path.replace(/^\{(.*)\}$/, '$1').replace(/^\./, '');
  const parts = [...plain.matchAll(/\[(\d+)\]|\["([^"]*)"\]|([^.[\]"]+)/g)];
  if (parts.length === 0) throw new UsageError(`"${path}" is not a path such as metadata.name`);
  return parts.map(([, index, quoted, word]) =>
    index === undefined ? (quoted ?? word ?? '') : Number(index),
  );
}

/** Order of two values of fields: numbers by size, everything else as text; what is missing comes first. */
export function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return textOf(a).localeCompare(textOf(b), 'en', { numeric: true });
}

function textOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
