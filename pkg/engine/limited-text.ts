/** Collects the beginning of an output and forgets the rest of it. */
export class LimitedText {
  private readonly chunks: Buffer[] = [];
  private bytes = 0;
  private overflows = false;

  /** @param maxBytes what is kept; `...` comes after it when there was more, as the engine does. */
  constructor(private readonly maxBytes: number) {}

  append(data: Buffer): void {
    const kept = data.subarray(0, this.maxBytes - this.bytes);
    if (kept.length < data.length) this.overflows = true;
    // A copy: the chunk it came in may be far larger.
    if (kept.length > 0) this.chunks.push(Buffer.from(kept));
    this.bytes += kept.length;
  }

  /** True once there was more than is kept. */
  get isCut(): boolean {
    return this.overflows;
  }

  /** What was kept, as UTF-8. */
  get text(): string {
    return `${Buffer.concat(this.chunks).toString('utf8')}${this.overflows ? '...' : ''}`;
  }
}
