import { defineConfig } from 'vitest/config';
import { TotalsReporter } from './deploy/check/totals-reporter.js';

const NOT_UNIT = [
  '**/*.sim.test.ts',
  '**/*.integration.test.ts',
  '**/*.e2e.test.ts',
  '**/node_modules/**',
];

/** What vi.mock replaces in one file must not be seen by the next one. */
const WITH_MOCKED_MODULES = ['deploy/local/**/*.test.ts'];

/** End to end, and for minutes nothing happens but that time passes. */
const BY_THE_CLOCK = ['test/e2e/cron.e2e.test.ts'];

/** Of projects that start clusters, each with an engine; one of them runs beside one that waits for the clock. */
const WHOLE_CLUSTERS = {
  setupFiles: ['reflect-metadata'],
  testTimeout: 180_000,
  hookTimeout: 180_000,
  pool: 'forks' as const,
  maxWorkers: 2,
  sequence: { groupOrder: 4 },
};

/**
 * Projects by what they need: nothing (`unit*`), a minute (`simulation`), an etcd, a Docker Engine (`e2e`; `clock` for
 * those that mostly wait). They run one after another, but for the last two.
 */
export default defineConfig({
  test: {
    reporters: ['default', new TotalsReporter()],
    coverage: {
      provider: 'v8',
      include: ['{api,pkg,controllers,cmd}/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.bench.ts'],
      reporter: ['text-summary', 'html', 'lcov'],
      thresholds: { lines: 90 },
    },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{api,pkg,controllers,cmd,deploy,test}/**/*.test.{ts,js}'],
          exclude: [...NOT_UNIT, ...WITH_MOCKED_MODULES],
          setupFiles: ['reflect-metadata'],
          pool: 'forks',
          // Files share the modules of their process, which halves the time: a test may leave nothing
          // behind in a module or in the process. `--sequence.shuffle.files` finds one that does.
          isolate: false,
          maxWorkers: '100%', // by default one less than there are cores
          testTimeout: 60_000, // ends what hangs; a busy machine is not a fault
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'unit-isolated',
          include: [...WITH_MOCKED_MODULES],
          exclude: [...NOT_UNIT],
          pool: 'forks',
          maxWorkers: '100%',
          testTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'simulation',
          include: ['test/sim/**/*.sim.test.ts'],
          pool: 'forks',
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/**/*.integration.test.ts'],
          setupFiles: ['reflect-metadata'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          pool: 'forks',
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'clock', // before `e2e` by name, and so begun first
          include: BY_THE_CLOCK,
          exclude: ['**/node_modules/**'],
          ...WHOLE_CLUSTERS,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e.test.ts'],
          exclude: [...BY_THE_CLOCK, '**/node_modules/**'],
          ...WHOLE_CLUSTERS,
          setupFiles: [...WHOLE_CLUSTERS.setupFiles, './test/fixtures/one-at-a-time.ts'],
        },
      },
    ],
  },
});
