import type { LogLine } from './logs.js';

/** The last line that was given out: enough to find it again in a second reading of the log. */
export class LogPosition {
  private last: { readonly stream: LogLine['stream']; readonly at: string } | undefined;
  /** Entries of that stream with that time stamp so far; parts of a long line share it. */
  private entries = 0;

  /** True before the first line. */
  get isStart(): boolean {
    return this.last === undefined;
  }

  /** Takes note of a line, which must carry its time stamp. */
  advance({ stream, at = '' }: LogLine): void {
    const same = this.last?.stream === stream && this.last.at === at;
    this.entries = same ? this.entries + 1 : 1;
    this.last = { stream, at };
  }

  /** What comes after this position in `lines`; undefined when they do not reach back to it. */
  after(lines: readonly LogLine[]): readonly LogLine[] | undefined {
    if (!this.last) return lines;
    const { stream, at } = this.last;
    let entries = 0;
    for (const [index, line] of lines.entries()) {
      if (line.stream === stream && line.at === at) entries += 1;
      if (entries === this.entries) return lines.slice(index + 1);
    }
    return undefined;
  }
}
