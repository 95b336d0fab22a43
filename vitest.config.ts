import { defineConfig } from 'vitest/config';
import { TotalsReporter } from './deploy/check/totals-reporter.js';

/** Three projects, by what they need: nothing, an etcd, a Docker Engine. They run one after another. */
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
          exclude: ['**/*.integration.test.ts', '**/*.e2e.test.ts', '**/node_modules/**'],
          setupFiles: ['reflect-metadata'],
          pool: 'threads',
          testTimeout: 15_000, // a busy machine is not a fault
          sequence: { groupOrder: 0 },
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
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e.test.ts'],
          setupFiles: ['reflect-metadata'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          pool: 'forks',
          fileParallelism: false, // whole clusters, each with an engine
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
