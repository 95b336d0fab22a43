/**
 * Bundles the three programs into dist/. swarmctl is bundled whole, because a person waits for
 * every start of it; manager and agent keep their packages in node_modules, so that a stack trace
 * names the file that a reader can open.
 */
import { build, type BuildOptions } from 'esbuild';

const COMMON: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node20.12',
  format: 'esm',
  sourcemap: true,
  tsconfig: 'tsconfig.json', // carries experimentalDecorators
  logLevel: 'warning',
};

/** CommonJS packages inside an ES module still call require for Node's own modules. */
const REQUIRE_SHIM = [
  "import { createRequire as createRequireShim } from 'node:module';",
  'const require = createRequireShim(import.meta.url);',
].join('\n');

const PROGRAMS: readonly BuildOptions[] = [
  { entryPoints: ['cmd/manager/main.ts'], outfile: 'dist/swarm-manager.js', packages: 'external' },
  { entryPoints: ['cmd/agent/main.ts'], outfile: 'dist/swarm-agent.js', packages: 'external' },
  {
    entryPoints: ['cmd/swarmctl/main.ts'],
    outfile: 'dist/swarmctl.js',
    banner: { js: REQUIRE_SHIM },
    minifySyntax: true,
    minifyWhitespace: true,
    mainFields: ['module', 'main'],
    legalComments: 'linked',
  },
];

const outcomes = await Promise.allSettled(
  PROGRAMS.map((program) => build({ ...COMMON, ...program })),
);
// esbuild has printed what is wrong, with the place.
if (outcomes.some(({ status }) => status === 'rejected')) process.exitCode = 1;
