/**
 * Runs every generator of generators/ (see README.md there) and writes what changed; with --check it
 * writes nothing and fails when something would change.
 */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import 'reflect-metadata';

interface Generator {
  readonly target: string;
  readonly generate: () => Promise<string>;
}

const FOLDER = new URL('./generators/', import.meta.url);
const isCheck = process.argv.includes('--check');

async function loadGenerators(): Promise<readonly Generator[]> {
  const files = await readdir(FOLDER).catch(() => []);
  const scripts = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  return Promise.all(
    scripts.map(async (file) => (await import(new URL(file, FOLDER).href)) as Generator),
  );
}

/** True when the file on disk is not what its generator says; writes it unless only checking. */
async function refresh({ target, generate }: Generator): Promise<boolean> {
  const wanted = await generate();
  const found = await readFile(target, 'utf8').catch(() => undefined);
  if (found === wanted) return false;
  if (isCheck) {
    process.stdout.write(`${target} is out of date: run \`make generate\` and commit it\n`);
  } else {
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, wanted);
    process.stdout.write(`wrote ${target}\n`);
  }
  return true;
}

const stale = await Promise.all((await loadGenerators()).map(refresh));
// A generator may have opened something (a server that prints its routes): do not wait for it.
process.exit(isCheck && stale.includes(true) ? 1 : 0);
