import { describe, expect, test } from 'vitest';
import { askCanary, type Control } from '../../src/run/canary.ts';
import type { Check, Comparison, Finding, Window } from '../../src/checks/check.ts';
import { checks } from '../../src/checks/index.ts';
import type { CheckName } from '../../src/checks/names.ts';
import type { Transaction } from '../../src/database/database.ts';
import { Incomplete } from '../../src/incomplete.ts';
import { checkLines } from '../../src/output/report-screen.ts';
import type { Report } from '../../src/reports.ts';
import type { StoredCheck } from '../../src/stored-checks.ts';
import type { CheckOutcome } from '../../src/run/outcome.ts';
import { conclude } from '../../src/run/result.ts';
import { testDatabase } from '../support/database.ts';
import { cutAt, databaseChecks, inCut, openPool, rolledBack } from '../support/run-check.ts';
import { operatorOf } from '../support/world.ts';

const database = openPool((await testDatabase()).url);

interface Asking {
  env?: Record<string, string>;
  /** Asked as an hourly run would be. */
  hourly?: true;
  /** Words of the SQL, and what is put in their place. */
  broken?: readonly Broken[];
}

type Broken = readonly [text: string, instead: string];

/** Any: the canary has its own. */
const changes: Window = {
  since: cutAt.toISOString(),
  until: cutAt.toISOString(),
  onlyChanges: true,
  why: null,
  provenAsOf: null,
  waiting: [],
  differing: () => Promise.resolve([]),
};

async function ask(check: Check, { env = {}, hourly, broken = [] }: Asking = {}): Promise<Control> {
  let control: Control | undefined;
  await rolledBack(database, (sql) =>
    inCut(sql, check.name, { env, ...(hourly && { window: changes }) }, async (cut) => {
      control = await askCanary({ ...cut, transaction: withBroken(cut.transaction, broken) }, check);
    }),
  );
  return control!;
}

/** What the check says of the canary, or `works`. */
async function complaint(check: Check, asking?: Asking): Promise<string> {
  return (await ask(check, asking)).problem?.message ?? 'works';
}

/** The same database, asked with other SQL. */
function withBroken(transaction: Transaction, broken: readonly Broken[]): Transaction {
  const unsafe = (text: string, parameters: never[]) =>
    transaction.unsafe(
      broken.reduce((changed, [words, instead]) => changed.replaceAll(words, instead), text),
      parameters,
    );
  return new Proxy(transaction, {
    get: (target, key): unknown => (key === 'unsafe' ? unsafe : Reflect.get(target, key)),
  });
}

/** A check that has lost the sense for one kind, or sees something where there is nothing. */
function dulled(check: Check, found: (kind: string) => boolean, params: Check['params'] = check.params): Check {
  return {
    ...check,
    params,
    compare: (cut, reading, tell) =>
      check.compare(cut, reading, (finding) => {
        if (found(finding.kind)) tell(finding);
      }),
  };
}

/** The check with what it finds in the canary's books, to be told again without being looked for. */
async function remembered(check: Check): Promise<Check> {
  const findings: Finding[] = [];
  let comparison: Promise<Comparison> | undefined;
  await ask({
    ...check,
    compare: (cut, reading, tell) =>
      (comparison = check.compare(cut, reading, (finding) => {
        findings.push(finding);
        tell(finding);
      })),
  });
  return {
    ...check,
    compare: (_cut, _reading, tell) => {
      findings.forEach(tell);
      return comparison!;
    },
  };
}

describe('the canary', () => {
  test.each(databaseChecks)('holds faults that %s finds, and nothing that it finds beside', async (name) => {
    const control = await ask(checks[name], { hourly: true });
    expect(control).toEqual({ planted: control.planted, found: control.planted, surplus: 0, problem: null });
  });

  test('holds a fault of every kind that a query can find', async () => {
    for (const name of ['ledger_consistency', 'deposits'] as const) {
      const check = {
        ...(await remembered(checks[name])),
        searches: () => Promise.resolve(Object.keys(checks[name].statements)),
      };
      for (const kind of check.kinds)
        expect(await complaint(dulled(check, (found) => found !== kind))).toContain(`it did not find ${kind} of`);
    }
    const unlinked = dulled(checks.conversion_jobs, (found) => found !== 'unlinked');
    expect(await complaint(unlinked)).toContain('it did not find unlinked of');
  });

  test('notices what is found and is not there, and says that the check proves nothing', async () => {
    // without a grace period the deposit that was settled a minute ago looks lost
    const impatient = dulled(
      checks.deposits,
      () => true,
      (config) => ({
        ...checks.deposits.params(config),
        grace_period: '0 seconds',
      }),
    );
    const { problem, ...control } = await ask(impatient);
    expect(control).toEqual({ planted: 14, found: 14, surplus: 1 });
    expect(problem).toBeInstanceOf(Incomplete);
    expect(problem).toHaveProperty('exitCode', 78);
    expect(problem!.message).toMatch(
      /it found missing_in_ledger of deposit:[0-]+303 \(60 \/ 0 USDC, critical, user [0-]+1\), which is not there/,
    );
  });

  test('notices what is told twice', async () => {
    const twice: Check = {
      ...checks.deposits,
      compare: (cut, reading, tell) =>
        checks.deposits.compare(cut, reading, (finding) => {
          tell(finding);
          if (finding.kind === 'stuck') tell(finding);
        }),
    };
    expect(await complaint(twice)).toContain('it found stuck of');
  });

  test.each([
    ['another severity', { severity: 'medium' }],
    ['another currency', { currency: 'USD' }],
    ['nobody who is affected', { affectedUserId: null }],
  ] as const)('notices a finding with %s', async (_what, other) => {
    const check = await remembered(checks.deposits);
    const { problem, ...control } = await ask({
      ...check,
      compare: (cut, reading, tell) =>
        check.compare(cut, reading, (finding) => {
          tell(finding.kind === 'posted_for_failed' ? { ...finding, ...other } : finding);
        }),
    });
    expect(control).toEqual({ planted: 14, found: 13, surplus: 1 });
    expect(problem!.message).toContain('it did not find posted_for_failed of');
  });

  test('does not depend on the settings of the user', async () => {
    const env = {
      RECONCILIATION_GRACE_PERIOD: '0s',
      RECONCILIATION_STUCK_AFTER: '1m',
      RECONCILIATION_ENTRIES_PER_TRANSACTION: 'any',
      RECONCILIATION_LOW_UP_TO: '0.01',
    };
    for (const name of databaseChecks) expect(await complaint(checks[name], { env })).toBe('works');
  });
});

/** The weights of books.proof.sql and record.due.sql. */
const [posted, due] = [
  'coalesce(uuid_hash_extended(account.user_id, header.record_hash), header.record_hash)',
  'uuid_hash_extended(stated.user_id, uuid_hash_extended(stated.id, stated.seed))',
];

const byUser: Broken[] = [
  [posted, 'header.record_hash'],
  [due, 'uuid_hash_extended(stated.id, stated.seed)'],
];
const byRecord: Broken[] = [
  [posted, 'uuid_hash_extended(account.user_id, params.seed)'],
  [due, 'uuid_hash_extended(stated.user_id, stated.seed)'],
];
const byAmount: Broken[] = [
  ['header.record_hash) & 2147483647) * entry.amount', 'header.record_hash) & 2147483647)'],
  ['(header.record_hash & 2147483647) * entry.amount', '(header.record_hash & 2147483647)'],
  ['due.weight * due.source_amount', 'due.weight * (due.source_amount is not null)::integer'],
  ['due.weight * due.destination_amount', 'due.weight * (due.destination_amount is not null)::integer'],
];
const failed: Broken[] = [
  ["when 'failed' then 'unposted'", "when 'never' then 'unposted'"],
  ["case when header.status = 'failed' or header.status = 'pending' then null", 'case when false then null'],
];

const memories: Partial<Record<CheckName, Promise<Check>>> = {};
/** The check that searches as it should, asked once for all. */
const searching = (name: CheckName) => (memories[name] ??= remembered(checks[name]));

/** As the proof says it; the list that it asks for has a comment behind it. */
const isAmount = "entry.amount >= 0 and entry.amount < 'Infinity'";

/** Each hides faults from the sums of a proof, and what is searched where a sum is off would still find them. */
const blind: readonly [what: string, CheckName, unseen: string[], broken: Broken[]][] = [
  ['whose account it is', 'deposits', ['wrong_account'], byUser],
  ['whose account it is', 'withdrawals', ['wrong_account'], byUser],
  ['which record it is', 'deposits', ['amount_mismatch', 'wrong_account'], byRecord],
  ['how much it is', 'deposits', ['amount_mismatch'], byAmount],
  ['how much it is', 'withdrawals', ['amount_mismatch'], byAmount],
  ['how much it is', 'conversion_jobs', ['amount_mismatch'], byAmount],
  [
    'in what it is',
    'deposits',
    ['wrong_account'],
    [['  stated.destination_currency,\n', '  null::text as destination_currency,\n']],
  ],
  ['whether it is posted', 'deposits', ['missing_in_ledger'], failed],
  ['whether it is posted', 'ledger_consistency', ['posted_while_unposted'], failed],
  [
    'how often it is posted',
    'deposits',
    ['duplicate_posting'],
    [['sum(\n    case header.names_user', 'sum(distinct\n    case header.names_user']],
  ],
  [
    'that the record failed',
    'deposits',
    ['posted_for_failed'],
    [["when 'failed' then 'failed'", "when 'failed' then 'settled'"]],
  ],
  [
    'which transaction it is',
    'ledger_consistency',
    ['unbalanced_transaction'],
    [['(uuid_hash_extended(entry.transaction_id, params.seed) & 2147483647) * entry.amount', 'entry.amount']],
  ],
  [
    'which account it is',
    'ledger_consistency',
    ['balance_drift'],
    [
      ['(uuid_hash_extended(entry.account_id, params.seed) & 2147483647)', '1'],
      ['(uuid_hash_extended(account.id, params.seed) & 2147483647)', '1'],
    ],
  ],
  [
    'which transactions have entries',
    'ledger_consistency',
    ['empty_transaction', 'wrong_entry_count'],
    [
      ['sum(uuid_hash_extended(entry.transaction_id, params.seed))', 'count(*)'],
      ['sum(uuid_hash_extended(header.id, params.seed))', 'count(*)'],
    ],
  ],
  [
    'that nothing is behind it',
    'ledger_consistency',
    ['orphaned_entry'],
    [
      [
        'left join header on header.id = entry.transaction_id\nleft join',
        'inner join header on header.id = entry.transaction_id\nleft join',
      ],
    ],
  ],
  [
    'the currency of the account',
    'ledger_consistency',
    ['currency_mismatch'],
    [[`${isAmount}\n      and entry.id is not null and account.currency = entry.currency`, isAmount]],
  ],
  ['whether it is an amount', 'ledger_consistency', ['invalid_amount'], [[`${isAmount}\n      and `, '']]],
  [
    'what crosses currencies',
    'ledger_consistency',
    ['unbalanced_transaction'],
    [["else 'crossing' end", "else 'job' end"]],
  ],
];

test.each(blind)('notices that the proof does not see %s, in %s', async (_what, name, unseen, broken) => {
  const said = await complaint(await searching(name), { broken });
  const shown = /its sums do not show (.*)\.$/.exec(said)?.[1] ?? '';
  expect([...new Set([...shown.matchAll(/(\w+) of /g)].map(([, kind]) => kind))].toSorted()).toEqual(unseen);
});

test('every daily run asks the canary, others when they are told to, and the report says so', async () => {
  const operator = operatorOf((await testDatabase()).url);
  const control = async (...flags: string[]) =>
    (await operator.runs(flags)).checks.map(({ metadata }) => metadata['canary']);
  const planted = [17, 14, 6, 7].map((faults) => ({ verdict: 'passed', planted: faults, found: faults, surplus: 0 }));
  expect(await control('--type', 'daily')).toEqual(planted);
  expect(await control('--type', 'hourly')).toEqual([undefined, undefined, undefined, undefined]);
  const { report, checks: asked } = await operator.runs(['--type', 'hourly', '--canary']);
  expect(asked.map(({ metadata }) => metadata['canary'])).toEqual(planted);
  const { stdout } = await operator.types(['reports', 'show', report.id]);
  expect(stdout).toContain('the control was working: it found all 44 faults of the canary, and nothing else\n');
});

describe('a report', () => {
  const works: Control = { planted: 9, found: 9, surplus: 0, problem: null };
  const fails: Control = { planted: 8, found: 7, surplus: 2, problem: new Incomplete('It does not work.', 78) };
  const unknown = new Incomplete('The deadline passed.');

  /** The checks as they are stored: what they found themselves does not matter. */
  function stored(controls: Partial<Record<CheckName, CheckOutcome['control']>>): StoredCheck[] {
    const outcomes = Object.entries(controls).map(([name, control]) => ({
      name: name as CheckName,
      id: name,
      startedAt: cutAt,
      executionMs: 1,
      result: new Incomplete('Whatever.'),
      control,
    }));
    return conclude({ id: 'some', metadata: {} } as Report, outcomes, cutAt, (text) => text).checks;
  }

  test('says that the control was working where all that were asked were, and which checks have none', () => {
    const rows = stored({ circle_balance: 'none', deposits: works, withdrawals: works });
    expect(checkLines(rows)).toEqual([
      'the control was working: it found all 18 faults of the canary, and nothing else',
      'no control: circle_balance',
    ]);
    expect(rows.map(({ metadata }) => metadata['canary'])).toEqual([
      null,
      { verdict: 'passed', planted: 9, found: 9, surplus: 0 },
      { verdict: 'passed', planted: 9, found: 9, surplus: 0 },
    ]);
  });

  test('says which control was not working, or could not be asked', () => {
    const rows = stored({ deposits: works, conversion_jobs: unknown, withdrawals: fails });
    expect(checkLines(rows)).toEqual([
      'the control of deposits was working: it found all 9 faults of the canary, and nothing else',
      'the control of withdrawals was not working: it found 7 of 8 faults of the canary, and 2 that are not there',
      'the control of conversion_jobs could not be asked',
    ]);
    expect(rows.map(({ metadata }) => metadata['canary'])).toEqual([
      { verdict: 'passed', planted: 9, found: 9, surplus: 0 },
      { verdict: 'incomplete' },
      { verdict: 'failed', planted: 8, found: 7, surplus: 2 },
    ]);
  });

  test('says nothing of it where it was not asked', () => {
    expect(checkLines(stored({ circle_balance: 'not asked', deposits: 'not asked' }))).toEqual([]);
  });
});
