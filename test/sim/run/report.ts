import type { SeedResult, Telling } from './messages.js';

/** Lines of the time line that are shown: those before a rule broke tell the most. */
const SHOWN_LINES = 120;

/** Everything that a person needs to understand why a seed fails. */
export function describeTelling(telling: Telling, mostLines = SHOWN_LINES): string {
  const { seed, violation, shape, steps, before, lines } = telling;
  const shown = lines.slice(-mostLines);
  const left = lines.length - shown.length;
  return [
    violation ? `seed ${seed} breaks "${violation.rule}"` : `seed ${seed} holds`,
    ...(violation ? [`  at ${seconds(violation.atMs)}: ${violation.what}`] : []),
    `world: ${shape}`,
    `story: ${steps.length} of ${before} steps`,
    ...steps.map(({ atMs, ...step }) => `  ${seconds(atMs)}  ${JSON.stringify(step)}`),
    left > 0 ? `time line, after ${left} lines:` : 'time line:',
    ...shown,
    `again: make sim SEED=${seed}`,
  ].join('\n');
}

/** One line for each seed that failed. */
export function describeFailures(failures: readonly SeedResult[]): string {
  return failures
    .map(
      ({ seed, violation }) => `seed ${seed}: ${violation?.rule ?? ''}: ${violation?.what ?? ''}`,
    )
    .join('\n');
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(3)} s`;
