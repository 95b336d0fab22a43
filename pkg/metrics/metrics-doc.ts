import { metricName } from './declare.js';
import type { LabelDomain, Subsystem } from './declare.js';

/** The metrics that one program serves. */
export interface DocumentedProgram {
  readonly program: string;
  readonly subsystems: readonly Subsystem[];
}

/** The text of docs/metrics.md: every metric with its kind, labels, meaning and who serves it. */
export function renderMetricsDoc(programs: readonly DocumentedProgram[]): string {
  const subsystems = new Map(
    programs.flatMap(({ subsystems: parts }) => parts.map((part) => [part.name, part] as const)),
  );
  const sections = [...subsystems.values()].map((part) => section(part, servedBy(part, programs)));
  return [HEAD, ...sections].join('\n');
}

const HEAD = `# Metrics

Generated from the declarations in \`pkg/metrics/subsystems.ts\`; do not edit. Every manager and every
agent serves its metrics at \`/metrics\` of its observability listener, in Prometheus' text form.
Labels never carry ids, so that the number of series does not grow with the cluster. Labels with
listed values have all their series from the beginning, at 0.
`;

function servedBy(subsystem: Subsystem, programs: readonly DocumentedProgram[]): string {
  return programs
    .filter(({ subsystems }) => subsystems.some(({ name }) => name === subsystem.name))
    .map(({ program }) => `\`${program}\``)
    .join(' and ');
}

function section(subsystem: Subsystem, by: string): string {
  const rows = Object.values(subsystem.metrics).map((declaration) =>
    row([
      `\`${metricName(subsystem, declaration)}\``,
      declaration.kind,
      labelsCell(declaration.labels),
      declaration.help + bucketsNote(declaration.buckets),
    ]),
  );
  return [
    `## ${subsystem.title}`,
    '',
    `Served by ${by}.`,
    '',
    row(['metric', 'kind', 'labels', 'meaning']),
    row(['---', '---', '---', '---']),
    ...rows,
    '',
  ].join('\n');
}

function bucketsNote(buckets: readonly number[]): string {
  return buckets.length === 0 ? '' : ` Buckets: ${buckets.join(', ')}.`;
}

function labelsCell(labels: LabelDomain): string {
  const cells = Object.entries(labels).map(([name, values]) =>
    values === 'open' ? `\`${name}\`` : `\`${name}\`: ${values.join(', ')}`,
  );
  return cells.join('; ');
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
