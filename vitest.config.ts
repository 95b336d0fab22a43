import { defineConfig } from 'vitest/config';
import { TotalsReporter } from './deploy/check/totals-reporter.js';

/** Three projects, by what they need: nothing, an etcd, a Docker Engine. */
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
          isolate: true,
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
          fileParallelism: false,
        },
      },
    ],
  },
});
