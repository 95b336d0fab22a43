import type { Reporter, TestModule } from 'vitest/node';

/** Tests of these projects prove nothing when they are skipped; in CI nobody would notice. */
const NEVER_SKIPPED_IN_CI: readonly string[] = ['integration', 'e2e'];

/** What a run came to. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Names of skipped tests that CI does not allow to be skipped. */
  readonly forbidden: readonly string[];
}

/**
 * Ends a test run with one plain line for people and machines, `12 passed, 0 failed` (with
 * `, 1 skipped` when there are any), and fails it when CI skipped what must not be skipped.
 */
export class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const totals = countTests(modules, unhandled.length);
    // After the default reporter's summary and the coverage, which come in and after this hook.
    process.once('exit', () => process.stdout.write(`${formatTotals(totals)}\n`));
    if (process.env['CI'] === 'true' && totals.forbidden.length > 0) refuse(totals.forbidden);
  }
}

/** `errors` that belong to no test count as failures. */
export function countTests(modules: readonly TestModule[], errors: number): Totals {
  let [passed, failed, skipped] = [0, errors, 0];
  const forbidden: string[] = [];
  for (const module of modules) {
    const tests = [...module.children.allTests()];
    const inState = (state: string) => tests.filter((test) => test.result().state === state);
    const failedHere = inState('failed').length;
    passed += inState('passed').length;
    // A file that cannot be loaded, or whose hooks fail, has failed without a failed test.
    failed += module.state() === 'failed' ? Math.max(1, failedHere) : failedHere;
    const skippedHere = [...inState('skipped'), ...inState('pending')];
    skipped += skippedHere.length;
    if (NEVER_SKIPPED_IN_CI.includes(module.project.name)) {
      forbidden.push(...skippedHere.map((t) => `${module.relativeModuleId}: ${t.fullName}`));
    }
  }
  return { passed, failed, skipped, forbidden };
}

/** The closing line. */
export function formatTotals({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

function refuse(forbidden: readonly string[]): void {
  const list = forbidden.map((name) => `  ${name}`).join('\n');
  process.stderr.write(`\nCI=true forbids skipped integration and e2e tests:\n${list}\n`);
  process.exitCode = 1;
}
