/**
 * The linter: typescript-eslint's strictest presets, plus our house rules as code. A rule that is
 * not obvious carries its reason here or in its message. Import directions are not here but in
 * .dependency-cruiser.cjs.
 */
import tseslint from 'typescript-eslint';
import { houseRules } from './deploy/lint/house-rules.js';

const TESTS = ['**/*.test.ts', '**/*.bench.ts', 'test/**/*.ts'];

/** Files that decide and do nothing else: same input, same output. */
const PURE = [
  'controllers/*/plan*.ts',
  'pkg/scheduler/**/*.ts',
  'pkg/cron/**/*.ts',
  'pkg/lifecycle/**/*.ts',
];

/** `no-restricted-syntax` of a later block replaces that of an earlier one, so lists are shared. */
const SYNTAX = [
  {
    selector:
      'ClassDeclaration:has(> Decorator[expression.callee.name=/^(injectable|singleton|scoped)$/])' +
      ' > ClassBody > MethodDefinition[kind="constructor"] > FunctionExpression' +
      ' > :matches(Identifier, TSParameterProperty, AssignmentPattern):not(:has(Decorator))',
    message:
      'Every constructor parameter of an injectable class needs an explicit @inject(token): ' +
      'esbuild emits no parameter types.',
  },
  { selector: 'TSEnumDeclaration', message: 'Use a union of string literals instead of an enum.' },
  {
    selector: 'ExportDefaultDeclaration',
    message: 'Use a named export, so that a thing has one name everywhere.',
  },
  {
    selector:
      ':matches(ReturnStatement, VariableDeclarator, AssignmentExpression, ' +
      'ArrowFunctionExpression, PropertyDefinition) > Literal[raw="null"]',
    message: 'Use undefined for "nothing"; null is for other people\'s protocols.',
  },
];
const EXPORT_ALL = {
  selector: 'ExportAllDeclaration',
  message: '`export *` belongs in an index.ts only.',
};

const PURITY_WHY = 'A plan is a pure function of its snapshot, or it cannot be tested or replayed.';
const PURITY_SYNTAX = [
  [':function[async=true]', 'Read in the reconciler and pass the result in the snapshot.'],
  ['AwaitExpression', 'Read in the reconciler and pass the result in the snapshot.'],
  ['NewExpression[callee.name="Date"][arguments.length=0]', 'Take `now` from the snapshot.'],
  [
    'MemberExpression[object.name=/^(Date|performance)$/][property.name="now"]',
    'Take `now` from the snapshot.',
  ],
  [
    'MemberExpression[object.name="Math"][property.name="random"]',
    'Take a seed from the snapshot, or derive the choice from an id.',
  ],
  [
    ':matches(Identifier[name=/^random(UUID|Bytes|Int)$/], NewExpression[callee.name="SystemClock"])',
    'Let the applier make ids and read clocks.',
  ],
  [
    'MemberExpression[object.name="process"]',
    'Read configuration at the entry point and pass it in the snapshot.',
  ],
  [
    'CallExpression[callee.name=/^(setTimeout|setInterval|setImmediate|fetch)$/]',
    'Return what should happen, e.g. `lookAgainAt`, and let the shell do it.',
  ],
].map(([selector, instead]) => ({ selector, message: `${instead} ${PURITY_WHY}` }));

const CONTAINER_BAN = {
  paths: [
    {
      name: 'tsyringe',
      importNames: ['container', 'DependencyContainer'],
      message: 'Only cmd/ may hold the container; take what you need as a constructor parameter.',
    },
  ],
};
const NO_EXIT = {
  object: 'process',
  property: 'exit',
  message: 'Throw instead; only cmd/ decides about the exit code, after everything was closed.',
};

export default tseslint.config(
  { ignores: ['dist/**', 'coverage/**', '.run/**', 'node_modules/**', 'api/openapi/**'] },
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { house: houseRules },
    rules: { 'house/file-name': 'error' },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/naming-convention': [
        'error',
        {
          selector: 'typeLike',
          format: ['PascalCase'],
          // Name the thing itself; an interface needs no I, and nobody is helped by a "Helper".
          custom: { regex: '^I(?!P)[A-Z][a-z]|(Impl|Helper|Utils?|Info|Data)$', match: false },
        },
      ],
      'no-console': 'error',
      'no-restricted-properties': ['error', NO_EXIT],
      'no-restricted-imports': ['error', CONTAINER_BAN],
      'no-restricted-syntax': ['error', ...SYNTAX, EXPORT_ALL],
      eqeqeq: 'error',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      // "modified": a switch counts once, because ours are exhaustive tables over a union.
      complexity: ['error', { max: 10, variant: 'modified' }],
      'max-params': ['error', 4],
      'max-depth': ['error', 3],
    },
  },
  {
    files: ['api/**/*.ts', 'pkg/**/*.ts'],
    ignores: TESTS,
    rules: { 'house/export-doc': 'error' },
  },
  {
    files: ['**/index.ts'],
    rules: {
      'house/package-header': 'error',
      'no-restricted-syntax': ['error', ...SYNTAX],
    },
  },
  {
    files: PURE,
    ignores: [...TESTS, '**/index.ts'],
    rules: { 'no-restricted-syntax': ['error', ...SYNTAX, EXPORT_ALL, ...PURITY_SYNTAX] },
  },
  {
    files: ['cmd/**/*.ts', 'deploy/**/*.ts'],
    rules: { 'no-restricted-properties': 'off', 'no-restricted-imports': 'off' },
  },
  {
    files: TESTS,
    rules: {
      // A test may claim what it is about to prove, and a fake may have nothing to wait for.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      'max-lines-per-function': 'off',
      'max-lines': 'off',
      'no-restricted-imports': 'off',
    },
  },
  {
    files: ['test/lab/main.ts'], // an entry point, too
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    // The config formats of other tools demand a default export.
    files: ['*.config.{ts,js}'],
    rules: { 'no-restricted-syntax': 'off' },
  },
);
