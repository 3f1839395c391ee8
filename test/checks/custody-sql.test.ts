import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { custodyStatements } from '../../src/checks/custody-books.ts';
import { query } from '../../src/database/database.ts';
import { shipped } from '../../src/shipped.ts';
import { bind, compose, type Params, type Statement } from '../../src/source.ts';
import { testDatabase } from '../support/database.ts';
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
