import { renderTable, type Column } from '../output/table.js';
import type { Streams } from '../streams.js';
import { parseTemplate } from './template/go-template.js';

/** A row as Docker's `--format` sees it: placeholder and text. */
export type Row = Readonly<Record<string, string>>;

/** How Docker's lists are printed. */
export interface ListOptions {
  readonly format?: string;
  readonly quiet?: boolean;
}

/** A placeholder and the heading of its column. */
export type Heading = readonly [placeholder: string, heading: string];

/** Prints rows as `docker … ls` does: a table, ids only, JSON lines or a template. Errors: UsageError. */
export function printRows(
  { out }: Streams,
  headings: readonly Heading[],
  { rows, ...options }: ListOptions & { readonly rows: readonly Row[] },
): void {
  const { format = 'table', quiet = false } = options;
  if (quiet) {
    out(rows.map((row) => `${row['ID'] ?? ''}\n`).join(''));
  } else if (format === 'json') {
    out(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  } else if (format === 'table') {
    out(renderTable(columnsFor(headings), rows));
  } else if (format.startsWith('table ')) {
    out(customTable(headings, rows, format.slice('table '.length)));
  } else {
    const template = parseTemplate(format);
    out(rows.map((row) => `${template(row)}\n`).join(''));
  }
}

function columnsFor(headings: readonly Heading[]): readonly Column<Row>[] {
  return headings.map(([placeholder, heading]) => ({
    heading,
    text: (row) => row[placeholder] ?? '',
  }));
}

/** `table {{.Name}}\t{{.Image}}`: the headings go through the same template. */
function customTable(headings: readonly Heading[], rows: readonly Row[], format: string): string {
  const template = parseTemplate(format);
  const lines = [Object.fromEntries(headings), ...rows].map((row) => template(row).split('\t'));
  const width = Math.max(...lines.map((cells) => cells.length));
  const columns = Array.from({ length: width }, (_, index) => ({
    heading: '',
    text: (cells: readonly string[]) => cells[index] ?? '',
  }));
  return renderTable(columns, lines, { headings: false });
}
