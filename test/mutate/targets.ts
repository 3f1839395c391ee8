import { readdirSync, readFileSync } from 'node:fs';
import { mutantsBy, type Edit, type Mutant } from './mutant.ts';
import { sqlEdits } from './sql.ts';
import { typescriptEdits } from './typescript.ts';

export const project = new URL('../../', import.meta.url);

/** What is broken, and the tests that must notice where no books do, those that fail soonest first: the first that fits. */
const targets: readonly [pattern: RegExp, tests: readonly string[]][] = [
  [/^sql\/source\/canary\//, ['test/run/canary.test.ts']],
  [
    /custody[._]/,
    ['checks/custody-sql', 'checks/circle-balance', 'checks/alpaca-balance', 'custody-in-flight'].map(
      (name) => `test/${name}.test.ts`,
    ),
  ],
  [
    /recent_records|record\.recent|record\.waiting|(record|ledger)\.present|transactions\.count|\.(changed|waiting|bookings|transactions)\.sql$/,
    ['test/hourly.test.ts'],
  ],
  [/user\.known/, ['test/checks/narrowing.test.ts']],
  [/record\.count/, ['test/run/run.test.ts']],
  [
    /^sql\/checks\/(ledger_consistency|accounts|books|headers?|drifted|empty|jobs|suspicious|unbalanced|wrong_count|zero)\./,
    ['test/checks/proof.test.ts', 'test/checks/narrowing.test.ts', 'test/checks/ledger-consistency.test.ts'],
  ],
  [
    /\.sql$/,
    ['proof', 'deposits', 'withdrawals', 'conversion-jobs', 'exactness', 'switched-off'].map(
      (name) => `test/checks/${name}.test.ts`,
    ),
  ],
  [/^src\/money\.ts$/, ['test/money.test.ts']],
  [/^src\/checks\/severity\.ts$/, ['test/checks/severity.test.ts']],
  [/^src\/checks\/findings\.ts$/, ['test/checks/findings.test.ts']],
  [
    /^src\/exceptions\/(life|acceptance)\.ts$/,
    ['life', 'life-model', 'many-findings'].map((name) => `test/exceptions/${name}.test.ts`),
  ],
  [/^src\/exceptions\/state\.ts$/, ['test/exceptions/state.test.ts']],
  [/^src\/exceptions\/actions\.ts$/, ['test/exceptions/actions.test.ts']],
  [/^src\/exceptions\/change\.ts$/, ['test/commands/exceptions-change.test.ts', 'test/exceptions/life-model.test.ts']],
];

const folders = ['sql/checks', 'sql/source/stack_service', 'sql/source/canary', 'src', 'src/checks', 'src/exceptions'];

/** The files that are broken. */
export function targetFiles(): string[] {
  return folders
    .flatMap((folder) => readdirSync(new URL(folder, project)).map((name) => `${folder}/${name}`))
    .filter((file) => targets.some(([pattern]) => pattern.test(file)));
}

/** The test files, or what their paths begin with. */
export function testsOf(file: string): readonly string[] {
  return targets.find(([pattern]) => pattern.test(file))?.[1] ?? [];
}

export function mutantsOf(file: string): Mutant[] {
  const text = readFileSync(new URL(file, project), 'utf8');
  const edits = file.endsWith('.sql') ? sqlEdits(text) : typescriptEdits(text);
  return mutantsBy(
    edits.filter((edit) => !isRowOfCanary(file, text, edit)),
    file,
    text,
  );
}

/** The canary's constants are its rows, not its rules. */
function isRowOfCanary(file: string, text: string, { start, end }: Edit): boolean {
  return file.startsWith('sql/source/canary/') && /^('.*'|\d+)$/.test(text.slice(start, end));
}
