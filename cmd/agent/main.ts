import { runCommandLine } from './command-line.js';

const interrupt = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    interrupt.abort(new Error(`${signal} received`));
  });
}

const exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  signal: interrupt.signal,
});
// Connections to the engine and to managers may linger; nothing of them is needed any more.
process.exit(exitCode);
