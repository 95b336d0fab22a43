import type { Streams } from '../streams.js';

/** How something is meant, not how it looks. */
export type Tone = 'good' | 'busy' | 'bad' | 'quiet' | 'strong' | 'aside';

const CODES: Readonly<Record<Tone, number>> = {
  good: 32,
  busy: 33,
  bad: 31,
  quiet: 2,
  strong: 1,
  aside: 36,
};

/** Colours text on a terminal (unless NO_COLOR is set), and leaves it alone elsewhere. */
export type Paint = (tone: Tone, text: string) => string;

/** See https://no-color.org. */
export function paintFor({ isTerminal, env }: Streams): Paint {
  if (!isTerminal || env['NO_COLOR'] || env['TERM'] === 'dumb') return (_tone, text) => text;
  return (tone, text) => `\u001b[${String(CODES[tone])}m${text}\u001b[0m`;
}
