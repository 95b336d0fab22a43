import type { Reporter, TestModule } from 'vitest/node';

/** Tests of these projects prove nothing when they are skipped; in CI nobody would notice. */
const NEVER_SKIPPED_IN_CI: readonly string[] = ['integration', 'e2e'];

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Ends a test run with one plain line for people and machines, `12 passed, 0 failed` (with
 * `, 1 skipped` when there are any), and fails it when CI skipped what must not be skipped.
 */
export class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const totals: Totals = { passed: 0, failed: unhandled.length, skipped: 0 };
    const forbidden: string[] = [];
    for (const module of modules) {
      const skipped = addModule(totals, module);
      if (NEVER_SKIPPED_IN_CI.includes(module.project.name)) forbidden.push(...skipped);
    }
    // After the default reporter's summary and the coverage, which come in and after this hook.
    process.once('exit', () => process.stdout.write(closing(totals)));
    if (process.env['CI'] === 'true' && forbidden.length > 0) refuse(forbidden);
  }
}

/** Returns the names of the module's skipped tests. */
function addModule(totals: Totals, module: TestModule): readonly string[] {
  const skipped: string[] = [];
  let failedHere = 0;
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    if (state === 'passed') totals.passed += 1;
    else if (state === 'failed') failedHere += 1;
    else skipped.push(`${module.relativeModuleId}: ${test.fullName}`);
  }
  // A file that cannot be loaded, or whose hooks fail, has failed without a failed test.
  totals.failed += module.state() === 'failed' ? Math.max(1, failedHere) : failedHere;
  totals.skipped += skipped.length;
  return skipped;
}

function closing({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`;
}

function refuse(skipped: readonly string[]): void {
  const list = skipped.map((name) => `  ${name}`).join('\n');
  process.stderr.write(`\nCI=true forbids skipped integration and e2e tests:\n${list}\n`);
  process.exitCode = 1;
}
