import { expect, test } from 'vitest';
import { checks } from '../../src/checks/index.ts';
import { readTotals } from '../../src/checks/totals.ts';
import { Shared } from '../../src/checks/shared.ts';
import { openSource } from '../../src/source.ts';
import { configOf, databaseChecks, openPool, paramsOf, rolledBack, runCheck } from '../support/run-check.ts';
import { testDatabase } from '../support/database.ts';
import type { ConversionOptions } from '../support/ledger.ts';
import type { ConversionJobRow } from '../support/ledger-rows.ts';
import { faultyHost, withBooks } from '../support/scenario.ts';

const { url } = await testDatabase();
const database = openPool(url); // with all of the host's constraints and scales
const unguarded = await faultyHost(); // a million rows without a million checks of keys

/** `12345` attounits as decimal text. */
function fromAttounits(units: bigint): string {
  const digits = units.toString().padStart(19, '0');
  return `${digits.slice(0, -18)}.${digits.slice(-18)}`.replace(/\.?0+$/, '');
}

test('the sum of a million amounts of 18 decimals is exact', async () => {
  const count = 1_000_000n;
  const step = 1_000_000_007n; // attounits from each amount to the next
  const exact = fromAttounits(count * 10n ** 18n + ((count * (count + 1n)) / 2n) * step);
  const totals = await rolledBack(unguarded, async (sql) => {
    const indexes = await sql`select indexname as name from pg_indexes where tablename = 'ledger_entries'`;
    for (const { name } of indexes) await sql`drop index ${sql(name as string)}`;
    await sql`
      insert into ledger_entries (entry_type, amount, currency)
      select 'debit', 1 + number * ${fromAttounits(step)}::numeric, 'USDC'
      from generate_series(1, ${count.toString()}::int) as number`;
    const [check, params] = [checks.ledger_consistency, paramsOf('ledger_consistency')];
    const cut = {
      transaction: sql,
      source: openSource('stack_service'),
      config: configOf(),
      params,
      shared: new Shared(),
      known: {},
      horizon: { through: params.as_of, heldBack: null, history: '', transactions: '0' },
    };
    return (await readTotals(cut, check.statements['totals']!)).totals;
  });
  expect(exact).toBe('1000500.0005035000035');
  expect(totals).toContainEqual(expect.objectContaining({ currency: 'USDC', expected: exact, actual: '0' }));
});

test('an attounit beside 10^17 survives every sum', async () => {
  await withBooks(database, async ({ ledger, sql, ada, save }) => {
    ledger.deposit(ada, '100000000000000000');
    ledger.deposit(ada, '0.000000000000000001');
    ledger.deposit(ada, '9007199254740993');
    await save();
    const { totals } = await runCheck(sql, 'deposits');
    // with the clean books: twice 1000.000000000000000001 and a split of 100
    const expected = '109007199254743093.000000000000000003';
    expect(totals).toMatchObject([{ currency: 'USDC', expected, actual: expected, inFlight: 1, inFlightAmount: '5' }]);
  });
});

test('what is awaited and what is in flight is counted apart from both sides', async () => {
  await withBooks(database, async ({ ledger, sql, ada, save }) => {
    ledger.deposit(ada, '11', { minutesAgo: 1, post: false });
    ledger.deposit(ada, '12', { status: 'confirmed', postedAmount: '13' });
    ledger.deposit(ada, '14', { status: 'confirmed', minutesAgo: 24 * 60 }); // overdue: no longer expected
    await save();
    const { totals } = await runCheck(sql, 'deposits');
    const settled = '2100.000000000000000002';
    expect(totals).toEqual([
      {
        currency: 'USDC',
        expected: settled,
        actual: settled,
        awaited: 1,
        awaitedAmount: '11',
        inFlight: 2,
        inFlightAmount: '18',
      },
    ]);
  });
});

test('what is ahead of the cut by more than the grace period is neither awaited nor in flight', async () => {
  await withBooks(database, async ({ ledger, sql, ada, save }) => {
    for (const minutesAgo of [-5, -6]) {
      ledger.deposit(ada, '11', { minutesAgo, post: false });
      ledger.deposit(ada, '12', { minutesAgo, status: 'confirmed' });
      ledger.transaction({ type: 'internal_transfer', minutesAgo, status: 'pending', entries: [] });
    }
    await save();
    const { totals } = await runCheck(sql, 'deposits');
    const inFlight = { inFlight: 2, inFlightAmount: '17' };
    expect(totals).toMatchObject([
      { awaited: 1, awaitedAmount: '11', expected: '2111.000000000000000002', ...inFlight },
    ]);
    expect((await runCheck(sql, 'ledger_consistency')).totals[0]).toMatchObject({ inFlight: 1 });
  });
});

test('a job without a destination amount is compared at the scale of the host’s column', async () => {
  await withBooks(database, async ({ ledger, sql, save }) => {
    // 33.333333 x 0.98765432 - 0.1 = 32.82181034…
    const options = { rate: '0.98765432', fees: '0.1', destinationAmount: '32.82181' };
    ledger.conversionJob('usdc_to_usd', '33.333333', options).row.destination_amount = null;
    await save();
    expect(await runCheck(sql, 'conversion_jobs')).toMatchObject({ findings: [] });
  });
});

test('how many completed jobs name neither destination amount nor rate is told, and what was booked for them', async () => {
  await withBooks(database, async ({ ledger, sql, save }) => {
    expect((await runCheck(sql, 'conversion_jobs')).details).toEqual({});
    const unsaid = { destination_amount: null, exchange_rate: null };
    const book = (options: ConversionOptions, row: Partial<ConversionJobRow> = unsaid) =>
      Object.assign(ledger.conversionJob('usdc_to_usd', '80', options).row, row);
    book({ rate: '0.5' });
    book({ rate: '0.25', minutesAgo: 1 });
    book({ rate: '0' });
    book({ rate: '0.5' }, { destination_amount: null }); // its rate tells
    book({ post: false, minutesAgo: 1 }); // there is nothing to compare yet
    for (const status of ['ledger_updating', 'cancelled']) book({ status, post: true });
    await save();
    const { findings, details } = await runCheck(sql, 'conversion_jobs');
    expect(details).toEqual({ USD: { not_compared: 3, not_compared_amount: '60' } });
    expect(findings).toMatchObject([{ kind: 'posted_for_failed' }]);
  });
});

test('every check says how many records it compared', async () => {
  const compared = await withBooks(database, async ({ sql }) => {
    const counts: Record<string, number> = {};
    for (const name of databaseChecks) counts[name] = (await runCheck(sql, name)).compared;
    return counts;
  });
  expect(compared).toEqual({ ledger_consistency: 19, deposits: 6, conversion_jobs: 5, withdrawals: 5 });
});
