import { renderTable, type Column } from '../output/table.js';
import type { Streams } from '../streams.js';
import { configuredFormat, type FormatKey } from './docker-config.js';
import { parseTemplate } from './template/go-template.js';

/** A row as Docker's `--format` sees it: placeholder and text. */
export type Row = Readonly<Record<string, string>>;

/** How Docker's lists are printed. */
export interface ListOptions {
  readonly format?: string;
  readonly quiet?: boolean;
}

/** A column: its placeholder, its heading, and whether it is shown without being asked for. */
export type Heading = readonly [placeholder: string, heading: string, isHidden?: 'hidden'];

/** A list as Docker prints it. */
export interface RowList extends ListOptions {
  readonly rows: readonly Row[];
  /** Where people set a format for all such lists. */
  readonly formatKey: FormatKey;
}

/**
 * Prints rows as `docker … ls` does: a table, ids only, JSON lines, `raw` or a template. A format that was given
 * wins over `-q`. Errors: UsageError.
 */
export function printRows(streams: Streams, headings: readonly Heading[], list: RowList): void {
  const { out } = streams;
  const { rows, quiet = false, format = quiet ? 'table' : defaultFormat(streams, list) } = list;
  if (format === 'json') {
    out(rows.map((row) => `${jsonOf(headings, row)}\n`).join(''));
  } else if (format === 'table') {
    const ids = () => rows.map((row) => `${row['ID'] ?? ''}\n`).join('');
    out(quiet ? ids() : renderTable(columnsFor(headings), rows));
  } else if (format === 'raw') {
    out(rows.map((row) => rawOf(quiet ? headings.slice(0, 1) : headings, row)).join(''));
  } else if (format.startsWith('table ')) {
    out(customTable(headings, rows, format.slice('table '.length)));
  } else {
    const template = parseTemplate(format);
    out(rows.map((row) => `${template(row)}\n`).join(''));
  }
}

const defaultFormat = (streams: Streams, { formatKey }: RowList) =>
  configuredFormat(streams, formatKey) ?? 'table';

/** Keys in the order of the alphabet, as Docker writes them. */
function jsonOf(headings: readonly Heading[], row: Row): string {
  const keys = headings.map(([placeholder]) => placeholder).sort();
  return JSON.stringify(Object.fromEntries(keys.map((key) => [key, row[key] ?? ''])));
}

/** `name: web` line by line, an empty line behind each row. */
function rawOf(headings: readonly Heading[], row: Row): string {
  const lines = headings.map(([placeholder, heading]) => {
    const label = heading.toLowerCase().replaceAll(' ', '_');
    return `${label}: ${row[placeholder] ?? ''}\n`;
  });
  return `${lines.join('')}\n`;
}

function columnsFor(headings: readonly Heading[]): readonly Column<Row>[] {
  return headings
    .filter(([, , isHidden]) => isHidden === undefined)
    .map(([placeholder, heading]) => ({ heading, text: (row) => row[placeholder] ?? '' }));
}

/** `table {{.Name}}\t{{.Image}}`: the headings go through the same template. */
function customTable(headings: readonly Heading[], rows: readonly Row[], format: string): string {
  const template = parseTemplate(format.trimStart());
  const names = Object.fromEntries(
    headings.map(([placeholder, heading]) => [placeholder, heading] as const),
  );
  const lines = [names, ...rows].map((row) => template(row).split('\t'));
  const width = Math.max(...lines.map((cells) => cells.length));
  const columns = Array.from({ length: width }, (_, index) => ({
    heading: '',
    text: (cells: readonly string[]) => cells[index] ?? '',
  }));
  return renderTable(columns, lines, { headings: false });
}
