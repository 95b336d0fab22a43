import { toJson } from '../output/json.js';
import type { Streams } from '../streams.js';
import { UsageError } from '../exit-code.js';
import { parseTemplate } from './template/go-template.js';

/** Flags of `docker … inspect`. */
export interface InspectOptions {
  readonly format?: string;
  readonly pretty?: boolean;
}

/** Prints objects as `docker … inspect` does: a JSON array, a template each, or for people. */
export function printInspected<T extends object>(
  { out }: Streams,
  objects: readonly T[],
  { format, pretty, prettyText }: InspectOptions & { readonly prettyText: (object: T) => string },
): void {
  if (pretty && format !== undefined) {
    throw new UsageError('--format is incompatible with human friendly format');
  }
  if (pretty) {
    out(objects.map(prettyText).join('\n'));
  } else if (format === undefined || format === 'json') {
    out(toJson(objects));
  } else {
    const template = parseTemplate(format);
    out(objects.map((object) => `${template(object)}\n`).join(''));
  }
}
