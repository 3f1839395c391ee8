import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { custodyStatements } from '../../src/checks/custody-books.ts';
import { query, type Transaction } from '../../src/database/database.ts';
import { shipped } from '../../src/shipped.ts';
import { bind, compose, type Params, type Relation, type Statement } from '../../src/source.ts';
import { testDatabase } from '../support/database.ts';
import { LedgerBuilder } from '../support/ledger.ts';
import { cutAt, inCut, openPool, rolledBack } from '../support/run-check.ts';

// A mapping whose three relations of custody are written out, so that each rule has a row on both of its sides.

const ada = '00000000-0000-4000-8000-00000000000a';
const bob = '00000000-0000-4000-8000-00000000000b';
const [graceMinutes, deadlineMinutes] = [5, 72 * 60];

const files: Record<string, string> = {
  'custody_accounts.sql': `
    select listed.custodian, listed.external_id, listed.user_id::uuid as user_id
    from (
      values
        ('circle', 'hers', '${ada}'),
        ('circle', 'hers', '${ada}'),
        ('circle', 'disputed', '${ada}'),
        ('circle', 'disputed', '${bob}'),
        ('circle', null, '${bob}'),
        ('alpaca', 'elsewhere', '${bob}')
    ) as listed (custodian, external_id, user_id)`,
  'custody_positions.sql': `
    select listed.custodian, listed.currency, listed.user_id::uuid as user_id, listed.expected::numeric as expected
    from (
      values
        ('circle', 'USDC', null, '100'),
        ('circle', 'USDC', null, '5'),
        ('circle', 'USDC', '${ada}', '60'),
        ('circle', 'USDC', '${ada}', '1'),
        ('circle', 'USDC', '${bob}', '50'),
        ('circle', 'EURC', '${bob}', '2'),
        ('circle', 'EURC', '${bob}', null),
        ('circle', 'USD', '${ada}', '3'),
        ('circle', 'USD', '${bob}', '4'),
        ('alpaca', 'USD', '${ada}', '900')
    ) as listed (custodian, currency, user_id, expected)`,
  'custody_movements.sql': `
    select
      listed.custodian,
      'USDC'::text as currency,
      listed.user_id::uuid as user_id,
      ('00000000-0000-4000-8000-' || lpad(listed.number::text, 12, '0'))::uuid as transaction_id,
      listed.amount::numeric as amount,
      listed.status,
      '${cutAt.toISOString()}'::timestamptz - make_interval(secs => listed.minutes * 60) as created_at
    from (
      values
        (1, 'circle', '${ada}', '10', 'pending', 60::double precision),
        (2, 'circle', '${ada}', '10', 'completed', 120), -- perhaps the twin of the first
        (3, 'circle', '${ada}', '7', 'completed', 180), -- perhaps that of something at the custodian
        (4, 'circle', '${ada}', '8', 'completed', 180), -- nobody's
        (5, 'circle', '${ada}', '20', 'completed', ${graceMinutes}), -- perhaps not carried out yet
        (6, 'alpaca', '${ada}', '10', 'pending', 60),
        (7, 'circle', '${ada}', '10', 'pending', ${deadlineMinutes} + 0.001), -- stuck
        (8, 'circle', '${ada}', '33', 'pending', ${deadlineMinutes}),
        (9, 'circle', '${ada}', '10', 'failed', 60),
        (10, 'circle', '${ada}', '3', 'completed', 240), -- 7 in two parts
        (10, 'circle', '${ada}', '4', 'completed', 240),
        (11, 'circle', '${ada}', '7', 'completed', 300), -- of two users
        (11, 'circle', '${bob}', '7', 'completed', 300)
    ) as listed (number, custodian, user_id, amount, status, minutes)`,
};

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recon-custody-'));
  await cp(shipped('sql/source/stack_service'), folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
});
afterAll(() => rm(folder, { recursive: true }));

const database = openPool((await testDatabase()).url);

/** The rows that the statement gives for Circle, in their order. */
async function answerOf(statement: Statement, params: Partial<Params> = {}): Promise<unknown[][]> {
  return rolledBack(database, (sql) =>
    inCut(sql, 'circle_balance', { env: { RECONCILIATION_SOURCE: folder } }, async (cut) => {
      const rows = await query(cut.transaction, compose(cut.source, statement), bind({ ...cut.params, ...params }));
      return rows.map((row) => Object.values(row as object) as unknown[]);
    }),
  );
}

test('what moved lately, and whatever it may be the twin of', async () => {
  const rows = await answerOf(custodyStatements.movements, { amounts: ['7'] });
  expect(rows.map(([id, user, amount, status]) => [Number(String(id).slice(-12)), user, amount, status])).toEqual([
    [8, ada, '33', 'pending'],
    [11, ada, '7', 'completed'],
    [11, bob, '7', 'completed'],
    [10, ada, '7', 'completed'],
    [3, ada, '7', 'completed'],
    [2, ada, '10', 'completed'],
    [1, ada, '10', 'pending'],
    [5, ada, '20', 'completed'],
  ]);
});

test('a row for the whole wins over those of users; a part without an amount spoils its sum', async () => {
  expect(await answerOf(custodyStatements.totals)).toEqual([
    ['EURC', '2', '2', true],
    ['USD', '2', '7', false],
    ['USDC', '5', '105', false],
  ]);
});

test('what each user has, in all of his rows', async () => {
  expect(await answerOf(custodyStatements.users)).toEqual([
    [ada, '64'],
    [bob, '56'],
  ]);
});

test('a wallet that is listed twice for one user is his; one that two claim is nobody’s in particular', async () => {
  expect(await answerOf(custodyStatements.owners)).toEqual([
    ['disputed', null],
    ['hers', ada],
  ]);
});

test('what the first host keeps, relation by relation', async () => {
  await rolledBack(database, async (sql) => {
    await sql`drop index ledger_accounts_user_type_key`; // whether it is there, a check finds out
    const ledger = new LedgerBuilder({ now: cutAt, seed: 7 });
    const [customer, newcomer] = [ledger.user(), ledger.user()];
    const deposit = ledger.deposit(customer, '7').transaction!;
    const withdrawal = ledger.withdrawal(customer, '3').transaction!;
    withdrawal.row.status = 'pending';
    const investment = ledger.investment(customer, '5');
    const divestment = ledger.divestment(customer, '2');
    const twins = [ledger.openAccount(newcomer, 'fiat_exposure'), ledger.openAccount(newcomer, 'fiat_exposure')];
    for (const { row } of twins) row.balance = '4';
    ledger.openAccount(newcomer, 'usdc_balance');
    await ledger.save(sql);
    await sql`update users set alpaca_account_id = null where id = ${newcomer.id}`;
    await sql`update wallets set circle_wallet_id = null where user_id = ${newcomer.id}`;

    expect(await mapped(sql, 'custody_accounts', 'custodian')).toEqual([
      ['alpaca', customer.alpacaAccountId, customer.id],
      ['circle', customer.walletId, customer.id],
    ]);
    expect(await mapped(sql, 'custody_positions', 'custodian, expected')).toEqual([
      ['alpaca', 'USD', customer.id, units(3)],
      ['alpaca', 'USD', newcomer.id, units(4)],
      ['alpaca', 'USD', newcomer.id, units(4)],
      ['circle', 'USDC', null, units(-4)],
    ]);
    const at = '2026-03-01T11:00:00Z';
    expect(await mapped(sql, 'custody_movements', 'custodian, amount')).toEqual([
      ['alpaca', 'USD', customer.id, divestment.id, units(-2), 'completed', at],
      ['alpaca', 'USD', customer.id, investment.id, units(5), 'completed', at],
      ['circle', 'USDC', customer.id, deposit.id, units(-7), 'completed', at],
      ['circle', 'USDC', customer.id, withdrawal.id, units(3), 'pending', at],
    ]);
  });
});

/** At the scale of the host's columns. */
const units = (count: number) => `${count}.000000000000000000`;

/** The rows of a relation of the first host. */
async function mapped(sql: Transaction, relation: Relation, order: string): Promise<unknown[][]> {
  const text = readFileSync(fileURLToPath(shipped(`sql/source/stack_service/${relation}.sql`)), 'utf8');
  const rows = await query(sql, `select * from (${text}) as relation order by ${order}`);
  return rows.map((row) => Object.values(row as object) as unknown[]);
}
