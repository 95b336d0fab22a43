import { readFileSync } from 'node:fs';
import { UsageError } from '../exit-code.js';
import { invalidArgument } from './values.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** What `--env-file` and `--env` say together; the latter wins. Errors: UsageError. */
export function readEnvironment(
  files: readonly string[],
  entries: readonly string[],
  own: Environment,
): Record<string, string> {
  const lines = files.flatMap(linesOf);
  return { ...entriesOf(lines, own), ...entriesOf(entries, own) };
}

/** `KEY=value`, or `KEY` for the value that swarmctl's own environment has; without one it is left out. */
function entriesOf(entries: readonly string[], own: Environment): Record<string, string> {
  const known: Record<string, string> = {};
  for (const entry of entries) {
    const [, key, value] = /^([^=]+)(?:=([\s\S]*))?$/.exec(entry) ?? [];
    if (key === undefined)
      throw invalidArgument('env', entry, `invalid environment variable: ${entry}`);
    const found = value ?? own[key];
    if (found !== undefined) known[key] = found;
  }
  return known;
}

function linesOf(file: string): readonly string[] {
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw invalidArgument('env-file', file, `open ${file}: no such file or directory`);
  }
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => checkedLine(file, line));
}

function checkedLine(file: string, line: string): string {
  const [key = ''] = line.split('=', 1);
  if (key === '') throw new UsageError(`${file}: no variable name on line '${line}'`);
  if (/\s/.test(key)) throw new UsageError(`${file}: variable '${key}' contains whitespaces`);
  return line;
}
