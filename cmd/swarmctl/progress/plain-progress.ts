import type { Streams } from '../streams.js';
import { doneLine, headLines, heldLine } from './render-progress.js';
import { isThere, troublesOf, withoutCountdown, type ServiceProgress } from './service-progress.js';

/** Between two lines about the same service, in milliseconds, unless it is done. */
const MIN_PAUSE_MS = 2_000;

/** Shows progress where nothing can be redrawn: a line when something changed, not too often. */
export class PlainProgress {
  private readonly last = new Map<string, { readonly text: string; readonly atMs: number }>();

  constructor(private readonly streams: Streams) {}

  /** Tells what is new. */
  show(all: readonly ServiceProgress[]): void {
    for (const progress of all) this.tell(progress, all.length > 1);
  }

  private tell(progress: ServiceProgress, isOneOfMany: boolean): void {
    const nowMs = this.streams.clock.monotonicMs();
    const text = textOf(progress, isOneOfMany);
    const before = this.last.get(progress.name);
    const isDone = isThere(progress) || progress.outcome.kind === 'failed';
    if (before !== undefined && withoutCountdown(before.text) === withoutCountdown(text)) return;
    if (before !== undefined && !isDone && nowMs - before.atMs < MIN_PAUSE_MS) return;
    this.streams.out(`${text}\n`);
    this.last.set(progress.name, { text, atMs: nowMs });
  }
}

function textOf(progress: ServiceProgress, isOneOfMany: boolean): string {
  const { outcome } = progress;
  const overall = headLines(progress, isOneOfMany).join('; ');
  switch (outcome.kind) {
    case 'converged':
      return `${overall}\n${doneLine(progress)}`;
    case 'held':
      return `${overall}\n${heldLine(progress.name, outcome.why)}`;
    case 'waiting':
    case 'failed':
      return `${overall}; ${outcome.why}`;
    case 'working':
      return [
        overall,
        ...(outcome.note === undefined ? [] : [outcome.note]),
        ...troublesOf(progress).slice(0, 3),
      ].join('; ');
  }
}
