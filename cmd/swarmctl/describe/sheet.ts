import { displayWidth, printable } from '../output/table.js';

/** One line of a description: what, and its value; several values stand below each other. */
export type SheetRow = readonly [label: string, value: string | readonly string[] | undefined];

const INDENT = '  ';

/** Rows with their values aligned; rows without a value are left out. */
export function renderSheet(rows: readonly SheetRow[], depth = 0): string {
  const shown = rows.filter(([, value]) => value !== undefined && value.length > 0);
  const indent = INDENT.repeat(depth);
  const width = Math.max(0, ...shown.map(([label]) => displayWidth(label))) + 3;
  return shown
    .map(([label, value]) => {
      const [first = '', ...others] = typeof value === 'string' ? [value] : (value ?? []);
      const lines = [
        `${indent}${`${label}:`.padEnd(width)}${first}`,
        ...others.map((other) => `${indent}${' '.repeat(width)}${other}`),
      ];
      return lines.map((line) => `${printable(line).trimEnd()}\n`).join('');
    })
    .join('');
}

/** A headed part of a description. */
export function renderPart(title: string, body: string): string {
  return body === '' ? '' : `${title}:\n${body}`;
}

/** Moves text to the right. */
export function indented(text: string): string {
  return text.replace(/^(?=.)/gm, INDENT);
}
