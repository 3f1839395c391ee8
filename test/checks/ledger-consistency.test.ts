import { expect, test } from 'vitest';
import { credit, debit, type Account } from '../support/ledger.ts';
import { search } from '../support/run-check.ts';
import {
  faultyHost,
  identity,
  testScenarios,
  withBooks,
  type Books,
  type Planted,
  type Scenario,
} from '../support/scenario.ts';
import { sourceFolder } from '../support/source-folder.ts';
import { brokenReversals } from './broken-reversal.scenarios.ts';

const host = await faultyHost();

/** A movement that no record explains or needs: only the ledger's own check has an opinion of it. */
function transfer({ ledger, ada }: Books, amount: string, options: { status?: string; minutesAgo?: number } = {}) {
  const [from, to] = [ledger.account(ada, 'usdc_balance'), ledger.account(ada, 'stash_balance')];
  return ledger.transaction({
    type: 'internal_transfer',
    user: ada,
    entries: [credit(from, amount), debit(to, amount)],
    ...options,
  });
}

/** An entry of a stored transfer of 40 USDC is changed behind the ledger's back, and changed back. */
function spoiledEntry(title: string, column: string, value: string | null, also: Planted['finding']['also'] = []) {
  return {
    kind: 'invalid_amount',
    title,
    lookAlike: (books) => transfer(books, '100000000000000000'),
    async fault(books) {
      const { subject, entries } = transfer(books, '40');
      await books.save();
      const { id } = entries[value === 'Infinity' ? 1 : 0]!; // not the one that would take the user below zero
      const [before] = await books.sql`select * from ledger_entries where id = ${id}`;
      await books.sql`update ledger_entries set ${books.sql({ [column]: value })} where id = ${id}`;
      await books.rebalance();
      return {
        finding: {
          subject,
          severity: 'critical',
          currency: column === 'currency' && value !== null ? null : 'USDC',
          affectedUserId: books.ada.id,
          also,
        },
        async repair() {
          const lost = column === 'id' ? books.sql`id is null` : books.sql`id = ${id}`;
          await books.sql`update ledger_entries set ${books.sql({ [column]: before![column] as string })} where ${lost}`;
          await books.rebalance();
        },
      };
    },
  } satisfies Scenario;
}

/** Entries that lost their transaction or their account: severity follows the amount, from high on. */
function orphans(amount: string, severity: 'high' | 'critical'): Scenario[] {
  return [
    {
      kind: 'orphaned_entry',
      title: `the transaction of ${amount} was deleted`,
      lookAlike: ({ ledger, bob }) => ledger.openingBalance(bob, '12'),
      async fault(books) {
        const { id, subject } = transfer(books, amount);
        await books.save();
        const [header] = await books.sql`delete from ledger_transactions where id = ${id} returning *`;
        return {
          finding: { subject, severity, expected: amount, currency: 'USDC', also: [] },
          repair: () => books.sql`insert into ledger_transactions ${books.sql(header as Record<string, string>)}`,
        };
      },
    },
    {
      kind: 'orphaned_entry',
      title: `${amount} on an account that does not exist`,
      fault({ ledger, ada, sql }) {
        const id = ledger.random.uuid();
        const row = { ...ledger.account(ada, 'stash_balance').row, id, account_type: 'pending_investment' };
        const gone: Account = { id, subject: `account:${id}`, row };
        const entries = [debit(gone, amount), credit(ledger.account(ada, 'usdc_balance'), amount)];
        const { subject } = ledger.transaction({ type: 'internal_transfer', user: ada, entries });
        return {
          finding: { subject, severity, expected: amount, currency: 'USDC', affectedUserId: ada.id, also: [] },
          repair: () => sql`
            insert into ledger_accounts (id, user_id, account_type, currency, balance)
            values (${id}, ${ada.id}, 'pending_investment', 'USDC', ${amount})`,
        };
      },
    },
  ];
}

const invalidAmounts: Scenario[] = [
  spoiledEntry('NaN', 'amount', 'NaN', ['unbalanced_transaction']),
  spoiledEntry('Infinity', 'amount', 'Infinity', ['unbalanced_transaction']),
  spoiledEntry('-Infinity', 'amount', '-Infinity', ['unbalanced_transaction']),
  spoiledEntry('a negative amount', 'amount', '-0.000000000000000001', ['unbalanced_transaction']),
  spoiledEntry('no amount', 'amount', null, ['unbalanced_transaction']),
  spoiledEntry('an unknown entry type', 'entry_type', 'sideways', ['one_sided_transaction', 'unbalanced_transaction']),
  spoiledEntry('no entry type', 'entry_type', null, ['one_sided_transaction', 'unbalanced_transaction']),
  spoiledEntry('an unknown currency', 'currency', 'EUR', ['currency_mismatch', 'unbalanced_transaction']),
  spoiledEntry('no currency', 'currency', null, ['unbalanced_transaction']),
  spoiledEntry('an entry without an id', 'id', null),
  spoiledEntry('an entry without an account', 'account_id', null),
  {
    kind: 'invalid_amount',
    title: 'no amount where the other is zero: nobody knows whether it moves nothing',
    fault(books) {
      const { id, subject, entries } = transfer(books, '0');
      entries[0]!.amount = null;
      return {
        finding: { subject, severity: 'critical', currency: 'USDC', affectedUserId: books.ada.id, also: [] },
        async repair() {
          await books.sql`update ledger_entries set amount = 40 where transaction_id = ${id}`;
          await books.rebalance();
        },
      };
    },
  },
  {
    kind: 'invalid_amount',
    title: 'entries without a transaction',
    async fault(books) {
      const { entries } = transfer(books, '40');
      await books.save();
      const { id, transaction_id } = entries[0]!;
      await books.sql`update ledger_entries set transaction_id = null where transaction_id = ${transaction_id}`;
      await books.sql`update ledger_entries set transaction_id = ${transaction_id} where id <> ${id} and transaction_id is null`;
      return {
        finding: {
          subject: `entry:${id}`,
          severity: 'critical',
          currency: 'USDC',
          affectedUserId: books.ada.id,
        },
        elsewhere: [`ledger_consistency/one_sided_transaction/transaction:${transaction_id}`],
        repair: () => books.sql`update ledger_entries set transaction_id = ${transaction_id} where id = ${id}`,
      };
    },
  },
];

const sides: Scenario[] = [
  {
    kind: 'empty_transaction',
    title: 'completed, but nothing was written',
    lookAlike({ ledger, ada }) {
      ledger.transaction({ type: 'internal_transfer', user: ada, status: 'failed', entries: [] });
      ledger.transaction({ type: 'internal_transfer', user: ada, status: 'pending', entries: [] });
    },
    fault({ ledger, ada, sql }) {
      const { id, subject } = ledger.transaction({ type: 'internal_transfer', user: ada, entries: [] });
      return {
        finding: { subject, severity: 'high', affectedUserId: ada.id, also: [] },
        repair: () => sql`update ledger_transactions set status = 'failed' where id = ${id}`,
      };
    },
  },
  {
    kind: 'one_sided_transaction',
    title: 'the second leg is missing',
    lookAlike({ ledger, ada }) {
      // still being written
      const entries = [debit(ledger.account(ada, 'usdc_balance'), '9')];
      ledger.transaction({ type: 'deposit', user: ada, status: 'pending', minutesAgo: 4, entries });
    },
    fault({ ledger, ada, bob }) {
      const entries = [debit(ledger.account(ada, 'usdc_balance'), '1200')];
      const { id, subject } = ledger.transaction({ type: 'internal_transfer', user: ada, entries });
      return {
        finding: {
          subject,
          severity: 'critical',
          expected: '1200',
          actual: '0',
          difference: '-1200',
          currency: 'USDC',
          affectedUserId: ada.id,
          also: ['unbalanced_transaction'],
        },
        repair: () => ledger.entry(credit(ledger.account(bob, 'usdc_balance'), '1200'), id),
      };
    },
  },
  {
    kind: 'currency_mismatch',
    title: 'dollars on an account of USDC',
    lookAlike: ({ ledger, ada }) => ledger.investment(ada, '10'),
    async fault(books) {
      const { ledger, ada, sql } = books;
      const entries = [
        credit(ledger.account(ada, 'usdc_balance'), '30'),
        debit(ledger.account(ada, 'fiat_exposure'), '30', 'USDC'),
      ];
      const { subject, entries: stored } = ledger.transaction({ type: 'internal_transfer', user: ada, entries });
      await books.save();
      return {
        finding: { subject, severity: 'high', currency: 'USDC', affectedUserId: ada.id, also: [] },
        async repair() {
          const { id } = ledger.account(ada, 'stash_balance');
          await sql`update ledger_entries set account_id = ${id} where id = ${stored[1]!.id}`;
          await books.rebalance();
        },
      };
    },
  },
  {
    kind: 'wrong_entry_count',
    title: 'three legs where the host promises two',
    env: { RECONCILIATION_ENTRIES_PER_TRANSACTION: 'two' },
    lookAlike({ ledger, ada }) {
      const entries = [
        debit(ledger.account(ada, 'usdc_balance'), '9'),
        debit(ledger.account(ada, 'stash_balance'), '9'),
      ];
      ledger.transaction({ type: 'deposit', user: ada, status: 'pending', minutesAgo: 4, entries });
    },
    async fault(books) {
      const { ledger, ada, sql } = books;
      const entries = [
        credit(ledger.account(ada, 'usdc_balance'), '3'),
        debit(ledger.account(ada, 'stash_balance'), '2'),
        debit(ledger.account(ada, 'stash_balance'), '1'),
      ];
      const { subject, entries: stored } = ledger.transaction({ type: 'internal_transfer', user: ada, entries });
      await books.save();
      return {
        finding: { subject, severity: 'high', expected: '2', actual: '3', difference: '1', affectedUserId: ada.id },
        async repair() {
          await sql`delete from ledger_entries where id = ${stored[2]!.id}`;
          await sql`update ledger_entries set amount = 3 where id = ${stored[1]!.id}`;
        },
      };
    },
  },
  {
    kind: 'zero_amount',
    title: 'a transfer of nothing',
    lookAlike: (books) => transfer(books, '0.000000000000000001'),
    fault(books) {
      const { id, subject } = transfer(books, '0');
      return {
        finding: { subject, severity: 'low', currency: 'USDC', affectedUserId: books.ada.id, also: [] },
        async repair() {
          await books.sql`delete from ledger_entries where transaction_id = ${id}`;
          await books.sql`update ledger_transactions set status = 'failed' where id = ${id}`;
        },
      };
    },
  },
];

/** One transaction whose debits differ from its credits, and what must be said about it. */
function unbalanced(
  title: string,
  options: { type: string; debits: string; credits: string; crossing?: boolean },
  finding: Pick<Planted['finding'], 'severity' | 'expected' | 'actual' | 'difference' | 'currency'>,
): Scenario {
  return {
    kind: 'unbalanced_transaction',
    title,
    lookAlike({ ledger, ada }) {
      ledger.reversal(
        ledger.conversionJob('usdc_to_usd', '10', { rate: '0.5', status: 'cancelled', post: true }).transaction!,
      );
      let last = ledger.divestment(ada, '4');
      for (let turns = 20; turns > 0; turns -= 1) last = ledger.reversal(last);
    },
    fault(books) {
      const { ledger, ada, sql } = books;
      const to = ledger.account(ada, options.crossing === true ? 'fiat_exposure' : 'stash_balance');
      const entries = [debit(to, options.debits), credit(ledger.account(ada, 'usdc_balance'), options.credits)];
      const { subject, entries: stored } = ledger.transaction({ type: options.type, user: ada, entries });
      return {
        finding: { subject, affectedUserId: ada.id, also: [], ...finding },
        async repair() {
          await sql`update ledger_entries set amount = ${options.credits} where id = ${stored[0]!.id}`;
          await sql`update ledger_transactions set transaction_type = 'investment' where id = ${stored[0]!.transaction_id}`;
          await books.rebalance();
        },
      };
    },
  };
}

const balances: Scenario[] = [
  unbalanced(
    'by the smallest amount there is',
    { type: 'internal_transfer', debits: '100000000000000000.000000000000000001', credits: '100000000000000000' },
    {
      severity: 'high',
      expected: '100000000000000000.000000000000000001',
      actual: '100000000000000000',
      difference: '-0.000000000000000001',
      currency: 'USDC',
    },
  ),
  unbalanced(
    'beyond the whole numbers of a double',
    { type: 'internal_transfer', debits: '9007199254740993', credits: '9007199254740992' },
    { severity: 'high', expected: '9007199254740993', actual: '9007199254740992', difference: '-1', currency: 'USDC' },
  ),
  unbalanced(
    'a transfer may not cross currencies',
    { type: 'internal_transfer', debits: '5', credits: '5', crossing: true },
    { severity: 'high', expected: '0', actual: '5', difference: '5', currency: 'USDC' },
  ),
  unbalanced(
    'a transfer across currencies shows the worst one',
    { type: 'internal_transfer', debits: '2000', credits: '5', crossing: true },
    { severity: 'critical', expected: '2000', actual: '0', difference: '-2000', currency: 'USD' },
  ),
  unbalanced(
    'an investment crosses one for one',
    { type: 'investment', debits: '9.5', credits: '10', crossing: true },
    { severity: 'high', expected: '9.5', actual: '10', difference: '0.5' },
  ),
  unbalanced(
    'a conversion without a job crosses one for one',
    { type: 'conversion', debits: '11', credits: '10', crossing: true },
    { severity: 'high', expected: '11', actual: '10', difference: '-1' },
  ),
  unbalanced(
    'an investment within one currency',
    { type: 'investment', debits: '9', credits: '10' },
    { severity: 'high', expected: '9', actual: '10', difference: '1', currency: 'USDC' },
  ),
];

/** A pending transfer at the edge of its grace period, and beyond it. */
function pendingTransfer(title: string, inGrace: number, beyond: number): Scenario {
  return {
    kind: 'posted_while_unposted',
    title,
    lookAlike: (books) => transfer(books, '7', { status: 'pending', minutesAgo: inGrace }),
    fault(books) {
      const { id, subject } = transfer(books, '7', { status: 'pending', minutesAgo: beyond });
      return {
        finding: {
          subject,
          severity: 'medium',
          expected: '0',
          actual: '7',
          difference: '7',
          currency: 'USDC',
          affectedUserId: books.ada.id,
          also: [],
        },
        repair: () => books.sql`update ledger_transactions set status = 'completed' where id = ${id}`,
      };
    },
  };
}

const unposted: Scenario[] = [
  {
    kind: 'posted_while_unposted',
    title: 'a failed transaction has entries',
    fault(books) {
      const { id, subject } = transfer(books, '100.5', { status: 'failed' });
      return {
        finding: {
          subject,
          severity: 'high',
          expected: '0',
          actual: '100.5',
          difference: '100.5',
          currency: 'USDC',
          affectedUserId: books.ada.id,
          also: [],
        },
        repair: () => books.sql`update ledger_transactions set status = 'completed' where id = ${id}`,
      };
    },
  },
  pendingTransfer('pending since exactly the grace period', 4.9999, 5),
  pendingTransfer('pending further ahead than clocks may differ', -5, -5.0001),
];

const accounts: Scenario[] = [
  {
    kind: 'balance_drift',
    title: 'by the smallest amount there is',
    async fault({ ledger, ada, sql }) {
      const account = ledger.account(ada, 'usdc_balance');
      await sql`update ledger_accounts set balance = balance + 0.000000000000000001 where id = ${account.id}`;
      return {
        finding: {
          subject: account.subject,
          severity: 'low',
          expected: '399999999999999829.500000000000000001',
          actual: '399999999999999829.500000000000000002',
          difference: '0.000000000000000001',
          currency: 'USDC',
          affectedUserId: ada.id,
          also: [],
        },
        repair: () => sql`update ledger_accounts set balance = balance - 0.000000000000000001 where id = ${account.id}`,
      };
    },
  },
  {
    kind: 'balance_drift',
    title: 'money that came from no entry',
    fault({ ledger, ada, sql }) {
      const account = ledger.account(ada, 'pending_investment');
      account.row.balance = '100.01';
      return {
        finding: {
          subject: account.subject,
          severity: 'high',
          expected: '0',
          actual: '100.01',
          difference: '100.01',
          currency: 'USDC',
          affectedUserId: ada.id,
        },
        repair: () => sql`update ledger_accounts set balance = 0 where id = ${account.id}`,
      };
    },
  },
  {
    kind: 'balance_drift',
    title: 'a balance that is not a number',
    async fault({ ledger, ada, sql }) {
      const { id, subject } = ledger.account(ada, 'stash_balance');
      await sql`update ledger_accounts set balance = 'NaN' where id = ${id}`;
      return {
        finding: {
          subject,
          severity: 'critical',
          expected: '1030',
          actual: 'NaN',
          difference: 'NaN',
          currency: 'USDC',
          affectedUserId: ada.id,
        },
        repair: () => sql`update ledger_accounts set balance = 1030 where id = ${id}`,
      };
    },
  },
  {
    kind: 'balance_drift',
    title: 'no balance at all',
    async fault({ ledger, ada, sql }) {
      const { id, subject } = ledger.account(ada, 'stash_balance');
      await sql`update ledger_accounts set balance = null where id = ${id}`;
      return {
        finding: { subject, severity: 'critical', expected: '1030', currency: 'USDC', affectedUserId: ada.id },
        repair: () => sql`update ledger_accounts set balance = 1030 where id = ${id}`,
      };
    },
  },
  {
    kind: 'balance_drift',
    title: 'no balance, and nothing that it should be',
    async fault({ ledger, bob, sql, save }) {
      const { id, subject } = ledger.account(bob, 'spending_balance');
      await save();
      await sql`update ledger_accounts set balance = null where id = ${id}`;
      return {
        finding: { subject, severity: 'low', expected: '0', currency: 'USDC', affectedUserId: bob.id },
        repair: () => sql`update ledger_accounts set balance = 0 where id = ${id}`,
      };
    },
  },
  {
    kind: 'negative_balance',
    title: 'a user spent what was not there',
    lookAlike({ ledger, bob }) {
      // a user's account may reach zero; those of the system go below it by design
      const [from, to] = [ledger.account(bob, 'stash_balance'), ledger.account(bob, 'spending_balance')];
      ledger.internalTransfer(bob, ledger.account(bob, 'usdc_balance'), from, '3');
      ledger.internalTransfer(bob, from, to, '3');
    },
    fault({ ledger, bob }) {
      const from = ledger.account(bob, 'stash_balance');
      const { subject } = from;
      const entries = [credit(from, '2.5'), debit(ledger.account(bob, 'spending_balance'), '2.5')];
      const overdraft = ledger.transaction({ type: 'internal_transfer', user: bob, entries });
      return {
        finding: {
          subject,
          severity: 'high',
          expected: '0',
          actual: '-2.5',
          difference: '-2.5',
          currency: 'USDC',
          affectedUserId: bob.id,
          also: [],
        },
        repair: ({ reverse }) => reverse(overdraft),
      };
    },
  },
  {
    kind: 'duplicate_account',
    title: 'two of one user and type',
    lookAlike({ ledger, ada, bob }) {
      ledger.account(ada, 'spending_balance');
      ledger.account(bob, 'spending_balance');
    },
    fault({ ledger, bob, sql }) {
      const ids = [ledger.account(bob, 'spending_balance').id, ledger.openAccount(bob, 'spending_balance').id].sort();
      return {
        finding: {
          subject: `account:${ids[0]}`,
          severity: 'medium',
          expected: '1',
          actual: '2',
          difference: '1',
          affectedUserId: bob.id,
          also: [],
        },
        repair: () => sql`delete from ledger_accounts where id = ${ids[1]!}`,
      };
    },
  },
  {
    kind: 'duplicate_account',
    title: 'two system buffers',
    fault({ ledger, sql }) {
      const second = ledger.openAccount(null, 'system_buffer_usdc').id;
      const ids = [ledger.systemAccount('system_buffer_usdc').id, second].sort();
      return {
        finding: { subject: `account:${ids[0]}`, severity: 'medium', expected: '1', actual: '2', difference: '1' },
        repair: () => sql`delete from ledger_accounts where id = ${second}`,
      };
    },
  },
];

testScenarios(host, 'ledger_consistency', [
  ...orphans('40', 'high'),
  ...orphans('1000.01', 'critical'),
  ...invalidAmounts,
  ...sides,
  ...balances,
  ...brokenReversals,
  ...unposted,
  ...accounts,
]);

const [side, opening] = ["'debit'::text", '0::numeric'];

test.each([
  ['what it held before its first entry', '0', opening],
  ['which side raises it', '0', side],
  ['which side raises it, nor its balance', null, side],
] as const)('nobody knows what an account should hold that does not say %s', async (_, balance, known) => {
  const unknown = `case when account.account_type <> 'stash_balance' then ${known} end`;
  const folder = await sourceFolder({ ledger_accounts: (original) => original.replace(known, unknown) });
  await withBooks(host, async ({ ledger, ada, sql, save }) => {
    const { id, subject } = ledger.account(ada, 'stash_balance');
    await save();
    await sql`update ledger_accounts set balance = ${balance} where id = ${id}`;
    const findings = await search(sql, 'ledger_consistency', { env: { RECONCILIATION_SOURCE: folder } });
    const [finding, ...others] = findings.filter((one) => one.subject === subject);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ kind: 'balance_drift', severity: 'critical', expected: null, actual: balance });
    expect(finding).toMatchObject({ difference: null, metadata: { stake: 'NaN' } });
  });
});

test('of a transaction without entries that was reversed, what its reversal moves is at stake', async () => {
  await withBooks(host, async ({ ledger, ada, sql, save }) => {
    const [from, to] = [ledger.account(ada, 'usdc_balance'), ledger.account(ada, 'stash_balance')];
    const original = { user: ada, type: 'internal_transfer', entries: [] };
    const { id, subject } = ledger.transaction({ ...original, status: 'reversed' });
    const entries = [credit(from, '5000'), debit(to, '5000')];
    ledger.transaction({ type: 'reversal', user: ada, reference: { id, type: null }, entries });
    await save();
    expect(await search(sql, 'ledger_consistency')).toMatchObject([
      {
        kind: 'empty_transaction',
        subject,
        severity: 'critical',
        metadata: { also: ['broken_reversal'], stake: '5000' },
      },
    ]);
  });
});

test('whether a conversion names a job is said by the kind of its record, whatever the host calls it', async () => {
  const reference = 'lower(coalesce(header.reference_type::text, header.transaction_type::text)) as';
  const folder = await sourceFolder({
    ledger_transactions: (original) => original.replace(reference, 'null::text as'),
  });
  await withBooks(host, async ({ ledger, ada, sql, save }) => {
    ledger.conversionJob('usdc_to_usd', '10', { rate: '0.9' });
    const { subject, entries } = ledger.investment(ada, '10');
    entries[0]!.amount = '9';
    await save();
    const findings = await search(sql, 'ledger_consistency', { env: { RECONCILIATION_SOURCE: folder } });
    expect(findings.map(identity)).toEqual([`ledger_consistency/unbalanced_transaction/${subject}`]);
  });
});
