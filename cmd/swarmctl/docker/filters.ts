import { UsageError } from '../exit-code.js';

/** What `--filter` asks for: the values by key. */
export type Filters = ReadonlyMap<string, readonly string[]>;

/** Reads `--filter key=value`. Errors: UsageError that lists the known keys. */
export function parseFilters(texts: readonly string[], known: readonly string[]): Filters {
  const filters = new Map<string, readonly string[]>();
  for (const text of texts) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (key === undefined || value === undefined) {
      throw new UsageError(
        `invalid argument "${text}" for "-f, --filter" flag: expected key=value`,
      );
    }
    if (!known.includes(key)) {
      throw new UsageError(`invalid filter '${key}'`, `Filters: ${known.join(', ')}.`);
    }
    filters.set(key, [...(filters.get(key) ?? []), value]);
  }
  return filters;
}

/** Whether one of the values of a key fits; without such a filter everything does. */
export function matches(filters: Filters, key: string, fits: (wanted: string) => boolean): boolean {
  const wanted = filters.get(key);
  return wanted === undefined || wanted.some(fits);
}

/** `key` or `key=value`, as label filters are given. All of them must hold. */
export function hasLabels(
  filters: Filters,
  key: string,
  labels: Readonly<Record<string, string>>,
): boolean {
  return (filters.get(key) ?? []).every((text) => {
    const [name = '', ...value] = text.split('=');
    return value.length === 0 ? name in labels : labels[name] === value.join('=');
  });
}
