import type { CallOptions } from './call.js';

/** A command to run inside of a container, beside its process. */
export interface ExecRequest extends CallOptions {
  /** The program and its arguments; no shell is put around them. */
  readonly command: readonly string[];
  /** What the command itself may take. The calls around it have deadlines of their own. */
  readonly timeoutMs: number;
  /** More output is read and forgotten. Default {@link MAX_EXEC_OUTPUT_BYTES}. */
  readonly maxOutputBytes?: number;
}

/** What a command came to. */
export interface ExecResult {
  /** For {@link Engine.isExecRunning}. */
  readonly execId: string;
  /** Undefined: it was not done in time. It goes on, for the engine has no way to end it. */
  readonly exitCode?: number;
  /** What it printed on both of its streams, ending in `...` when it was cut. */
  readonly output: string;
}

/** As much as the engine keeps of what a health check prints. */
export const MAX_EXEC_OUTPUT_BYTES = 4_096;
