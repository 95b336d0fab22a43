import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../pkg/base/index.js';
import {
  parseManifest,
  type ManifestObject,
  type ManifestProblem,
} from '../../../pkg/manifest/index.js';
import { UsageError } from '../exit-code.js';
import type { Streams } from '../streams.js';

/** What `-f` names. */
export interface FileOptions {
  /** Files, directories, or `-` for standard input. */
  readonly filename: readonly string[];
  /** Also directories below. */
  readonly recursive?: boolean;
}

/** What all files hold together. */
export interface ReadFiles {
  readonly objects: readonly ManifestObject[];
  readonly problems: readonly ManifestProblem[];
}

const MANIFEST_NAME = /\.(ya?ml|json)$/i;

/** Reads every document of every file. Errors: UsageError when a file cannot be read or there is nothing. */
export async function readFiles(
  { filename, recursive = false }: FileOptions,
  streams: Streams,
): Promise<ReadFiles> {
  const texts = (
    await Promise.all(filename.map((name) => readAny(name, recursive, streams)))
  ).flat();
  const manifests = texts.map(({ file, text }) => parseManifest(file, text));
  const objects = manifests.flatMap((manifest) => manifest.objects);
  const problems = manifests.flatMap((manifest) => manifest.problems);
  if (objects.length + problems.length === 0) {
    throw new UsageError(
      `nothing to do: no objects in ${filename.join(', ')}`,
      `Of directories, files called *.yaml, *.yml and *.json are read${recursive ? '' : '; with -R also those below'}.`,
    );
  }
  return { objects, problems };
}

interface FileText {
  readonly file: string;
  readonly text: string;
}

async function readAny(
  name: string,
  recursive: boolean,
  streams: Streams,
): Promise<readonly FileText[]> {
  if (name === '-') return [{ file: 'stdin', text: await streams.readStdin() }];
  try {
    const found = await stat(name);
    const files = found.isDirectory() ? await manifestsIn(name, recursive) : [name];
    return await Promise.all(
      files.map(async (file) => ({ file, text: await readFile(file, 'utf8') })),
    );
  } catch (error) {
    throw new UsageError(`cannot read ${name}: ${fileFault(error)}`);
  }
}

async function manifestsIn(directory: string, recursive: boolean): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive });
  return entries
    .filter((entry) => !entry.isDirectory() && MANIFEST_NAME.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function fileFault(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'no such file or directory';
  return code === 'EACCES' ? 'permission denied' : messageOf(error);
}
