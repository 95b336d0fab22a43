import type { Step } from '../scenario/steps.js';
import type { Violation } from '../invariants/verdicts.js';

/** What a worker is asked for. */
export type Order =
  | { readonly kind: 'run'; readonly seeds: readonly number[] }
  /** Make the story of a seed that fails as short as it gets, and tell it in words. */
  | { readonly kind: 'explain'; readonly seed: number }
  /** Tell the story of a seed in words, whatever comes of it. */
  | { readonly kind: 'trace'; readonly seed: number };

/** What came of one seed. */
export interface SeedResult {
  readonly seed: number;
  readonly violation?: Violation | undefined;
  readonly hash: string;
  /** Events on the time line. */
  readonly happened: number;
  /** Simulated time in milliseconds. */
  readonly passedMs: number;
}

/** A story in words. */
export interface Telling extends SeedResult {
  readonly shape: string;
  readonly steps: readonly Step[];
  /** How many steps the story had before it was made shorter. */
  readonly before: number;
  readonly lines: readonly string[];
}

/** What a worker answers. */
export type Answer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'results'; readonly results: readonly SeedResult[] }
  | { readonly kind: 'telling'; readonly telling: Telling };
