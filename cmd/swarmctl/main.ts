import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { SystemClock } from '../../pkg/base/index.js';
import { EXIT } from './exit-code.js';
import { runSwarmctl } from './run.js';
import type { Streams } from './streams.js';

const interrupt = new AbortController();

process.once('SIGINT', () => {
  interrupt.abort(new Error('interrupted'));
  process.once('SIGINT', () => process.exit(EXIT.interrupted)); // pressed again: now
});
// The reader of a pipe may leave early (`swarmctl logs web | head`): that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed);
});

async function ask(question: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await reader.question(question, { signal: interrupt.signal });
  } finally {
    reader.close();
  }
}

const streams: Streams = {
  out: (chunk) => void process.stdout.write(chunk),
  err: (chunk) => void process.stderr.write(chunk),
  readStdin: () => text(process.stdin),
  ...(process.stdin.isTTY && { ask }),
  isTerminal: process.stdout.isTTY,
  get columns() {
    return process.stdout.isTTY ? process.stdout.columns : 80;
  },
  get rows() {
    return process.stdout.isTTY ? process.stdout.rows : 24;
  },
  env: process.env,
  interrupted: interrupt.signal,
  clock: new SystemClock(),
};

process.exitCode = await runSwarmctl(process.argv.slice(2), streams);
// Ends what still waits (a stream that was cut) once everything is written.
process.stdout.write('', () => process.exit());
