import { printable } from '../../output/table.js';

/** A line of `inspect --pretty`: a label and its value; no line when there is no value. */
export type PrettyLine = readonly [label: string, value: string | number | boolean | undefined];

/** Columns that labels take, as two tab stops do. */
const LABEL_WIDTH = 16;

/** Lines as Docker prints them, indented by their depth. */
export function prettyLines(lines: readonly PrettyLine[], depth = 0): string {
  return lines
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([label, value]) => {
      const name = `${' '.repeat(depth)}${label}:`.padEnd(LABEL_WIDTH - 1);
      return `${name} ${printable(String(value))}\n`;
    })
    .join('');
}

/** A heading and what stands below it; nothing when nothing does. */
export function prettyPart(heading: string, body: string): string {
  return body === '' ? '' : `${heading}:\n${body}`;
}

/** A list as Go prints it. */
export const goList = (items: readonly string[] | undefined): string | undefined =>
  items === undefined || items.length === 0 ? undefined : `[${items.join(' ')}]`;

/** A size as Docker shows it: `64MiB`, `1.5GiB`. */
export function humanBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let [size, unit] = [bytes, 0];
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${String(Number(size.toPrecision(4)))}${units[unit] ?? ''}`;
}
