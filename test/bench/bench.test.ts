import type { Sql } from 'postgres';
import { expect, test } from 'vitest';
import { emptyDatabase } from '../support/database.ts';
import { listSchema } from '../support/schema-listing.ts';
import { operatorOf } from '../support/world.ts';
import { applyChanges, fill, freshen, readHost, removeChanges } from './fill.ts';
import { shapes, type Shape } from './shapes.ts';
import { readTotalsOnly } from './totals-only.ts';

const entries = 6000;

/** What recon finds in each shape, by kind. */
const planted: Record<Shape, Record<string, number>> = {
  ordinary: {},
  'three-legs': {},
  'hot-account': {},
  'known-exceptions': { amount_mismatch: 24, balance_drift: 17, unbalanced_transaction: 17 },
};

test.each(Object.keys(shapes) as Shape[])('%s: recon finds what was planted, also after changes', async (shape) => {
  const { url, sql: pool } = await emptyDatabase();
  const sql = await pool.reserve();
  await sql.unsafe(await readHost());
  const host = await listSchema(sql);
  await fill(sql, { entries, shape });
  await freshen(sql);
  expect(await listSchema(sql)).toEqual(host);

  const operator = operatorOf(url);
  await operator.types(['migrate', 'up']);
  const found = async () => {
    const { exceptions } = await operator.runs([], { asOf: null });
    return countBy(exceptions.map(({ kind }) => kind));
  };
  expect(await found()).toEqual(planted[shape]);
  const before = await fingerprint(sql);
  await applyChanges(sql, 100);
  expect(await found()).toEqual(planted[shape]);
  expect(await fingerprint(sql)).not.toEqual(before);
  await removeChanges(sql, 100);
  expect(await fingerprint(sql)).toEqual(before);
  sql.release();
});

test('a ledger looks as it should', async () => {
  const { sql: pool } = await emptyDatabase();
  const sql = await pool.reserve();
  await sql.unsafe(await readHost());
  await fill(sql, { entries, shape: 'hot-account' });
  const [hot] = await sql<[{ share: number }]>`
    select max(of_account.entries) / ${entries}::float8 as share
    from (
      select count(*) as entries
      from ledger_entries as entry
      inner join ledger_accounts as account on account.id = entry.account_id
      where account.user_id is not null
      group by account.id
    ) as of_account`;
  expect(hot.share).toBeGreaterThan(0.35);
  const kinds = await sql<{ kind: string }[]>`
    select distinct transaction_type || ' ' || status as kind from ledger_transactions order by kind`;
  expect(kinds.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['deposit reversed', 'reversal completed']));
  sql.release();
});

test('every query of the totals-only reconciler is timed, and answers', async () => {
  const { sql } = await emptyDatabase();
  await sql.unsafe(await readHost());
  const queries = await readTotalsOnly();
  expect(queries.map(({ title }) => title)).toHaveLength(7);
  for (const { text } of queries) await sql.unsafe(text);
});

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Changes with every row that is added, removed or worth something else. */
async function fingerprint(sql: Sql): Promise<unknown> {
  return sql`
    select
      (select sum(hashtextextended(id || account_id::text || amount, 0)) from ledger_entries) as entries,
      (select sum(hashtextextended(id || status, 0)) from ledger_transactions) as transactions,
      (select sum(hashtextextended(id || status, 0)) from deposits) as deposits,
      (select sum(hashtextextended(id || status, 0)) from withdrawals) as withdrawals,
      (select sum(hashtextextended(id || trim_scale(balance)::text, 0)) from ledger_accounts) as accounts`;
}
