import {
  Counter as PromCounter,
  Gauge as PromGauge,
  Histogram as PromHistogram,
  Registry,
} from 'prom-client';
import { closedLabelSets, metricName } from './declare.js';
import type {
  LabelDomain,
  LabelsOf,
  MetricDeclaration,
  MetricTable,
  Subsystem,
} from './declare.js';

/** Counts things that happened since the process began. */
export interface Counter<L extends LabelDomain = LabelDomain> {
  /** Adds `by` (default 1). Adding 0 makes the series appear, so that its first event is seen. */
  inc(labels: LabelsOf<L>, by?: number): void;
  /** Reads the present total at every scrape, for counts that are kept elsewhere. */
  onCollect(read: () => Iterable<readonly [LabelsOf<L>, number]>): void;
}

/** Shows a present value. */
export interface Gauge<L extends LabelDomain = LabelDomain> {
  set(labels: LabelsOf<L>, value: number): void;
  /** Drops the series, when what it described is gone. */
  remove(labels: LabelsOf<L>): void;
  /** Reads all values at every scrape; series that are not returned show 0, open ones vanish. */
  onCollect(read: () => Iterable<readonly [LabelsOf<L>, number]>): void;
}

/** Counts observations by their size. */
export interface Histogram<L extends LabelDomain = LabelDomain> {
  /** `seconds` unless the metric's name says otherwise. */
  observe(labels: LabelsOf<L>, seconds: number): void;
}

/** The handle for a declaration of its kind. */
export type HandleOf<D extends MetricDeclaration> =
  D extends MetricDeclaration<infer K, infer L>
    ? K extends 'counter'
      ? Counter<L>
      : K extends 'gauge'
        ? Gauge<L>
        : Histogram<L>
    : never;

/** The handles of one subsystem by the names of its table. */
export type Handles<T extends MetricTable> = { readonly [Name in keyof T]: HandleOf<T[Name]> };

/** What a scrape needs. */
export interface Scrape {
  /** The media type of {@link Scrape.text}. */
  readonly contentType: string;
  /** All metrics in Prometheus' text form. */
  text(): Promise<string>;
}

/** The metrics of one process: a handle per declaration, and the scrape over all of them. */
export interface MetricSet<S extends Readonly<Record<string, Subsystem>>> extends Scrape {
  readonly of: { readonly [Name in keyof S]: Handles<S[Name]['metrics']> };
  /** What was declared, for documentation. */
  readonly subsystems: readonly Subsystem[];
}

type Values = Iterable<readonly [Readonly<Record<string, string>>, number]>;

/**
 * Makes a registry with the metrics of `subsystems`. Series whose labels are all closed lists exist
 * from the beginning with value 0. Throws when two metrics have one name.
 */
export function createMetrics<const S extends Readonly<Record<string, Subsystem>>>(
  subsystems: S,
): MetricSet<S> {
  const registry = new Registry();
  const handles = Object.entries(subsystems).map(([key, subsystem]) => [
    key,
    handlesOf(registry, subsystem),
  ]);
  return {
    of: Object.fromEntries(handles) as MetricSet<S>['of'],
    subsystems: Object.values(subsystems),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}

function handlesOf(registry: Registry, subsystem: Subsystem): Readonly<Record<string, unknown>> {
  const entries = Object.entries(subsystem.metrics).map(([key, declaration]) => [
    key,
    handleOf(registry, metricName(subsystem, declaration), declaration),
  ]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function handleOf(registry: Registry, name: string, declaration: MetricDeclaration): unknown {
  switch (declaration.kind) {
    case 'counter':
      return counterHandle(registry, name, declaration);
    case 'gauge':
      return gaugeHandle(registry, name, declaration);
    case 'histogram':
      return histogramHandle(registry, name, declaration);
  }
}

function counterHandle(registry: Registry, name: string, declaration: MetricDeclaration): Counter {
  let read: (() => Values) | undefined;
  const metric = new PromCounter({
    ...common(registry, name, declaration),
    collect() {
      if (!read) return;
      this.reset();
      for (const [labels, value] of read()) this.inc(labels, value);
    },
  });
  for (const labels of closedLabelSets(declaration.labels) ?? []) metric.inc(labels, 0);
  return {
    inc: (labels, by = 1) => metric.inc(labels, by),
    onCollect: (source) => {
      read = source;
    },
  };
}

function gaugeHandle(registry: Registry, name: string, declaration: MetricDeclaration): Gauge {
  let read: (() => Values) | undefined;
  const closed = closedLabelSets(declaration.labels) ?? [];
  const metric = new PromGauge({
    ...common(registry, name, declaration),
    collect() {
      if (!read) return;
      this.reset();
      for (const labels of closed) this.set(labels, 0);
      for (const [labels, value] of read()) this.set(labels, value);
    },
  });
  for (const labels of closed) metric.set(labels, 0);
  return {
    set: (labels, value) => metric.set(labels, value),
    remove: (labels) => metric.remove(labels),
    onCollect: (source) => {
      read = source;
    },
  };
}

function histogramHandle(
  registry: Registry,
  name: string,
  declaration: MetricDeclaration,
): Histogram {
  const metric = new PromHistogram({
    ...common(registry, name, declaration),
    buckets: [...declaration.buckets],
  });
  for (const labels of closedLabelSets(declaration.labels) ?? []) metric.zero(labels);
  return { observe: (labels, seconds) => metric.observe(labels, seconds) };
}

function common(registry: Registry, name: string, { help, labels }: MetricDeclaration) {
  return { name, help, labelNames: Object.keys(labels), registers: [registry] };
}
