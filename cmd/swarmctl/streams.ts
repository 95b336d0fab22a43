import type { Clock } from '../../pkg/base/index.js';

/** What a command may touch of its process; tests give it another one. */
export interface Streams {
  /** Text for the user or the next program. Whole lines, line ends included. */
  readonly out: (text: string) => void;
  /** Progress, hints and errors. */
  readonly err: (text: string) => void;
  /** All of standard input. */
  readonly readStdin: () => Promise<string>;
  /** Asks the person and gives the answer; missing when nobody is there who could answer. */
  readonly ask?: (question: string) => Promise<string>;
  /** Standard output is a terminal: colours and redrawing are welcome. */
  readonly isTerminal: boolean;
  /** Width and height of the terminal; 80 by 24 when there is none. */
  readonly columns: number;
  readonly rows: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the user presses Ctrl-C. */
  readonly interrupted: AbortSignal;
  readonly clock: Clock;
}
