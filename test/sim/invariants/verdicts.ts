/** A rule that did not hold. */
export interface Violation {
  /** Name of the rule. */
  readonly rule: string;
  readonly what: string;
  readonly atMs: number;
}

/** Takes down which rules did not hold; the first one ends a run. */
export class Verdicts {
  readonly violations: Violation[] = [];

  constructor(private readonly now: () => number) {}

  get isBroken(): boolean {
    return this.violations.length > 0;
  }

  broken(rule: string, what: string): void {
    this.violations.push({ rule, what, atMs: this.now() });
  }
}
