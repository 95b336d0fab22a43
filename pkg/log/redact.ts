/** What stands in a line where a secret was. */
export const REDACTED = '[redacted]';

const MAX_DEPTH = 8;
const MAX_ITEMS = 100;
const MAX_STRING = 8192;

/** Field names that carry secrets whatever their value; compared without case, `-`, `_` and `.`. */
const SECRET_NAME =
  /^(.*authorization|auth|.*registryauth|authconfig|.*cookie|.*password|passwd|.*passphrase|.*secrets?|.*secretdata|.*tokens?|env|.*(private|secret|encryption|encrypting|unlock|data|ca|tls|api|signing)key|.*keypem|kek)$/;

/** Secrets that are recognised by how they look, in any field and inside any text. */
const SECRET_TEXT = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\bSWM(TKN|KEY)-[0-9A-Za-z-]+/g,
  /\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{8,}/g,
] as const;

/**
 * A field called just `key` is most often the key of an object ("web", "stack/web") and must stay
 * readable; encoded key material is long base64 with capitals.
 */
const KEY_MATERIAL = /^(?=.*[A-Z])[A-Za-z0-9+/_-]{40,}={0,2}$/;

/**
 * A copy of `fields` fit for a log: secrets replaced by {@link REDACTED} by field name and by their
 * look (private keys, join tokens, authorization headers), errors as plain objects with `type`,
 * `code`, `message`, `stack` and `cause`, bytes as their count, big integers as text. Deep, long or
 * circular values are cut. Never throws.
 */
export function redacted(fields: object): Record<string, unknown> {
  const value = fields instanceof Error ? { error: fields } : fields;
  return redactedEntries(value, 0);
}

function redactedEntries(value: object, depth: number): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    out[name] = redactedField(name, readProperty(value, name), depth);
  }
  return out;
}

function redactedField(name: string, value: unknown, depth: number): unknown {
  if (value === undefined) return undefined;
  const plainName = name.toLowerCase().replace(/[-_.]/g, '');
  if (SECRET_NAME.test(plainName)) return REDACTED;
  if (plainName === 'key' && isKeyMaterial(value)) return REDACTED;
  return redactedValue(value, depth + 1);
}

function isKeyMaterial(value: unknown): boolean {
  return typeof value === 'string' ? KEY_MATERIAL.test(value) : typeof value === 'object';
}

function redactedValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactedText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`;
  if (typeof value !== 'object' || value === null) return value;
  return redactedObject(value, depth);
}

function redactedObject(value: object, depth: number): unknown {
  if (depth > MAX_DEPTH) return '[deeper]';
  if (value instanceof Error) return redactedError(value, depth);
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${String(value.byteLength)} bytes]`;
  if (value instanceof Map)
    return redactedEntries(Object.fromEntries(value as Map<PropertyKey, unknown>), depth);
  const list = Array.isArray(value)
    ? (value as unknown[])
    : value instanceof Set
      ? [...(value as Set<unknown>)]
      : undefined;
  return list ? redactedList(list, depth) : redactedEntries(value, depth);
}

function redactedList(list: readonly unknown[], depth: number): unknown[] {
  const shown = list.slice(0, MAX_ITEMS).map((item) => redactedValue(item, depth + 1));
  return list.length > MAX_ITEMS ? [...shown, `[${String(list.length - MAX_ITEMS)} more]`] : shown;
}

function redactedError(error: Error, depth: number): Record<string, unknown> {
  const own = redactedEntries(error, depth);
  return {
    ...own,
    type: error.name,
    message: redactedText(error.message),
    ...(error.stack === undefined ? {} : { stack: redactedText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: redactedValue(error.cause, depth + 1) }),
  };
}

function redactedText(text: string): string {
  const clean = SECRET_TEXT.reduce((rest, pattern) => rest.replace(pattern, REDACTED), text);
  if (clean.length <= MAX_STRING) return clean;
  return `${clean.slice(0, MAX_STRING)}[${String(clean.length - MAX_STRING)} more]`;
}

function readProperty(value: object, name: string): unknown {
  try {
    return (value as Record<string, unknown>)[name];
  } catch {
    return '[unreadable]';
  }
}
