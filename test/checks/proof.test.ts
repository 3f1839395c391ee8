import { expect, test } from 'vitest';
import { faultyHost, identity, withBooks, type Books } from '../support/scenario.ts';
import { ledgerOf } from '../../src/checks/books.ts';
import { checks } from '../../src/checks/index.ts';
import { ledgerProofStatements, proveLedger } from '../../src/checks/ledger-proof.ts';
import { proveRecords, recordProofStatements } from '../../src/checks/record-proof.ts';
import { addsNothing, list } from '../../src/checks/proof.ts';
import { testDatabase } from '../support/database.ts';
import { credit, debit } from '../support/ledger.ts';
import { inCut, openPool, rolledBack, runCheck, search, searchAll } from '../support/run-check.ts';
import { sourceFolder } from '../support/source-folder.ts';

const host = await faultyHost();

const noNumbers = ['NaN', 'Infinity', '-Infinity'];

/** Faults that a sum is blind to: they cancel out, or spoil the sum itself. Each says what must be found all the same. */
const traps: [title: string, plant: (books: Books) => string[] | Promise<string[]>][] = [
  [
    'one transaction has five too much, another five too little',
    async ({ ledger, ada, sql, save, rebalance }) => {
      const [more, less] = [ledger.investment(ada, '40'), ledger.investment(ada, '60')];
      await save();
      await sql`update ledger_entries set amount = amount + 5 where transaction_id = ${more.id} and entry_type = 'debit'`;
      await sql`update ledger_entries set amount = amount - 5 where transaction_id = ${less.id} and entry_type = 'debit'`;
      await rebalance();
      return [more, less].map(({ id }) => `ledger_consistency/unbalanced_transaction/transaction:${id}`);
    },
  ],
  [
    'a transfer that takes dollars and gives coins, and one that does the opposite',
    async ({ ledger, ada, sql, save, rebalance }) => {
      const [usdc, usd] = [ledger.account(ada, 'usdc_balance'), ledger.account(ada, 'fiat_exposure')];
      const pair = [ledger.internalTransfer(ada, usdc, usdc, '9'), ledger.internalTransfer(ada, usdc, usdc, '9')];
      await save();
      for (const [index, { id }] of pair.entries())
        await sql`
          update ledger_entries set account_id = ${usd.id}, currency = 'USD'
          where transaction_id = ${id} and entry_type = ${index === 0 ? 'debit' : 'credit'}`;
      await rebalance();
      return pair.map(({ id }) => `ledger_consistency/unbalanced_transaction/transaction:${id}`);
    },
  ],
  [
    'one account holds a cent too much, another a cent too little',
    async ({ ledger, ada, bob, sql }) => {
      const accounts = [ledger.account(ada, 'usdc_balance'), ledger.account(bob, 'usdc_balance')];
      for (const [index, { id }] of accounts.entries())
        await sql`update ledger_accounts set balance = balance + ${index === 0 ? '0.01' : '-0.01'} where id = ${id}`;
      return accounts.map(({ id }) => `ledger_consistency/balance_drift/account:${id}`);
    },
  ],
  [
    'an account whose only entry moves nothing holds one too much, another one too little',
    async ({ ledger, ada, bob, sql, save }) => {
      const [idle, busy] = [ledger.openAccount(ada, 'pending_investment'), ledger.account(bob, 'usdc_balance')];
      const nothing = ledger.transaction({ type: 'internal_transfer', entries: [debit(idle, '0'), credit(idle, '0')] });
      await save();
      await sql`update ledger_accounts set balance = balance + 1 where id = ${idle.id}`;
      await sql`update ledger_accounts set balance = balance - 1 where id = ${busy.id}`;
      return [
        `ledger_consistency/zero_amount/${nothing.subject}`,
        ...[idle, busy].map(({ id }) => `ledger_consistency/balance_drift/account:${id}`),
      ];
    },
  ],
  [
    'entries in a wrong currency that cancel out within their account',
    async ({ ledger, ada, sql, save }) => {
      const [usdc, stash] = [ledger.account(ada, 'usdc_balance'), ledger.account(ada, 'stash_balance')];
      const pair = [ledger.internalTransfer(ada, usdc, stash, '12'), ledger.internalTransfer(ada, stash, usdc, '12')];
      await save();
      for (const { id } of pair) await sql`update ledger_entries set currency = 'USD' where transaction_id = ${id}`;
      return pair.map(({ id }) => `ledger_consistency/currency_mismatch/transaction:${id}`);
    },
  ],
  [
    'two deposits are posted with each other’s amounts, one ten thousand times the other',
    ({ ledger, ada }) => {
      const pair = [
        ledger.deposit(ada, '3', { postedAmount: '30000' }),
        ledger.deposit(ada, '30000', { postedAmount: '3' }),
      ];
      return pair.map(({ id }) => `deposits/amount_mismatch/deposit:${id}`);
    },
  ],
  [
    'two deposits of the same amount are posted to each other’s users',
    ({ ledger, ada, bob }) => {
      const pair = [ledger.deposit(ada, '75', { post: false }), ledger.deposit(bob, '75', { post: false })];
      ledger.postDeposit(bob, pair[0]!.id, '75');
      ledger.postDeposit(ada, pair[1]!.id, '75');
      return pair.map(({ id }) => `deposits/wrong_account/deposit:${id}`);
    },
  ],
  [
    'a deposit stands twice, and is posted twice',
    async ({ ledger, ada, sql, save }) => {
      const deposit = ledger.deposit(ada, '80');
      ledger.postDeposit(ada, deposit.id, '80');
      await save();
      await sql`insert into deposits select * from deposits where id = ${deposit.id}`;
      return [`deposits/invalid_record/deposit:${deposit.id}`];
    },
  ],
  [
    'a posting is missing where another has no record',
    ({ ledger, ada }) => {
      const missing = ledger.deposit(ada, '55', { post: false });
      const orphan = ledger.postDeposit(ada, ledger.random.uuid(), '55');
      return [
        `deposits/missing_in_ledger/deposit:${missing.id}`,
        `deposits/missing_in_source/transaction:${orphan.id}`,
      ];
    },
  ],
  [
    'a failed deposit stands posted, to an account that does not exist',
    async ({ ledger, ada, sql, save, rebalance }) => {
      const deposit = ledger.deposit(ada, '90', { status: 'failed' });
      const posting = ledger.postDeposit(ada, deposit.id, '90');
      await save();
      await sql`
        update ledger_entries set account_id = ${ledger.random.uuid()}
        where transaction_id = ${posting.id} and entry_type = 'debit'`;
      await rebalance();
      return [
        `ledger_consistency/orphaned_entry/transaction:${posting.id}`,
        `deposits/posted_for_failed/deposit:${deposit.id}`,
      ];
    },
  ],
  [
    'a transaction without entries beside one with three legs',
    async ({ ledger, ada, sql, save, rebalance }) => {
      const empty = ledger.investment(ada, '8');
      ledger.allocationSplit(ada, '5', '6');
      await save();
      await sql`delete from ledger_entries where transaction_id = ${empty.id}`;
      await rebalance();
      return [`ledger_consistency/empty_transaction/transaction:${empty.id}`];
    },
  ],
  [
    'the debit of one job’s conversion stands in that of another',
    async ({ ledger, sql, save }) => {
      const [robbed, given] = [ledger.conversionJob('usdc_to_usd', '30'), ledger.conversionJob('usdc_to_usd', '30')];
      await save();
      await sql`
        update ledger_entries set transaction_id = ${given.transaction!.id}
        where transaction_id = ${robbed.transaction!.id} and entry_type = 'debit'`;
      return [
        `ledger_consistency/one_sided_transaction/transaction:${robbed.transaction!.id}`,
        ...[robbed, given].map(({ id }) => `conversion_jobs/amount_mismatch/conversion_job:${id}`),
      ];
    },
  ],
  [
    'a reversal that names an order takes nothing back, though a transaction has the id of that order',
    ({ ledger, ada }) => {
      const { transaction: original } = ledger.deposit(ada, '33');
      Object.assign(ledger.reversal(original!).row, { reference_type: 'order' });
      return [`ledger_consistency/broken_reversal/transaction:${original!.id}`];
    },
  ],
  [
    'a leg of nothing is in order, a transaction of nothing is not',
    async ({ ledger, ada, sql, save }) => {
      const [withLeg, nothing] = [ledger.investment(ada, '8'), ledger.investment(ada, '0')];
      await save();
      await sql`
        insert into ledger_entries (id, transaction_id, account_id, entry_type, amount, currency, created_at)
        select gen_random_uuid(), transaction_id, account_id, entry_type, 0, currency, created_at
        from ledger_entries where transaction_id = ${withLeg.id} and entry_type = 'credit'`;
      return [`ledger_consistency/zero_amount/transaction:${nothing.id}`];
    },
  ],
  [
    'an amount that is not a number hides nothing beside it',
    async ({ ledger, ada, sql, save, rebalance }) => {
      const [poisoned, unbalanced] = [ledger.investment(ada, '8'), ledger.investment(ada, '9')];
      await save();
      await rebalance();
      await sql`update ledger_entries set amount = 'NaN' where transaction_id = ${poisoned.id} and entry_type = 'debit'`;
      await sql`update ledger_entries set amount = 10 where transaction_id = ${unbalanced.id} and entry_type = 'debit'`;
      const account = ledger.account(ada, 'fiat_exposure');
      return [
        `ledger_consistency/invalid_amount/transaction:${poisoned.id}`,
        `ledger_consistency/unbalanced_transaction/transaction:${unbalanced.id}`,
        `ledger_consistency/balance_drift/account:${account.id}`,
      ];
    },
  ],
  [
    'one account holds one too little, another five with nothing but an entry of nothing',
    async ({ ledger, ada, sql, save }) => {
      const [stash, pending] = [ledger.account(ada, 'stash_balance'), ledger.account(ada, 'pending_investment')];
      const nothing = ledger.internalTransfer(ada, ledger.account(ada, 'usdc_balance'), pending, '0');
      pending.row.balance = '5';
      await save();
      await sql`update ledger_accounts set balance = balance - 1 where id = ${stash.id}`;
      return [
        `ledger_consistency/zero_amount/${nothing.subject}`,
        ...[stash, pending].map(({ subject }) => `ledger_consistency/balance_drift/${subject}`),
      ];
    },
  ],
  [
    'legs of nothing become what is no number',
    async ({ ledger, ada, bob, sql, save }) => {
      const accounts = [
        ledger.account(ada, 'stash_balance'),
        ledger.account(bob, 'stash_balance'),
        ledger.account(bob, 'pending_investment'),
      ];
      const moves = accounts.map((account) => {
        const entries = [debit(account, '3'), credit(account, '3'), debit(account, '0')];
        return ledger.transaction({ type: 'internal_transfer', entries });
      });
      await save();
      for (const [index, { id }] of moves.entries())
        await sql`update ledger_entries set amount = ${noNumbers[index]!} where transaction_id = ${id} and amount = 0`;
      return [
        ...moves.map(({ subject }) => `ledger_consistency/invalid_amount/${subject}`),
        ...accounts.map(({ subject }) => `ledger_consistency/balance_drift/${subject}`),
      ];
    },
  ],
  ...['-7.5', 'NaN'].map((amount): (typeof traps)[number] => [
    `a further leg of a posting is ${amount}, and moved no balance`,
    async ({ ledger, ada, sql, save }) => {
      const { subject, transaction } = ledger.deposit(ada, '40');
      const account = ledger.account(ada, 'usdc_balance');
      ledger.entry(debit(account, '0'), transaction!.id);
      await save();
      await sql`update ledger_entries set amount = ${amount} where transaction_id = ${transaction!.id} and amount = 0`;
      return [
        `ledger_consistency/invalid_amount/${transaction!.subject}`,
        `ledger_consistency/balance_drift/${account.subject}`,
        `deposits/amount_mismatch/${subject}`,
      ];
    },
  ]),
  [
    'one account id stands for two users',
    async ({ ledger, ada, bob, sql, save }) => {
      const { id, subject } = ledger.account(ada, 'stash_balance');
      ledger.openAccount(bob, 'pending_investment');
      await save();
      await sql`
        insert into ledger_accounts (id, user_id, account_type, currency, balance)
        select id, ${bob.id}, 'stash_balance_of_bob', currency, balance from ledger_accounts where id = ${id}`;
      return [`ledger_consistency/duplicate_account/${subject}`];
    },
  ],
  [
    'a conversion names a job, and by its key is an opening balance, so that no job is held against it',
    async ({ ledger, sql, save, rebalance }) => {
      const { transaction } = ledger.conversionJob('usdc_to_usd', '100');
      const { id, subject } = transaction!;
      await save();
      await sql`update conversion_jobs set status = 'pending', ledger_transaction_id = null`;
      await sql`update ledger_transactions set idempotency_key = 'migration_x' where id = ${id}`;
      await sql`update ledger_entries set amount = amount * 1000 where transaction_id = ${id} and entry_type = 'debit'`;
      await rebalance();
      return [`ledger_consistency/unbalanced_transaction/${subject}`];
    },
  ],
  ...['Completed', null].map((status): (typeof traps)[number] => [
    `a transaction stands that was taken back by one whose status is ${status}`,
    async ({ ledger, ada, sql, save }) => {
      const [usdc, stash] = [ledger.account(ada, 'usdc_balance'), ledger.account(ada, 'stash_balance')];
      const original = ledger.internalTransfer(ada, usdc, stash, '7');
      const reversal = ledger.reversal(original);
      await save();
      await sql`update ledger_transactions set status = 'completed' where id = ${original.id}`;
      await sql`update ledger_transactions set status = ${status} where id = ${reversal.id}`;
      return [`ledger_consistency/broken_reversal/${original.subject}`];
    },
  ]),
  [
    'accounts without entries hold what is no number',
    ({ ledger, ada, bob }) => {
      const accounts = [
        ledger.account(ada, 'pending_investment'),
        ledger.account(bob, 'pending_investment'),
        ledger.account(bob, 'spending_balance'),
        ledger.openAccount(null, 'stash_balance'),
      ];
      for (const [index, { row }] of accounts.entries()) row.balance = noNumbers[index] ?? '-Infinity';
      return accounts.map(({ subject }) => `ledger_consistency/balance_drift/${subject}`);
    },
  ],
];

test.each(traps)('%s', async (_title, plant) => {
  await withBooks(host, async (books) => {
    const expected = await plant(books);
    await books.save();
    expect((await searchAll(books.sql)).map(identity).sort()).toEqual(expected.sort());
  });
});

test('withdrawals that name no currency hide no other that is booked in the wrong one', async () => {
  const naming = (original: string) =>
    original.replace('null::text as currency', "case when withdrawal.amount = 9 then 'USDC' end as currency");
  const env = { RECONCILIATION_SOURCE: await sourceFolder({ withdrawals: naming }) };
  await withBooks(host, async ({ ledger, ada, sql, save }) => {
    const { subject, transaction } = ledger.withdrawal(ada, '9');
    for (const entry of transaction!.entries) entry.currency = 'USD';
    await save();
    expect((await search(sql, 'withdrawals', { env })).map(identity)).toEqual([`withdrawals/wrong_account/${subject}`]);
  });
});

test('of books that are in order the proofs leave to be looked at what was reversed, and what is not final', async () => {
  await withBooks(host, async ({ sql }) => {
    const ids = async (rows: Promise<{ id: string }[]>) => (await rows).map(({ id }) => id).sort();
    const ledger = await inCut(sql, 'ledger_consistency', {}, async (cut) => proveLedger(await ledgerOf(cut), []));
    expect(ledger.suspects?.accounts).toEqual([]);
    expect(ledger.suspects?.transactions?.toSorted()).toEqual(
      await ids(sql`select id from ledger_transactions where status = 'reversed' or transaction_type = 'reversal'`),
    );
    for (const [table, kind] of [
      ['deposits', 'deposit'],
      ['withdrawals', 'withdrawal'],
      ['conversion_jobs', 'conversion_job'],
    ] as const) {
      const statements = recordProofStatements(table, { name: 'records', file: `${table}.records.sql` });
      const { suspects } = await inCut(sql, table, {}, async (cut) =>
        proveRecords(await ledgerOf(cut), statements, kind, []),
      );
      expect(suspects?.transactions).toEqual([]);
      expect(suspects?.records?.toSorted(), table).toEqual(
        await ids(sql`
          select id from ${sql(table)}
          where status not in ('completed', 'failed', 'timeout', 'cancelled')`),
      );
    }
  });
});

/** Exceptions that are open while another fault comes; both are found, and nothing else. */
const maskings: [title: string, plant: (books: Books) => Promise<{ known: string[]; expected: string[] }>][] = [
  ...[true, false].map((zeroIsKnown): (typeof maskings)[number] => [
    `of one transaction the amounts are wrong, of another ${zeroIsKnown ? 'that is known ' : ''}the account of entries of nothing`,
    async ({ ledger, ada, sql, save, rebalance }) => {
      const [usdc, exposure] = [ledger.account(ada, 'usdc_balance'), ledger.account(ada, 'fiat_exposure')];
      const [negative, zero] = [
        ledger.internalTransfer(ada, usdc, usdc, '5'),
        ledger.internalTransfer(ada, usdc, usdc, '6'),
      ];
      for (const entry of [debit(exposure, '0'), credit(exposure, '0')])
        ledger.entry({ ...entry, currency: 'USDC' }, zero.id);
      await save();
      await sql`update ledger_entries set amount = -amount where transaction_id = ${negative.id}`;
      await rebalance();
      return {
        known: [zeroIsKnown ? zero.subject : negative.subject],
        expected: [`invalid_amount/${negative.subject}`, `currency_mismatch/${zero.subject}`],
      };
    },
  ]),
  [
    'entries that named no transaction name one by now, which does not exist',
    async ({ ledger, ada, sql, save }) => {
      const [usdc, stash] = [ledger.account(ada, 'usdc_balance'), ledger.account(ada, 'stash_balance')];
      const { id, subject } = ledger.internalTransfer(ada, usdc, stash, '7');
      await save();
      await sql`delete from ledger_transactions where id = ${id}`;
      const entries = await sql<{ id: string }[]>`select id from ledger_entries where transaction_id = ${id}`;
      return { known: entries.map((entry) => `entry:${entry.id}`), expected: [`orphaned_entry/${subject}`] };
    },
  ],
];

test.each(maskings)('%s', async (_title, plant) => {
  await withBooks(host, async (books) => {
    const { known, expected } = await plant(books);
    const { findings } = await runCheck(books.sql, 'ledger_consistency', { known: { ledger_consistency: known } });
    const wanted = expected.map((finding) => `ledger_consistency/${finding}`);
    expect(findings.map(identity).sort()).toEqual(wanted.sort());
  });
});

test('of known accounts without entries nothing else is left to be looked at', async () => {
  await withBooks(host, async ({ ledger, ada, sql, save }) => {
    const { id, row, subject } = ledger.openAccount(ada, 'pending_investment');
    row.balance = '5';
    await save();
    const { suspects } = await inCut(sql, 'ledger_consistency', {}, async (cut) =>
      proveLedger(await ledgerOf(cut), [subject]),
    );
    expect(suspects?.accounts).toEqual([id]);
  });
});

test('of the accounts that are asked for those are listed that are wrong, and the first of their twins', async () => {
  await withBooks(host, async ({ ledger, ada, bob, sql, save }) => {
    const [debtor, twin] = [ledger.openAccount(ada, 'pending_investment'), ledger.openAccount(bob, 'usdc_balance')];
    debtor.row.balance = '-1';
    await save();
    const twins = [ledger.account(bob, 'usdc_balance').id, twin.id].sort();
    const listed = (accounts: string[] | null) =>
      inCut(sql, 'ledger_consistency', {}, (cut) => list(cut, ledgerProofStatements.wrongAccounts, { accounts }));
    expect(await listed(null)).toEqual([debtor.id, twins[0]].sort());
    expect(await listed([debtor.id])).toEqual([debtor.id]);
    expect(await listed([twins[1]!])).toEqual([twins[0]]);
    expect(await listed([ledger.account(ada, 'usdc_balance').id])).toEqual([]);
    ledger.openAccount(null, 'system_buffer_usdc');
    await save();
    expect(await listed([ledger.account(ada, 'usdc_balance').id])).toHaveLength(1);
  });
});

test.each([
  ['ledger_consistency', 'uniqueBooks', 'ledger_transactions', 'ledger_transactions_pkey'],
  ['ledger_consistency', 'uniqueBooks', 'ledger_accounts', 'ledger_accounts_pkey'],
  ['deposits', 'unique', 'deposits', 'deposits_pkey'],
  ['withdrawals', 'unique', 'withdrawals', 'withdrawals_pkey'],
] as const)('%s takes ids for unique only where an index says so: %s, %s', async (check, statement, table, key) => {
  const database = openPool((await testDatabase()).url);
  await rolledBack(database, async (sql) => {
    const isUnique = () => inCut(sql, check, {}, (cut) => addsNothing(cut, checks[check].statements[statement]!));
    expect(await isUnique()).toBe(true);
    await sql`alter table ${sql(table)} drop constraint ${sql(key)} cascade`;
    expect(await isUnique()).toBe(false);
  });
});
