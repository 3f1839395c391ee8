import { describe, expect, test } from 'vitest';
import { faultyHost, identity, withBooks, type Books } from '../support/scenario.ts';
import { search, searchAll } from '../support/run-check.ts';

const host = await faultyHost();

/** A user's deposit, withdrawal and job in every state of interest, and what books them. */
async function records({ ledger, ada, save }: Books) {
  const rows = {
    deposit: ledger.deposit(ada, '50'),
    overdue: ledger.deposit(ada, '60', { status: 'confirmed' }),
    withdrawal: ledger.withdrawal(ada, '70'),
    job: ledger.conversionJob('usdc_to_usd', '80'),
    pending: ledger.transaction({ type: 'internal_transfer', status: 'pending', minutesAgo: 1, entries: [] }),
    account: ledger.account(ada, 'usdc_balance'),
  };
  await save();
  return rows;
}

type Rows = Awaited<ReturnType<typeof records>>;

/** A value that no constraint keeps from being null, the row that loses it, and what is found then, how severe. */
const nulls: [table: string, column: string, row: (rows: Rows) => string, finds: (rows: Rows) => string[]][] = [
  [
    'deposits',
    'id',
    ({ deposit }) => deposit.id,
    (rows) => ['medium deposits/invalid_record/deposit:null', recordless('deposits', rows.deposit)],
  ],
  [
    'deposits',
    'user_id',
    ({ deposit }) => deposit.id,
    ({ deposit }) => [`medium deposits/invalid_record/${deposit.subject}`],
  ],
  [
    'deposits',
    'amount',
    ({ deposit }) => deposit.id,
    ({ deposit }) => [`medium deposits/invalid_record/${deposit.subject}`],
  ],
  [
    'deposits',
    'status',
    ({ deposit }) => deposit.id,
    ({ deposit }) => [`medium deposits/unknown_status/${deposit.subject}`],
  ],
  [
    'deposits',
    'created_at',
    ({ overdue }) => overdue.id,
    ({ overdue }) => [`medium deposits/stuck/${overdue.subject}`],
  ],
  ['deposits', 'token', ({ deposit }) => deposit.id, () => []], // the amount and the user are compared all the same
  [
    'withdrawals',
    'id',
    ({ withdrawal }) => withdrawal.id,
    (rows) => [recordless('withdrawals', rows.withdrawal), 'medium withdrawals/invalid_record/withdrawal:null'],
  ],
  [
    'withdrawals',
    'user_id',
    ({ withdrawal }) => withdrawal.id,
    ({ withdrawal }) => [`medium withdrawals/invalid_record/${withdrawal.subject}`],
  ],
  [
    'withdrawals',
    'amount',
    ({ withdrawal }) => withdrawal.id,
    ({ withdrawal }) => [`medium withdrawals/invalid_record/${withdrawal.subject}`],
  ],
  [
    'withdrawals',
    'status',
    ({ withdrawal }) => withdrawal.id,
    ({ withdrawal }) => [`medium withdrawals/unknown_status/${withdrawal.subject}`],
  ],
  [
    'conversion_jobs',
    'id',
    ({ job }) => job.id,
    (rows) => ['medium conversion_jobs/invalid_record/conversion_job:null', recordless('conversion_jobs', rows.job)],
  ],
  [
    'conversion_jobs',
    'status',
    ({ job }) => job.id,
    ({ job }) => [`medium conversion_jobs/unknown_status/${job.subject}`],
  ],
  ['conversion_jobs', 'direction', ({ job }) => job.id, () => []], // both legs are compared all the same
  ['ledger_transactions', 'status', ({ deposit }) => deposit.transaction!.id, () => []], // counts as posted
  ['ledger_transactions', 'created_at', ({ deposit }) => deposit.transaction!.id, () => []],
  ['ledger_transactions', 'idempotency_key', ({ deposit }) => deposit.transaction!.id, () => []],
  ['ledger_transactions', 'user_id', ({ deposit }) => deposit.transaction!.id, () => []], // the accounts say whose it is
  ['ledger_transactions', 'transaction_type', ({ deposit }) => deposit.transaction!.id, () => []], // the reference type says it
  ['ledger_transactions', 'reference_type', ({ deposit }) => deposit.transaction!.id, () => []], // the type says it
  [
    'ledger_transactions',
    'reference_id',
    ({ deposit }) => deposit.transaction!.id,
    (rows) => [`medium deposits/missing_in_ledger/${rows.deposit.subject}`, recordless('deposits', rows.deposit)],
  ],
  [
    'ledger_transactions',
    'id',
    ({ deposit }) => deposit.transaction!.id,
    ({ deposit }) => [
      `medium deposits/missing_in_ledger/${deposit.subject}`,
      'high ledger_consistency/empty_transaction/transaction:null',
      `high ledger_consistency/orphaned_entry/${deposit.transaction!.subject}`,
    ],
  ],
  ['ledger_accounts', 'currency', ({ account }) => account.id, () => []],
  [
    'ledger_accounts',
    'balance',
    ({ account }) => account.id,
    ({ account }) => [`critical ledger_consistency/balance_drift/${account.subject}`],
  ],
];

function recordless(check: string, { transaction }: Rows['deposit' | 'withdrawal' | 'job']): string {
  return `medium ${check}/missing_in_source/${transaction!.subject}`;
}

describe('a value that is null', () => {
  test.each(nulls)('%s.%s', async (table, column, row, finds) => {
    await withBooks(host, async (books) => {
      const rows = await records(books);
      expect(await searchAll(books.sql)).toEqual([]);
      await books.sql`update ${books.sql(table)} set ${books.sql({ [column]: null })} where id = ${row(rows)}`;
      const told = (await searchAll(books.sql)).map((finding) => `${finding.severity} ${identity(finding)}`);
      expect(told.sort()).toEqual(finds(rows).sort());
    });
  });

  test('a pending transaction without a time does not stay in its grace period', async () => {
    await withBooks(host, async ({ ledger, ada, sql, save }) => {
      const accounts = [ledger.account(ada, 'usdc_balance'), ledger.account(ada, 'stash_balance')] as const;
      const { id, row, subject } = ledger.internalTransfer(ada, ...accounts, '5', { minutesAgo: 1 });
      row.status = 'pending';
      await save();
      expect(await searchAll(sql)).toEqual([]);
      await sql`update ledger_transactions set created_at = null where id = ${id}`;
      expect((await searchAll(sql)).map(identity)).toEqual([`ledger_consistency/posted_while_unposted/${subject}`]);
    });
  });

  test('a posting without an amount is not called missing', async () => {
    await withBooks(host, async (books) => {
      const { deposit } = await records(books);
      await books.sql`update ledger_entries set amount = null where transaction_id = ${deposit.transaction!.id}`;
      await books.rebalance();
      expect((await searchAll(books.sql)).map(identity).sort()).toEqual([
        `deposits/amount_mismatch/${deposit.subject}`,
        `ledger_consistency/invalid_amount/${deposit.transaction!.subject}`,
      ]);
    });
  });
});

describe('a key that stands twice', () => {
  test('an account: nothing but the account', async () => {
    await withBooks(host, async (books) => {
      const { account } = await records(books);
      await books.sql`insert into ledger_accounts select * from ledger_accounts where id = ${account.id}`;
      expect((await searchAll(books.sql)).map(identity)).toEqual([
        `ledger_consistency/duplicate_account/${account.subject}`,
      ]);
    });
  });

  test('an entry: its transaction and what it books', async () => {
    await withBooks(host, async (books) => {
      const { deposit } = await records(books);
      const [entry] = deposit.transaction!.entries;
      await books.sql`insert into ledger_entries select * from ledger_entries where id = ${entry!.id}`;
      await books.rebalance();
      expect((await searchAll(books.sql)).map(identity).sort()).toEqual([
        `deposits/amount_mismatch/${deposit.subject}`,
        `ledger_consistency/unbalanced_transaction/${deposit.transaction!.subject}`,
      ]);
    });
  });

  test('a transaction that books nothing else: nothing', async () => {
    await withBooks(host, async ({ ledger, ada, sql, save }) => {
      const { id } = ledger.investment(ada, '5');
      await save();
      await sql`insert into ledger_transactions select * from ledger_transactions where id = ${id}`;
      expect(await searchAll(sql)).toEqual([]);
    });
  });

  test('a reversal of a reversal: it restores the posting twice', async () => {
    await withBooks(host, async (books) => {
      const { deposit } = await records(books);
      const { id } = books.ledger.reversal(books.ledger.reversal(deposit.transaction!));
      await books.save();
      await books.sql`insert into ledger_transactions select * from ledger_transactions where id = ${id}`;
      const findings = await search(books.sql, 'deposits');
      expect(findings.map(identity)).toEqual([`deposits/amount_mismatch/${deposit.subject}`]);
    });
  });

  test('a transaction that seems to reverse its own reversal: whoever follows that comes to an end', async () => {
    await withBooks(host, async (books) => {
      const { deposit } = await records(books);
      const { id } = books.ledger.reversal(deposit.transaction!);
      await books.save();
      await books.sql`
        insert into ledger_transactions (id, transaction_type, reference_id, status, idempotency_key, created_at)
        select reference_id, 'reversal', id, 'reversed', 'twice', created_at from ledger_transactions where id = ${id}`;
      const findings = await search(books.sql, 'deposits');
      expect(findings.map(identity)).toEqual([`deposits/reversed_for_settled/${deposit.subject}`]);
    });
  });
});

test('one subject with several kinds reports the first, the others beside it', async () => {
  await withBooks(host, async ({ ledger, ada, bob, sql, save }) => {
    const { id, subject } = ledger.deposit(ada, '100', { postedTo: bob, postedAmount: '70', minutesAgo: 2000 });
    await save();
    await sql`update deposits set status = 'confirmed' where id = ${id}`;
    const findings = await searchAll(sql);
    expect(findings).toMatchObject([{ kind: 'wrong_account', subject }]);
    expect(findings[0]!.metadata['also']).toEqual(['amount_mismatch', 'stuck']);
    expect(findings[0]!.metadata['astray']).toEqual([{ user_id: bob.id, currency: 'USDC', amount: '70' }]);
    expect(findings[0]!.description).toContain(` is posted to another user: 70 USDC to ${bob.id}`);
  });
});

test('times without a zone are UTC, whatever the session’s zone', async () => {
  await withBooks(host, async ({ ledger, ada, sql, save }) => {
    ledger.withdrawal(ada, '5', { post: false, minutesAgo: 4.9 });
    const late = ledger.withdrawal(ada, '5', { post: false, minutesAgo: 5 });
    await save();
    await sql`set local timezone = 'Pacific/Auckland'`;
    expect(await searchAll(sql)).toMatchObject([{ kind: 'missing_in_ledger', subject: late.subject }]);
  });
});
