import { expect, it } from 'vitest';
import { explainSeed, runBatch } from './run/batch.js';
import { describeFailures, describeTelling } from './run/report.js';

const SEEDS = 1_000;

it('a thousand stories break no rule', { timeout: 900_000 }, async () => {
  const { results, failures } = await runBatch({ from: 1, count: SEEDS });
  const [first] = failures;
  const story = first && describeTelling(await explainSeed(first.seed));
  expect(`${describeFailures(failures)}\n${story ?? ''}`).toBe('\n');
  expect(results).toHaveLength(SEEDS);
});
