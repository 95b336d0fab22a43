/** The fields of one line of CSV, quotes as Go's encoding/csv reads them: `a,"b,c"` → `a`, `b,c`. */
export function parseCsv(line: string): readonly string[] {
  const fields: string[] = [];
  let field = '';
  let isQuoted = false;
  for (let at = 0; at < line.length; at += 1) {
    const character = line.charAt(at);
    if (isQuoted && character === '"' && line.charAt(at + 1) === '"') {
      field += '"';
      at += 1;
    } else if (character === '"') {
      isQuoted = !isQuoted;
    } else if (character === ',' && !isQuoted) {
      fields.push(field);
      field = '';
    } else {
      field += character;
    }
  }
  return [...fields, field];
}

/** A field `key=value`; without `=` the value is undefined. */
export function keyValue(field: string): readonly [key: string, value: string | undefined] {
  const equals = field.indexOf('=');
  if (equals < 0) return [field.trim().toLowerCase(), undefined];
  return [field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1).trim()];
}
