// The style rules that a program can check: one way to do a thing. Every message names the right way.
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const bannedGlobals = [
  {
    name: 'console',
    message: 'Results go to world.stdout through src/output; talk goes to the logger or world.stderr.',
  },
  { name: 'fetch', message: 'Use world.fetch, so that a test can stand in for the network.' },
];

const bannedProperties = [
  { object: 'process', property: 'env', message: 'Read world.env; only bin/recon.js touches the real environment.' },
  {
    object: 'process',
    property: 'exit',
    message: 'Throw, or return an exit code: main() decides, bin/recon.js sets it.',
  },
  { object: 'process', property: 'exitCode', message: 'Return an exit code: only bin/recon.js sets process.exitCode.' },
  { object: 'process', property: 'stdout', message: 'Write to world.stdout.' },
  { object: 'process', property: 'stderr', message: 'Write to world.stderr.' },
  { object: 'process', property: 'stdin', message: 'Read world.stdin.' },
  { object: 'Date', property: 'now', message: 'Use world.now(), or take the time as a parameter.' },
  { object: 'Math', property: 'random', message: 'Use world.random().' },
];

const bannedSyntax = [
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'Use world.now(), or take the time as a parameter.',
  },
  {
    selector: "CallExpression[callee.name='parseFloat']",
    message: 'Money is never a float: use money() of src/money.ts.',
  },
  {
    selector: "MemberExpression[property.name='toFixed']:not([object.callee.name='money'])",
    message: 'Money is never a float: use src/money.ts; milliseconds are whole numbers.',
  },
  { selector: 'ExportDefaultDeclaration', message: 'Export by name: one name per thing, everywhere.' },
  {
    selector: "MemberExpression[object.name=/^(sql|database|transaction)$/][property.name='unsafe']",
    message: 'Values are parameters. SQL text comes from sql/ through src/source.ts and src/database/database.ts only.',
  },
];

const oneHome = [
  {
    name: 'postgres',
    message: 'Only src/database/database.ts imports postgres: take a Database or a Transaction from there.',
  },
  { name: 'decimal.js', message: 'Only src/money.ts imports decimal.js: its precision is set there.' },
  { name: 'chalk', message: 'Colour belongs to src/output.' },
  { name: 'cli-table3', message: 'Tables belong to src/output.' },
  { name: 'csv-stringify/sync', message: 'CSV belongs to src/output.' },
  { name: 'node-fetch', message: 'Use world.fetch; only src/world.ts imports node-fetch.' },
  { name: 'commander', message: 'Flags belong to src/commands and src/main.ts.' },
];

/** Forbids the packages that live elsewhere, except `allowed`, and the folders that this one must not know. */
function imports(allowed, patterns = []) {
  return ['error', { paths: oneHome.filter(({ name }) => !allowed.includes(name)), patterns }];
}
const noOutput = { regex: '/output/', message: 'Rules return data; src/commands hands it to src/output.' };
const noCommands = { regex: '/commands/', message: 'Commands call the rules, never the other way round.' };
const noTest = { regex: '/test/', message: 'The program does not know its tests.' };
const noDatabase = {
  regex: '/(database/|run/|source\\.ts$)',
  message: 'src/output does no I/O: it is given data and returns text.',
  allowTypeImports: true,
};

export default defineConfig(
  { ignores: ['dist/', 'coverage/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      eqeqeq: 'error',
      complexity: ['error', 12],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'no-restricted-globals': ['error', ...bannedGlobals],
      'no-restricted-properties': ['error', ...bannedProperties],
      'no-restricted-syntax': ['error', ...bannedSyntax],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': imports([], [noOutput, noCommands, noTest]) },
  },
  {
    files: ['src/main.ts', 'src/commands/**/*.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': imports(['commander'], [noTest]) },
  },
  {
    files: ['src/output/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': imports(
        ['chalk', 'cli-table3', 'csv-stringify/sync'],
        [noCommands, noTest, noDatabase],
      ),
    },
  },
  {
    files: ['src/database/database.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': imports(['postgres'], [noOutput, noCommands, noTest]),
      'no-restricted-syntax': 'off',
    },
  },
  {
    files: ['src/money.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': imports(['decimal.js'], [noOutput, noCommands, noTest]),
      'no-restricted-syntax': 'off',
    },
  },
  {
    files: ['src/world.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': imports(['node-fetch'], [noOutput, noCommands, noTest]),
      'no-restricted-properties': 'off',
      'no-restricted-globals': 'off',
      'no-restricted-syntax': 'off',
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'no-restricted-properties': 'off',
      'no-restricted-globals': 'off',
      'no-restricted-syntax': 'off',
      'max-lines-per-function': 'off',
      'max-lines': ['error', { max: 700, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
