import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

/** Makes much that lives for a while, and prints how many MiB V8 then has for new objects. */
const SCRIPT = `
import { getHeapSpaceStatistics } from 'node:v8';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { boundYoungGeneration } from '${import.meta.resolve('./young-generation.ts')}';

if (process.env.MAX_MIB) boundYoungGeneration(Number(process.env.MAX_MIB));
const kept = [];
for (let turn = 0; turn < 300; turn += 1) {
  for (let made = 0; made < 5000; made += 1) kept.push({ turn, made });
  await nextTurn();
}
const space = getHeapSpaceStatistics().find((each) => each.space_name === 'new_space');
console.log(Math.round((space.space_used_size + space.space_available_size) / 1024 / 1024));
`;

function capacityMib(maxMib?: number): number {
  const env = {
    PATH: process.env['PATH'],
    ...(maxMib !== undefined && { MAX_MIB: String(maxMib) }),
  };
  const args = ['--import', 'tsx', '--input-type=module', '--eval', SCRIPT];
  const { stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  expect(stderr).toBe('');
  return Number(stdout);
}

describe('boundYoungGeneration', () => {
  it('lets it grow to its bound and no further', () => {
    expect(capacityMib(4)).toBe(4);
    expect(capacityMib()).toBeGreaterThan(4);
  });
});
