import { describe, expect, it } from 'vitest';
import { explainSeed, runBatch } from './run/batch.js';
import { describeTelling } from './run/report.js';

const TIMEOUT = { timeout: 240_000 };
const hashesOf = (results: readonly { readonly seed: number; readonly hash: string }[]) =>
  new Map(results.map(({ seed, hash }) => [seed, hash]));

describe('the simulation', () => {
  it(
    'tells each story twice in the same way, whoever tells it and after what',
    TIMEOUT,
    async () => {
      const [first, second] = await Promise.all([
        runBatch({ from: 1, count: 24, jobs: 1 }),
        runBatch({ from: 13, count: 12, jobs: 1 }),
      ]);
      expect(first.failures).toEqual([]);
      expect(first.results).toHaveLength(24);
      const hashes = hashesOf(first.results);
      expect(new Set(hashes.values()).size).toBe(24);
      for (const [seed, hash] of hashesOf(second.results)) expect(hash).toBe(hashes.get(seed));
    },
  );

  it('finds a mistake, and tells the shortest story in which it shows', TIMEOUT, async () => {
    const mutation = {
      file: 'controllers/task/plan-restart.ts',
      from: 'const mayStart = isOver(task) && !isAnyStopping(slotTasks);',
      to: 'const mayStart = true;',
    };
    const { failures } = await runBatch({ from: 1, count: 200, mostFailures: 1, mutation });
    const [failure] = failures;
    expect(failure?.violation?.rule).toBe('start-waits');
    const telling = await explainSeed(failure?.seed ?? 0, { mutation });
    expect(telling.violation?.rule).toBe('start-waits');
    expect(telling.steps.length).toBeLessThan(telling.before);
    const text = describeTelling(telling);
    expect(text).toContain(`again: make sim SEED=${String(telling.seed)}`);
    expect(text).toContain(JSON.stringify(telling.steps[0]?.kind));
  });
});
