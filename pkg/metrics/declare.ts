/** Values a label may take: a closed list, or `open` for names that our code gives (controllers, routes). */
export type LabelValues = readonly string[] | 'open';
/** The labels of a metric. Never ids of tasks, containers or nodes: series are not evicted. */
export type LabelDomain = Readonly<Record<string, LabelValues>>;

/** The labels of one sample: exactly those declared, with declared values. */
export type LabelsOf<L extends LabelDomain> = {
  readonly [Name in keyof L]: L[Name] extends readonly string[] ? L[Name][number] : string;
};

/** `counter` only grows, `gauge` is a present value, `histogram` counts observations by size. */
export type MetricKind = 'counter' | 'gauge' | 'histogram';

/** One metric as data; the full name is `swarm_<subsystem>_<noun>`. */
export interface MetricDeclaration<
  K extends MetricKind = MetricKind,
  L extends LabelDomain = LabelDomain,
> {
  readonly kind: K;
  /** What is counted and its unit, the unit last: `reconcile_duration_seconds`, `errors_total`. */
  readonly noun: string;
  /** One sentence for the operator. */
  readonly help: string;
  readonly labels: L;
  /** Upper bounds of a histogram's buckets. */
  readonly buckets: readonly number[];
}

/** The metrics of one part of the product by the name our code uses. */
export type MetricTable = Readonly<Record<string, MetricDeclaration>>;

/** One part of the product and everything it measures. */
export interface Subsystem<T extends MetricTable = MetricTable> {
  readonly name: string;
  /** Heading and introduction in docs/metrics.md. */
  readonly title: string;
  readonly metrics: T;
}

type NoLabels = Readonly<Record<string, never>>;

/** Declares a counter; `noun` ends in `_total`. */
export function counter<const L extends LabelDomain = NoLabels>(
  noun: string,
  help: string,
  labels?: L,
): MetricDeclaration<'counter', L> {
  return { kind: 'counter', noun, help, labels: labels ?? ({} as L), buckets: [] };
}

/** Declares a gauge. */
export function gauge<const L extends LabelDomain = NoLabels>(
  noun: string,
  help: string,
  labels?: L,
): MetricDeclaration<'gauge', L> {
  return { kind: 'gauge', noun, help, labels: labels ?? ({} as L), buckets: [] };
}

/** Declares a histogram of seconds with few buckets: each costs a series per label set. */
export function histogram<const L extends LabelDomain = NoLabels>(
  noun: string,
  help: string,
  buckets: readonly number[],
  labels?: L,
): MetricDeclaration<'histogram', L> {
  return { kind: 'histogram', noun, help, labels: labels ?? ({} as L), buckets };
}

/** Groups the metrics of one part under its name. */
export function defineSubsystem<const T extends MetricTable>(
  name: string,
  title: string,
  metrics: T,
): Subsystem<T> {
  return { name, title, metrics };
}

/** The name of a metric as Prometheus sees it. */
export function metricName(subsystem: Subsystem, declaration: MetricDeclaration): string {
  return `swarm_${subsystem.name}_${declaration.noun}`;
}

/** Every combination of the labels' values, or undefined when a label is open. */
export function closedLabelSets(
  labels: LabelDomain,
): readonly Readonly<Record<string, string>>[] | undefined {
  let sets: readonly Readonly<Record<string, string>>[] = [{}];
  for (const [name, values] of Object.entries(labels)) {
    if (values === 'open') return undefined;
    sets = sets.flatMap((set) => values.map((value) => ({ ...set, [name]: value })));
  }
  return sets;
}
