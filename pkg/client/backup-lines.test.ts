import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BackupEntry, BackupHeader } from '../../api/v1/index.js';
import { BackupSum, checkedBackup, type CheckedLine } from './backup-lines.js';

const HEADER: BackupHeader = {
  format: 1,
  clusterId: 'c1',
  storeId: 'e1',
  revision: 7,
  createdAt: '2026-01-01T00:00:00.000Z',
  version: '0.1.0',
};
const ENTRIES: BackupEntry[] = [
  { key: 'cluster', value: { metadata: { uid: 'c1' } } },
  { key: 'services/web', value: { spec: { replicas: 3 } } },
];

function aBackup(entries = ENTRIES): string[] {
  const sum = new BackupSum();
  const lines = [sum.add(HEADER), ...entries.map((entry) => sum.add(entry))];
  return [...lines, JSON.stringify(sum.end(0))];
}
async function read(lines: readonly string[]): Promise<CheckedLine[]> {
  const found: CheckedLine[] = [];
  async function* parsed() {
    for (const line of lines) yield JSON.parse(line) as unknown;
  }
  for await (const line of checkedBackup(parsed())) found.push(line);
  return found;
}

describe('checkedBackup', () => {
  it('gives every line of a good one', async () => {
    const lines = await read(aBackup());
    expect(lines.map(({ kind }) => kind)).toEqual(['header', 'entry', 'entry', 'end']);
    expect(lines[3]).toMatchObject({ end: { count: 2, skipped: 0 } });
  });

  it('takes whatever JSON the keys hold', async () => {
    const value = fc.dictionary(fc.string(), fc.jsonValue());
    const entry = fc.record({ key: fc.string({ minLength: 1 }), value });
    await fc.assert(
      fc.asyncProperty(fc.array(entry), async (entries) => {
        // as they come out of the store: parsed from JSON once
        const stored = JSON.parse(JSON.stringify(entries)) as BackupEntry[];
        expect(await read(aBackup(stored))).toHaveLength(stored.length + 2);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['cut short', (lines: string[]) => lines.slice(0, -1), /not complete/],
    ['empty', () => [], /not complete/],
    ['without a line', (lines: string[]) => lines.filter((_, index) => index !== 1), /changed/],
    ['changed', (lines: string[]) => lines.map((line) => line.replace(':3', ':4')), /changed/],
    ['in another order', (lines: string[]) => [...lines].reverse(), /order/],
    ['longer than its end', (lines: string[]) => [...lines, lines[1]!], /order/],
    ['begun twice', (lines: string[]) => [lines[0]!, ...lines], /order/],
    [
      'of a later format',
      (lines: string[]) => lines.map((line) => line.replace('"format":1', '"format":2')),
      /no backup/,
    ],
    ['something else', () => ['{"kind":"Service"}'], /no backup/],
  ])('refuses one that is %s', async (_what, spoil, message) => {
    await expect(read(spoil(aBackup()))).rejects.toThrow(message);
  });

  it('fails as the manager did that made it', async () => {
    const failure = { error: { code: 'ERR_UNAVAILABLE', message: 'etcd went away' } };
    const lines = [...aBackup().slice(0, 2), JSON.stringify(failure)];
    await expect(read(lines)).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
  });
});
