/** A value as Go's fmt prints it: `[a b]`, `map[k:v]`; nothing is `<no value>`. */
export function formatValue(value: unknown): string {
  return value === undefined || value === null ? '<no value>' : formatInner(value);
}

function formatInner(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(formatInner).join(' ')}]`;
  if (typeof value === 'object') {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${entries.map(([key, part]) => `${key}:${formatInner(part)}`).join(' ')}]`;
  }
  return typeof value === 'function' ? 'func' : JSON.stringify(value);
}

/** Whether Go's templates take a value for true: anything that is not empty. */
export function isTruthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** Go's printf, as far as command lines use it: %s %v %d %q %t %f %x, widths, precision, `-`, `0`, `%%`. */
export function formatPrintf(format: string, values: readonly unknown[]): string {
  let next = 0;
  return format.replace(/%[-0+]*\d*(?:\.\d+)?[a-zA-Z%]/g, (directive) => {
    if (directive.endsWith('%')) return '%';
    const [, flags = '', width = '', precision, verb = ''] = DIRECTIVE.exec(directive) ?? [];
    if (next >= values.length) return `%!${verb}(MISSING)`;
    const text = formatVerb(verb, values[next], precision);
    next += 1;
    return padded(text, flags, Number(width));
  });
}

const DIRECTIVE = /^%([-0+]*)(\d*)(?:\.(\d+))?([a-zA-Z])$/;

function formatVerb(verb: string, value: unknown, precision: string | undefined): string {
  switch (verb) {
    case 'q':
      return JSON.stringify(formatValue(value));
    case 'f':
      return Number(value).toFixed(Number(precision ?? 6));
    case 'x':
      return typeof value === 'number'
        ? value.toString(16)
        : Buffer.from(formatValue(value)).toString('hex');
    case 's':
    case 'v':
    case 'd':
    case 't': {
      const text = formatValue(value);
      return precision === undefined ? text : text.slice(0, Number(precision));
    }
    default:
      return `%!${verb}(${formatValue(value)})`;
  }
}

function padded(text: string, flags: string, width: number): string {
  if (flags.includes('-')) return text.padEnd(width);
  return flags.includes('0') ? text.padStart(width, '0') : text.padStart(width);
}
