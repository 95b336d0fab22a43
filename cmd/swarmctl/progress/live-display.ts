import type { Streams } from '../streams.js';

/** Shows lines that change: redrawn in place on a terminal. */
export class LiveDisplay {
  private shown: readonly string[] = [];

  constructor(private readonly streams: Streams) {}

  /** Replaces what is shown. */
  show(lines: readonly string[]): void {
    if (lines.join('\n') === this.shown.join('\n')) return;
    const up = this.shown.length === 0 ? '' : `\u001b[${String(this.shown.length)}A`;
    const body = lines.map((line) => `\r\u001b[2K${line}\n`).join('');
    this.streams.out(`${up}${body}\u001b[J`);
    this.shown = lines;
  }
}
