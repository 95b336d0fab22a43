/**
 * The architecture, as data. Who may import whom is decided here and nowhere else; `make check`
 * fails on the first import that points the wrong way. To move a boundary, change this file and
 * say why in the commit.
 *
 * Read LEVELS from top to bottom: a folder may import folders of rows above its own, never of its
 * own row or of rows below. A folder is entered through its index.ts.
 */
const LEVELS = [
  // L0 contracts: schemas, types, error codes, paths. Imports typebox and itself.
  ['api'],
  // L1 the ground: errors, clock, ids. Imports nothing.
  ['pkg/base'],
  // L1 what every process needs before it does anything.
  ['pkg/log', 'pkg/metrics', 'pkg/config'],
  // L2 one folder per outside world (etcd, Docker, X.509, YAML, the kernel), and what is pure: placement, calendars.
  [
    'pkg/store',
    'pkg/engine',
    'pkg/pki',
    'pkg/scheduler',
    'pkg/cron',
    'pkg/manifest',
    'pkg/network',
  ],
  // L3 from keys to caches, queues and leadership.
  // Beside them what stored objects mean together, which controllers and API share.
  ['pkg/informer', 'pkg/queue', 'pkg/election', 'pkg/lifecycle'],
  // L4 the controllers' runtime, typed access to objects, and the HTTP client.
  ['pkg/controller', 'pkg/client', 'pkg/objects', 'pkg/events'],
  // The cluster as placement sees it, kept from the world: for those who place and those who ask why.
  ['pkg/placement'],
  // What would happen if: any controllers on a copy of the world.
  ['pkg/forecast'],
  // L5 what the system does. Controllers are siblings: they meet in the store, never in code.
  ['pkg/apiserver', 'pkg/agent', 'controllers/[^/]+'],
  // L6 entry points: the only place that wires. Nothing imports them.
  ['cmd/manager', 'cmd/agent', 'cmd/swarmctl'],
  // L7 builds, starts and describes the programs (docs/swarmctl.md is made from the command line).
  ['deploy'],
];

/** A driver library lives in exactly one place; everybody else talks to that place's port. */
const DRIVERS = {
  etcd3: 'pkg/store',
  '@grpc/grpc-js': 'pkg/store',
  dockerode: 'pkg/engine',
  '@peculiar/x509': 'pkg/pki',
  'p-queue': 'pkg/queue',
  fastify: 'pkg/apiserver',
  '@fastify/swagger': 'pkg/apiserver',
  pino: 'pkg/log',
  'prom-client': 'pkg/metrics',
  croner: 'pkg/cron',
  yaml: 'pkg/manifest',
  commander: 'cmd',
  'reflect-metadata': '(cmd|deploy|pkg/pki)',
  esbuild: 'deploy',
};

/** The CLI starts in the blink of an eye because it knows no more than this. */
const SWARMCTL_MAY_IMPORT = ['api', 'pkg/base', 'pkg/client', 'pkg/manifest', 'cmd/swarmctl'];

/** A plan decides from its snapshot; these have no clock, no network and no disk. */
const PLANS_MAY_IMPORT = ['api', 'pkg/base', 'pkg/scheduler', 'pkg/cron', 'pkg/lifecycle'];

/** Tests may reach anywhere, and nothing but tests may reach into test/. */
const TEST_FILES = '(^test/|[.](test|bench)[.]ts$)';

const OURS = '^(api|pkg|controllers|cmd|deploy)/';
const any = (folders) => `^(${folders.join('|')})/`;
const escaped = (name) => name.replace(/[.]/g, '[.]');

const levelRules = LEVELS.flatMap((row, level) =>
  row.map((folder) => ({
    name: `level: ${folder}`,
    comment: 'Imports go to a higher row of LEVELS, never sideways and never down.',
    severity: 'error',
    // Group 1 is the folder itself, so that files of one folder may import each other.
    from: { path: `^(${folder})/`, pathNot: TEST_FILES },
    to: { path: any(LEVELS.slice(level).flat()), pathNot: '^$1/' },
  })),
);

const driverRules = Object.entries(DRIVERS).map(([library, home]) => ({
  name: `driver: ${library}`,
  comment: `${library} is imported in ${home} only; use that folder's port.`,
  severity: 'error',
  from: { path: OURS, pathNot: `(^${home}/|${TEST_FILES})` },
  to: { path: `node_modules/(@types/)?${escaped(library)}/` },
}));

module.exports = {
  forbidden: [
    ...levelRules,
    ...driverRules,
    {
      name: 'no-cycle',
      comment: 'Two files that import each other are one file, or miss a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'enter-through-index',
      comment: 'A package is entered through its index.ts; export there what others need.',
      severity: 'error',
      from: { path: '^(pkg/[^/]+|controllers/[^/]+|api|cmd|deploy)/', pathNot: TEST_FILES },
      to: { path: '^(pkg|controllers)/[^/]+/', pathNot: ['^$1/', '/index[.]ts$'] },
    },
    {
      name: 'api-is-contracts-only',
      comment: 'api/ is what clients and servers agree on: typebox and nothing else.',
      severity: 'error',
      from: { path: '^api/', pathNot: TEST_FILES },
      to: { pathNot: '(^api/|node_modules/typebox/)' },
    },
    {
      name: 'base-imports-nothing',
      comment: 'pkg/base stands on Node alone.',
      severity: 'error',
      from: { path: '^pkg/base/', pathNot: TEST_FILES },
      to: { pathNot: '^pkg/base/', dependencyTypesNot: ['core'] },
    },
    {
      name: 'swarmctl-stays-small',
      comment: `cmd/swarmctl imports ${SWARMCTL_MAY_IMPORT.join(', ')} only.`,
      severity: 'error',
      from: { path: '^cmd/swarmctl/', pathNot: TEST_FILES },
      to: { path: any(LEVELS.flat()), pathNot: [any(SWARMCTL_MAY_IMPORT), '^pkg/pki/'] },
    },
    {
      name: 'swarmctl-loads-pki-late',
      comment: 'cmd/swarmctl loads pkg/pki with import() where a key is made: others start faster.',
      severity: 'error',
      from: { path: '^cmd/swarmctl/', pathNot: TEST_FILES },
      to: { path: '^pkg/pki/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'plans-are-pure',
      comment: `plan*.ts imports ${PLANS_MAY_IMPORT.join(', ')} and its own plan*.ts only.`,
      severity: 'error',
      from: { path: '^controllers/([^/]+)/plan[^/]*[.]ts$', pathNot: TEST_FILES },
      to: { pathNot: [any(PLANS_MAY_IMPORT), '^controllers/$1/plan[^/]*[.]ts$'] },
    },
    {
      name: 'no-child-processes',
      comment:
        "Programs of the host are run by pkg/network and by deploy/ only; and a person's editor by `swarmctl edit`.",
      severity: 'error',
      from: {
        path: OURS,
        pathNot: `(^pkg/network/|^deploy/|^cmd/swarmctl/edit/run-editor[.]ts$|${TEST_FILES})`,
      },
      to: { path: '^(node:)?child_process$' },
    },
    {
      name: 'tests-stay-tests',
      comment: 'test/ and *.test.ts are imported by tests only.',
      severity: 'error',
      from: { pathNot: TEST_FILES },
      to: { path: TEST_FILES },
    },
    {
      name: 'every-folder-has-a-level',
      comment: 'A new folder gets a place in LEVELS before it imports anything.',
      severity: 'error',
      from: { path: OURS, pathNot: [any(LEVELS.flat()), TEST_FILES] },
      to: {},
    },
    {
      name: 'nothing-unresolvable',
      comment: 'The import leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependency-at-run-time',
      comment: 'What runs in production is in "dependencies".',
      severity: 'error',
      from: { path: '^(api|pkg|controllers|cmd)/', pathNot: TEST_FILES },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage|[.]run)/' },
    tsPreCompilationDeps: true, // type imports count: they are knowledge, too
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js'],
    },
    cache: { folder: 'node_modules/.cache/dependency-cruiser', strategy: 'content' },
  },
};
