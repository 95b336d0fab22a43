import { parseDocument } from 'yaml';
import { InvalidObjectError } from '../base/index.js';

/**
 * The value of one YAML (or JSON) text; undefined when it is empty.
 * Errors: InvalidObjectError that says what is wrong, and on which line.
 */
export function parseYaml(text: string): unknown {
  const document = parseDocument(text, { uniqueKeys: true });
  const [error] = document.errors;
  if (error) throw new InvalidObjectError(error.message.replace(/:?\s*\n[\s\S]*/, ''));
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  return value ?? undefined;
}
