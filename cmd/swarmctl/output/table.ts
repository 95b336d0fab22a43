import { cut } from './words.js';

/** A column of a table: its heading and the text of a row. */
export interface Column<T> {
  readonly heading: string;
  text(row: T): string;
  /** Shown with `-o wide` only. */
  readonly wide?: boolean;
}

/** What of a table is shown. */
export interface TableOptions {
  /** Also the columns that are wide only. */
  readonly wide?: boolean;
  /** Default true. */
  readonly headings?: boolean;
  /** Widths by heading, for tables that go on later. */
  readonly minimumWidths?: Readonly<Record<string, number>>;
  /** The last column is cut so that lines are no longer than this. Default: nothing is cut. */
  readonly fitTo?: number;
}

/** A column that was cut to less would say nothing. */
const LEAST_WIDTH = 10;

const GAP = '   ';

/** Rows as text, columns aligned, nothing behind the last column; headings unless told otherwise. */
export function renderTable<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  options: TableOptions = {},
): string {
  const shown = columns.filter(({ wide }) => wide !== true || options.wide === true);
  const cells = rows.map((row) => shown.map((column) => printable(inOneLine(column.text(row)))));
  const heads = options.headings === false ? [] : [shown.map(({ heading }) => heading)];
  const lines = [...heads, ...cells];
  const widths = shown.map(({ heading }, index) =>
    Math.max(
      options.minimumWidths?.[heading] ?? 0,
      ...lines.map((line) => displayWidth(line[index] ?? '')),
    ),
  );
  const fitted = lines.map((line) => fitLine(line, widths, options.fitTo));
  return fitted.map((line) => `${renderLine(line, widths)}\n`).join('');
}

function fitLine(
  cells: readonly string[],
  widths: readonly number[],
  fitTo: number | undefined,
): readonly string[] {
  if (fitTo === undefined) return cells;
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0);
  const room = Math.max(LEAST_WIDTH, fitTo - before);
  const last = cells.at(-1) ?? '';
  return displayWidth(last) <= room ? cells : [...cells.slice(0, -1), cut(last, room)];
}

function renderLine(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, index) => cell + ' '.repeat(Math.max(0, (widths[index] ?? 0) - displayWidth(cell))))
    .join(GAP)
    .trimEnd();
}

/**
 * Without what would steer a terminal: messages carry words of strangers (the name in a refused
 * certificate, an engine's error). Colours stay.
 */
export function printable(text: string): string {
  return text.replace(STEERING, (found) => (found.endsWith('m') ? found : '\ufffd'));
}

/** A colour, which is kept, or any control character but tab and the end of a line. */
const STEERING = /\u001b\[[0-9;]*m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** What a container answered may have many lines; a row has one. */
const inOneLine = (text: string): string => text.replace(/\s*\n\s*$/, '').replace(/\s*\n\s*/g, ' ');

/** Columns a text takes on a terminal: colour codes take none. */
export function displayWidth(text: string): number {
  return Array.from(text.replace(/\u001b\[[0-9;]*m/g, '')).length;
}
