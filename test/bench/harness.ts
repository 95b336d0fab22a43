/** What all benchmarks share: repeat, summarise, print. */
import { cpus, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';

/** Repeated measurements of one thing, summed up. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly n: number;
}

/** One line of a report. `unit` is for readers, e.g. `placements/s`. */
export interface BenchmarkRow extends Summary {
  readonly name: string;
  readonly unit: string;
}

/** What one benchmark found. `notes` say what a reader must know to judge the figures. */
export interface BenchmarkReport {
  readonly title: string;
  readonly machine: string;
  readonly rows: readonly BenchmarkRow[];
  readonly notes: readonly string[];
}

/** What the command line of every benchmark takes. */
export interface BenchmarkOptions {
  /** Measured runs of each row. Default 5. */
  readonly runs: number;
  /** Print JSON for programs instead of a table. */
  readonly json: boolean;
  /** Names of the sections to measure. Default: all of them. */
  readonly only?: readonly string[];
}

/** Reads `--runs N`, `--json` and, of a benchmark with these sections, `--only NAME[,NAME]`. */
export function parseBenchmarkOptions(
  args: readonly string[],
  sections: readonly string[] = [],
): BenchmarkOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
      ...(sections.length > 0 && { only: { type: 'string' } }),
    },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) {
    throw new Error(`--runs is "${values.runs}"; a whole number from 1 on is allowed`);
  }
  const only = typeof values.only === 'string' ? values.only.split(',') : undefined;
  const unknown = only?.find((name) => !sections.includes(name));
  if (unknown !== undefined) {
    throw new Error(`--only names "${unknown}"; there are ${sections.join(', ')}`);
  }
  return { runs, json: values.json, ...(only && { only }) };
}

/** Runs `measure` once to warm up, then `runs` times; each call returns what it measured. */
export async function repeat(
  runs: number,
  measure: () => number | Promise<number>,
): Promise<Summary> {
  await measure();
  const values: number[] = [];
  for (let run = 0; run < runs; run += 1) values.push(await measure());
  return summarise(values);
}

/** Milliseconds that `work` takes. */
export async function elapsedMs(work: () => unknown): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** Median, smallest and largest of at least one value. */
export function summarise(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
    n: sorted.length,
  };
}

/** The machine in one line: figures mean little without it. */
export function machineLine(): string {
  const [cpu] = cpus();
  const memoryGib = Math.round(totalmem() / 1024 ** 3);
  const model = cpu?.model.trim() ?? 'unknown CPU';
  return `${cpus().length} x ${model}, ${memoryGib} GiB, Linux ${release()}, Node ${process.version}`;
}

/** The report as JSON, or as a table in Markdown. */
export function formatReport(
  report: BenchmarkReport,
  { json }: Pick<BenchmarkOptions, 'json'>,
): string {
  if (json) return `${JSON.stringify(report, undefined, 2)}\n`;
  const table = formatTable([
    ['what', 'median', 'min - max', 'n', 'unit'],
    ...report.rows.map(({ name, median, min, max, n, unit }) => [
      name,
      formatNumber(median),
      `${formatNumber(min)} - ${formatNumber(max)}`,
      String(n),
      unit,
    ]),
  ]);
  const notes = report.notes.map((note) => `- ${note}\n`).join('');
  return `## ${report.title}\n\n${report.machine}\n\n${table}\n${notes}`;
}

/** A Markdown table with even columns; the first row is its head. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  return [head, widths.map((width) => '-'.repeat(width)), ...body].map(line).join('');
}

/** Three significant digits at least, thousands apart. */
function formatNumber(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
