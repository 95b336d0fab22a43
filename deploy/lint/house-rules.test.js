import { RuleTester } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, it } from 'vitest';
import { houseRules } from './house-rules.js';

RuleTester.describe = describe;
RuleTester.it = it;
RuleTester.itOnly = it.only;

const tester = new RuleTester({ languageOptions: { parser: tseslint.parser } });
const { rules } = houseRules;
const missing = (name) => ({ messageId: 'missing', data: { name } });

tester.run('export-doc', rules['export-doc'], {
  valid: [
    '/** Says hello. */ export function greet() {}',
    '/** What a clock does. */ export interface Clock {}\n\nexport const Clock = Symbol("Clock");',
    '/** Ids. */\nexport type A = 1;\nexport type B = 2;',
    '/** A class. */\n@injectable()\nexport class Store {}',
    'function local() {}',
    "export { greet } from './greet.js';",
  ],
  invalid: [
    { code: 'export function greet() {}', errors: [missing('greet')] },
    { code: '// not a doc comment\nexport const a = 1;', errors: [missing('a')] },
    { code: '/** Far away. */\nexport type A = 1;\n\nexport type B = 2;', errors: [missing('B')] },
    { code: 'export const a = 1, b = 2;', errors: [missing('a'), missing('b')] },
  ],
});

tester.run('package-header', rules['package-header'], {
  valid: ["/** What this is for. */\nexport * from './a.js';"],
  invalid: [
    { code: "export * from './a.js';", errors: [{ messageId: 'missing' }] },
    { code: "export * from './a.js';\n/** Too late. */", errors: [{ messageId: 'missing' }] },
    {
      code: "// A line is not a header.\nexport * from './a.js';",
      errors: [{ messageId: 'missing' }],
    },
  ],
});

tester.run('file-name', rules['file-name'], {
  valid: [
    { code: '', filename: 'node-health.ts' },
    { code: '', filename: 'store.integration.test.ts' },
    { code: '', filename: '.dependency-cruiser.cjs' },
  ],
  invalid: ['NodeHealth.ts', 'node_health.ts', 'node-health.spec.ts'].map((filename) => ({
    code: '',
    filename,
    errors: [{ messageId: 'wrong', data: { name: filename } }],
  })),
});
