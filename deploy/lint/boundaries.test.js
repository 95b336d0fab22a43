import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise } from 'dependency-cruiser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const { forbidden, options } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs');

/** A house in small: right imports, and one file for each fault, named after it. */
const FILES = {
  'api/v1/index.ts': "import 'typebox'; export const a = 1;",
  'pkg/base/index.ts': "import 'node:crypto'; export const b = 1;",
  'pkg/base/inner.ts': 'export const inner = 1;',
  'pkg/log/index.ts': "import 'pino'; import '../base/index.js';",
  'pkg/store/index.ts': "import 'etcd3'; import '../log/index.js'; import '../../api/v1/index.js';",
  'pkg/queue/index.ts': "import 'p-queue'; import '../store/index.js';",
  'pkg/scheduler/index.ts': "import '../base/index.js';",
  'pkg/client/index.ts': "import '../base/index.js';",
  'pkg/controller/index.ts': "import '../queue/index.js';",
  'controllers/task/index.ts': "import './plan.js'; import '../../pkg/controller/index.js';",
  'controllers/task/plan.ts': "import './plan-slots.js'; import '../../pkg/scheduler/index.js';",
  'controllers/task/plan-slots.ts': "import '../../api/v1/index.js';",
  'controllers/task/plan.test.ts': "import '../../cmd/manager/main.js'; import 'vitest';",
  'cmd/manager/main.ts': "import '../../controllers/task/index.js';",
  'cmd/swarmctl/main.ts': "import '../../pkg/client/index.js';",

  'api/v1/uses-ours.ts': "import '../../pkg/base/index.js';",
  'pkg/base/uses-library.ts': "import 'yaml';",
  'pkg/store/uses-sibling.ts': "import '../scheduler/index.js';",
  'pkg/store/uses-higher.ts': "import type {} from '../queue/index.js';",
  'pkg/store/uses-inside.ts': "import '../base/inner.js';",
  'pkg/store/uses-driver.ts': "import 'p-queue';",
  'pkg/store/uses-process.ts': "import 'node:child_process';",
  'pkg/store/uses-dev.ts': "import 'fast-check';",
  'pkg/store/uses-nothing.ts': "import './not-there.js';",
  'pkg/store/cycle-a.ts': "import './cycle-b.js';",
  'pkg/store/cycle-b.ts': "import './cycle-a.js';",
  'pkg/store/uses-test.ts': "import '../../controllers/task/plan.test.js';",
  'pkg/new/index.ts': "import '../base/index.js';",
  'controllers/node/index.ts': "import '../task/index.js';",
  'controllers/node/plan.ts': "import 'node:fs';",
  'controllers/node/plan-io.ts': "import '../../pkg/controller/index.js';",
  'cmd/swarmctl/uses-store.ts': "import '../../pkg/store/index.js';",
  'pkg/agent/uses-main.ts': "import '../../cmd/manager/main.js';",
};

const EXPECTED = [
  ['api/v1/uses-ours.ts', 'api-is-contracts-only'],
  ['pkg/base/uses-library.ts', 'base-imports-nothing'],
  ['pkg/base/uses-library.ts', 'driver: yaml'],
  ['pkg/store/uses-sibling.ts', 'level: pkg/store'],
  ['pkg/store/uses-higher.ts', 'level: pkg/store'],
  ['pkg/store/uses-inside.ts', 'enter-through-index'],
  ['pkg/store/uses-driver.ts', 'driver: p-queue'],
  ['pkg/store/uses-process.ts', 'no-child-processes'],
  ['pkg/store/uses-dev.ts', 'no-dev-dependency-at-run-time'],
  ['pkg/store/uses-nothing.ts', 'nothing-unresolvable'],
  ['pkg/store/cycle-a.ts', 'no-cycle'],
  ['pkg/store/uses-test.ts', 'tests-stay-tests'],
  ['pkg/new/index.ts', 'every-folder-has-a-level'],
  ['controllers/node/index.ts', 'level: controllers/[^/]+'],
  ['controllers/node/plan.ts', 'plans-are-pure'],
  ['controllers/node/plan-io.ts', 'plans-are-pure'],
  ['cmd/swarmctl/uses-store.ts', 'swarmctl-stays-small'],
  ['pkg/agent/uses-main.ts', 'level: pkg/agent'],
];

const checkout = process.cwd();
let house = '';
let found = [];

describe('the boundaries of .dependency-cruiser.cjs', () => {
  beforeAll(async () => {
    house = mkdtempSync(join(tmpdir(), 'swarm-house-'));
    for (const [path, text] of Object.entries(FILES)) {
      mkdirSync(join(house, dirname(path)), { recursive: true });
      writeFileSync(join(house, path), text);
    }
    symlinkSync(join(checkout, 'package.json'), join(house, 'package.json'));
    symlinkSync(join(checkout, 'node_modules'), join(house, 'node_modules'));
    const { cache: _cache, tsConfig: _tsConfig, ...rest } = options;
    const { output } = await cruise(['api', 'pkg', 'controllers', 'cmd'], {
      ...rest,
      preserveSymlinks: true,
      baseDir: house,
      validate: true,
      ruleSet: { forbidden },
    });
    found = output.summary.violations.map(({ from, rule }) => `${from}: ${rule.name}`);
  });

  afterAll(() => rmSync(house, { recursive: true, force: true }));

  it.each(EXPECTED)('refuse %s: %s', (file, rule) => {
    expect(found).toContain(`${file}: ${rule}`);
  });

  it('refuse nothing else', () => {
    const faulty = new Set([...EXPECTED.map(([file]) => file), 'pkg/store/cycle-b.ts']);
    expect(found.filter((violation) => !faulty.has(violation.split(': ')[0]))).toEqual([]);
  });
});
