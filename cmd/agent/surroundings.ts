/** What a command has of the process. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Aborts when the process is asked to end. */
  readonly signal: AbortSignal;
}
