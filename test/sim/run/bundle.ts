import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';

/** A deliberate mistake: one piece of the product's source, and what stands there instead. */
export interface Mutation {
  /** Path from the top of the repository. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** The worker's program, ready to be started. */
export interface WorkerProgram extends AsyncDisposable {
  readonly path: string;
  /** To be evaluated before anything else of the process, packages included: see ambient.ts. */
  readonly first: string;
}

const TOP = join(import.meta.dirname, '../../..');

/**
 * Puts the worker and everything of the product that it runs into a few files: it starts in a tenth of the time.
 * Packages stay outside.
 */
export async function bundleWorker(mutation?: Mutation): Promise<WorkerProgram> {
  // Below the repository, so that packages are found.
  const folder = await mkdtemp(join(TOP, 'node_modules/.cache-simulation-'));
  await build({
    entryPoints: {
      ambient: join(import.meta.dirname, '../machines/ambient.ts'),
      worker: join(import.meta.dirname, 'worker.ts'),
    },
    outdir: folder,
    bundle: true,
    splitting: true, // both have the one ambient
    platform: 'node',
    target: 'node20.12',
    format: 'esm',
    sourcemap: true,
    packages: 'external',
    tsconfig: join(TOP, 'tsconfig.json'),
    logLevel: 'warning',
    plugins: mutation ? [mutating(mutation)] : [],
  });
  return {
    path: join(folder, 'worker.js'),
    first: join(folder, 'ambient.js'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Errors: RangeError when the source does not hold what is to be changed. */
function mutating({ file, from, to }: Mutation): Plugin {
  return {
    name: 'mutation',
    setup: ({ onLoad }) => {
      onLoad({ filter: /[.]ts$/ }, async ({ path }) => {
        if (relative(TOP, path) !== file) return undefined;
        const source = await readFile(path, 'utf8');
        if (!source.includes(from)) throw new RangeError(`${file} does not hold: ${from}`);
        return { contents: source.replace(from, to), loader: 'ts' };
      });
    },
  };
}
