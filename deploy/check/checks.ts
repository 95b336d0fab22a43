/** One command that says yes (status 0) or no. */
export interface Check {
  readonly name: string;
  /** What a "no" means, in a few words. */
  readonly what: string;
  readonly command: readonly [program: string, ...args: string[]];
}

/** What `make check` runs. The long ones first, so that they do not begin last. */
export const CHECKS: readonly Check[] = [
  {
    name: 'lint',
    what: 'house rules and suspicious code',
    command: ['eslint', '--cache', '--cache-location', 'node_modules/.cache/eslint/', '.'],
  },
  {
    name: 'unit',
    what: 'unit tests',
    command: ['vitest', 'run', '--project', 'unit*', '--reporter', 'dot'],
  },
  { name: 'types', what: 'TypeScript, strict', command: ['tsc', '--pretty', 'false'] },
  {
    name: 'generated',
    what: 'checked-in files are what their generators say',
    command: ['node', '--import', 'tsx', 'deploy/generate/generate.ts', '--check'],
  },
  {
    name: 'boundaries',
    what: 'imports point the right way (.dependency-cruiser.cjs)',
    command: ['depcruise', '--config', '.dependency-cruiser.cjs', '--output-type', 'err-long', '.'],
  },
  {
    name: 'unused',
    what: 'no dead files, exports or packages',
    command: ['knip', '--no-progress'],
  },
  {
    name: 'format',
    what: 'prettier (make fmt)',
    command: [
      'prettier',
      '--check',
      '--log-level',
      'warn',
      '--cache',
      '--cache-location',
      'node_modules/.cache/prettier/.prettier-cache',
      '.',
    ],
  },
];
