import { describe, expect, it } from 'vitest';
import { formatReport, formatTable, parseBenchmarkOptions, repeat, summarise } from './harness.js';

describe('summarise', () => {
  it.each([
    [[3], { median: 3, min: 3, max: 3, n: 1 }],
    [[10, 2, 9], { median: 9, min: 2, max: 10, n: 3 }],
    [[4, 1, 3, 100], { median: 3.5, min: 1, max: 100, n: 4 }],
  ])('sums up %j', (values, summary) => {
    expect(summarise(values)).toEqual(summary);
  });
});

describe('repeat', () => {
  it('leaves the warm-up out of the figures', async () => {
    let call = 0;
    const summary = await repeat(3, () => (call += 1));
    expect(summary).toEqual({ median: 3, min: 2, max: 4, n: 3 });
  });
});

describe('parseBenchmarkOptions', () => {
  it('has defaults, and takes --runs and --json', () => {
    expect(parseBenchmarkOptions([])).toEqual({ runs: 5, json: false });
    expect(parseBenchmarkOptions(['--json', '--runs', '9'])).toEqual({ runs: 9, json: true });
  });

  it('takes --only where there are sections to choose from', () => {
    const sections = ['create', 'idle'];
    expect(parseBenchmarkOptions(['--only', 'idle'], sections).only).toEqual(['idle']);
    expect(parseBenchmarkOptions(['--only', 'idle,create'], sections).only).toEqual([
      'idle',
      'create',
    ]);
    expect(() => parseBenchmarkOptions(['--only', 'sleep'], sections)).toThrow(
      '--only names "sleep"; there are create, idle',
    );
    expect(() => parseBenchmarkOptions(['--only', 'idle'])).toThrow('--only');
  });

  it.each(['0', '1.5', 'many'])('refuses --runs %s', (runs) => {
    expect(() => parseBenchmarkOptions(['--runs', runs])).toThrow(`--runs is "${runs}"`);
  });
});

describe('formatReport', () => {
  const report = {
    title: 'Speed',
    machine: 'a machine',
    rows: [{ name: 'it', unit: 'ms', median: 1234.5, min: 0.126, max: 12.34, n: 3 }],
    notes: ['as found'],
  };

  it('is a table for people', () => {
    expect(formatReport(report, { json: false })).toBe(
      '## Speed\n\na machine\n\n' +
        '| what | median | min - max   | n | unit |\n' +
        '| ---- | ------ | ----------- | - | ---- |\n' +
        '| it   | 1,235  | 0.13 - 12.3 | 3 | ms   |\n' +
        '\n- as found\n',
    );
  });

  it('is JSON for programs', () => {
    expect(JSON.parse(formatReport(report, { json: true }))).toEqual(report);
  });
});

describe('formatTable', () => {
  it('fills short rows up', () => {
    expect(formatTable([['a', 'bb'], ['ccc']])).toBe('| a   | bb |\n| --- | -- |\n| ccc |\n');
  });
});
