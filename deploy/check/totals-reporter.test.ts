import { describe, expect, it } from 'vitest';
import type { TestModule } from 'vitest/node';
import { countTests, formatTotals } from './totals-reporter.js';

type State = 'passed' | 'failed' | 'skipped';

function aModule(project: string, states: readonly State[], state: State = 'passed'): TestModule {
  const tests = states.map((of, index) => ({
    fullName: `test ${index}`,
    result: () => ({ state: of }),
  }));
  return {
    relativeModuleId: `${project}.test.ts`,
    project: { name: project },
    state: () => state,
    children: { allTests: () => tests.values() },
  } as unknown as TestModule;
}

describe('countTests', () => {
  it('adds up all files', () => {
    const modules = [
      aModule('unit', ['passed', 'passed', 'skipped']),
      aModule('e2e', ['passed', 'failed'], 'failed'),
    ];
    expect(countTests(modules, 0)).toEqual({ passed: 3, failed: 1, skipped: 1, forbidden: [] });
  });

  it('counts a file that could not be loaded, and errors of no test', () => {
    expect(countTests([aModule('unit', [], 'failed')], 2)).toMatchObject({ passed: 0, failed: 3 });
  });

  it('names what must not be skipped in CI', () => {
    const modules = ['unit', 'integration', 'e2e'].map((name) => aModule(name, ['skipped']));
    expect(countTests(modules, 0).forbidden).toEqual([
      'integration.test.ts: test 0',
      'e2e.test.ts: test 0',
    ]);
  });
});

describe('formatTotals', () => {
  it('is one plain line', () => {
    const totals = { passed: 12, failed: 0, skipped: 0, forbidden: [] };
    expect(formatTotals(totals)).toBe('12 passed, 0 failed');
    expect(formatTotals({ ...totals, skipped: 1 })).toBe('12 passed, 0 failed, 1 skipped');
  });
});
