import { hashOf } from './random.js';

/** One line of what happened. */
export interface TraceLine {
  /** True time in milliseconds. */
  readonly atMs: number;
  /** Machine or process. */
  readonly who: string;
  readonly what: string;
}

/** What happened in a world: always as a hash, and in words when somebody wants to read it. */
export class Trace {
  readonly lines: TraceLine[] = [];
  private state = 0x811c9dc5;

  constructor(
    private readonly now: () => number,
    readonly isRecording: boolean,
  ) {}

  /** Two runs of the same world have the same. */
  get hash(): string {
    return this.state.toString(16).padStart(8, '0');
  }

  /** Adds to the hash and, with `words`, to what can be read. */
  note(who: string, what: string, words?: () => string): void {
    this.state = hashOf(what, hashOf(who, this.state ^ Math.floor(this.now() * 1_000)));
    if (this.isRecording) this.say(who, words?.() ?? what);
  }

  /** Only for those who read. */
  say(who: string, what: string): void {
    if (this.isRecording) this.lines.push({ atMs: this.now(), who, what });
  }
}
