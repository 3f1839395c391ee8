import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import { expect, test } from 'vitest';
import { approve, propose } from '../../src/corrections/proposals.ts';
import { OperatorError } from '../../src/operator-error.ts';
import { testDatabase } from '../support/database.ts';
import { LedgerBuilder, type Booked } from '../support/ledger.ts';
import type { DepositRow } from '../support/ledger-rows.ts';
import { Random } from '../support/random.ts';
import { openPool } from '../support/run-check.ts';
import { operatorOf } from '../support/world.ts';
import { deskOf, wordOf } from './desk.ts';

/** RECON_SEED chooses who pays whom. */
const { RECON_SEED: seed = '1' } = process.env;
const random = new Random(Number(seed));

const { url, sql } = await testDatabase();
const desk = deskOf(openPool(url));

test(`a host that writes at full speed loses no update, and nothing is posted twice (RECON_SEED=${seed})`, async () => {
  const now = new Date();
  const ledger = new LedgerBuilder({ now, seed: Number(seed) });
  const users = Array.from({ length: 16 }, () => ledger.user());
  for (const user of users) ledger.openingBalance(user, '100000', { minutesAgo: 99_999 });
  // what was not posted belongs to others than what drifts: the one would keep recon from the other
  const missing = users.slice(8).map((user) => ledger.deposit(user, '7', { post: false }));
  await ledger.save(sql);
  const accounts = users.map((user) => ledger.account(user, 'usdc_balance').id);
  const buffer = ledger.systemAccount('system_buffer_usdc').id;
  for (const id of accounts.slice(0, 8)) await sql`update ledger_accounts set balance = balance + 0.5 where id = ${id}`;

  const stopped = new AbortController();
  const writers = [1, 2, 3].map(() => keepPaying(accounts, stopped.signal));
  const { runs } = operatorOf(url, { RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY: 'true' });
  const first = await runs([], { now, asOf: null });
  expect(first.report.metadata['corrections']).toMatchObject({ tried: 8, corrected: 8, failed: 0 });

  const proposals = [];
  for (const { id, kind } of first.exceptions)
    if (kind === 'missing_in_ledger') proposals.push(await propose(desk, id, wordOf('Ada')));
  expect(proposals).toHaveLength(8);
  const byHost = postAll(missing, buffer);
  const states = [];
  for (const proposal of proposals)
    states.push(
      await approve(desk, proposal, wordOf('Grace')).then(
        ({ state }) => state,
        (error: unknown) => {
          if (error instanceof OperatorError) return 'refused';
          throw error;
        },
      ),
    );
  const posted = (await byHost) + states.filter((state) => state === 'applied').length;
  stopped.abort();
  const paid = (await Promise.all(writers)).reduce((all, one) => all + one, 0);

  expect(paid).toBeGreaterThan(20);
  expect(posted, states.join()).toBe(8);
  const last = await runs([], { now: new Date(), asOf: null });
  expect(last.exceptions).toEqual([]); // every balance, every posting
});

test('a deposit that the host has in hand is waited for, and not posted twice', async () => {
  const ledger = new LedgerBuilder({ now: new Date() });
  const [user, buffer] = [
    ledger.user(),
    (
      await sql<{ id: string }[]>`
    select id from ledger_accounts where account_type = 'system_buffer_usdc'`
    )[0]!.id,
  ];
  const account = ledger.account(user, 'usdc_balance').id;
  await ledger.save(sql);
  const id = randomUUID();
  await sql`
    insert into deposits (id, user_id, chain, tx_hash, token, amount, status, created_at)
    values (${id}, ${user.id}, 'BASE', ${id}, 'USDC', 7, 'completed', now() - interval '1 hour')`;
  const { runs } = operatorOf(url);
  const { exceptions } = await runs([], { now: new Date(), asOf: null });
  const proposal = await propose(desk, exceptions[0]!.id, wordOf('Ada'));
  const approval = await sql.begin(async (host) => {
    await host`select from deposits where id = ${id} for update`;
    const approving = approve(desk, proposal, wordOf('Grace'));
    while (
      (await sql`select from pg_stat_activity where application_name = 'recon' and wait_event_type = 'Lock'`).length ===
      0
    );
    await book(host, 'deposit', id, buffer, account, '7');
    return { approving };
  });
  expect(await approval.approving).toMatchObject({
    state: 'refused',
    reason: 'The check finds nothing wrong with it any more.',
  });
  expect((await runs([], { now: new Date(), asOf: null })).exceptions).toEqual([]);
});

/** Payments between two users at random, one after the other. Returns how many there were. */
async function keepPaying(accounts: readonly string[], signal: AbortSignal): Promise<number> {
  let paid = 0;
  for (; !signal.aborted; paid += 1) {
    const [from, to] = [random.pick(accounts), random.pick(accounts)];
    if (from !== to) await sql.begin((transaction) => book(transaction, 'internal_transfer', null, from, to, '1.25'));
  }
  return paid;
}

/** The host’s own worker posts what is settled and not posted yet. Returns how many it posted. */
async function postAll(deposits: readonly Booked<DepositRow>[], buffer: string): Promise<number> {
  let posted = 0;
  for (const { id } of [...deposits].reverse())
    posted += await sql.begin(async (transaction) => {
      const [row] = await transaction<{ user_id: string }[]>`select user_id from deposits where id = ${id} for update`;
      if ((await transaction`select from ledger_transactions where reference_id = ${id}`).length > 0) return 0;
      const [account] = await transaction<{ id: string }[]>`
        select id from ledger_accounts where user_id = ${row!.user_id} and account_type = 'usdc_balance'`;
      await book(transaction, 'deposit', id, buffer, account!.id, '7');
      return 1;
    });
  return posted;
}

/** As a sound host does it: both accounts locked in the order of their ids, and moved with the entries. */
async function book(
  transaction: postgres.TransactionSql,
  type: string,
  reference: string | null,
  from: string,
  to: string,
  amount: string,
): Promise<void> {
  await transaction`select from ledger_accounts where id in (${from}, ${to}) order by id for update`;
  const id = randomUUID();
  await transaction`
    insert into ledger_transactions (id, transaction_type, reference_id, status, idempotency_key, completed_at)
    values (${id}, ${type}, ${reference}, 'completed', ${id}, now())`;
  await transaction`
    with entry as (
      insert into ledger_entries (id, transaction_id, account_id, entry_type, amount, currency)
      values
        (gen_random_uuid(), ${id}, ${from}, 'credit', ${amount}, 'USDC'),
        (gen_random_uuid(), ${id}, ${to}, 'debit', ${amount}, 'USDC')
      returning account_id, case entry_type when 'debit' then amount else -amount end as amount
    )
    update ledger_accounts as account set balance = account.balance + entry.amount
    from entry
    where account.id = entry.account_id`;
}
