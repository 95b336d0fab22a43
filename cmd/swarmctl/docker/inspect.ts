import { toJson } from '../output/json.js';
import type { Streams } from '../streams.js';
import { UsageError } from '../exit-code.js';
import { parseTemplate } from './template/go-template.js';

/** Flags of `docker … inspect`. */
export interface InspectOptions {
  readonly format?: string;
  readonly pretty?: boolean;
}

/** One object, in every form that can be asked for. */
export interface Inspected {
  /** Our own form: what templates find besides Docker's. */
  readonly object: object;
  /** The form of Docker's API. */
  readonly docker: object;
  /** For people. */
  readonly pretty: () => string;
}

/**
 * Prints objects as `docker … inspect` does: a JSON array in the form of Docker's API, a template each, or for
 * people. Templates know both forms: `{{.Spec.Name}}` and `{{.spec.task.container.image}}`.
 */
export function printInspected(
  { out }: Streams,
  objects: readonly Inspected[],
  { format, pretty }: InspectOptions,
): void {
  if (pretty && format !== undefined) {
    throw new UsageError('--format is incompatible with human friendly format');
  }
  if (pretty || format === 'pretty') {
    out(objects.map((each) => each.pretty()).join('\n'));
  } else if (format === undefined || format === 'json') {
    out(toJson(objects.map(({ docker }) => docker)));
  } else {
    const template = parseTemplate(format);
    const texts = objects.map(({ object, docker }) => template({ ...object, ...docker }));
    out(texts.map((text) => `${text}\n`).join(''));
  }
}
