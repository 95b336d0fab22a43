import type { Readable } from 'node:stream';

/** What a command may touch of its process; tests give it another one. */
export interface Streams {
  readonly stdin: Readable;
  /** Text for the user or the next program. Whole lines, line ends included. */
  out(text: string): void;
  /** Progress, hints and errors. */
  err(text: string): void;
  /** Standard output is a terminal: colours and redrawing are welcome. */
  readonly isTerminal: boolean;
  /** Width of the terminal; 80 when there is none. */
  readonly columns: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the user presses Ctrl-C. */
  readonly interrupted: AbortSignal;
  now(): Date;
}
