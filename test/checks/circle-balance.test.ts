import { afterEach, describe, expect, test } from 'vitest';
import { circleBalance } from '../../src/checks/circle-balance.ts';
import type { BegunReading } from '../../src/custodians/custodian.ts';
import { openCircle } from '../../src/custodians/circle.ts';
import type { CircleOptions } from '../../src/custodians/circle-client.ts';
import { custodianWorld, incompleteness } from '../custodians/custodian-world.ts';
import { idFrom, startCircleSandbox, type CircleSandbox, type WalletInput } from '../support/circle-sandbox.ts';
import { configOf, runCheck, type CheckOptions } from '../support/run-check.ts';
import { faultyHost, withBooks, type Books } from '../support/scenario.ts';

const host = await faultyHost();
const apiKey = 'LIVE_API_KEY:3f1c:5up3r-53cr37';

let circle: CircleSandbox | undefined;
afterEach(() => circle?.close());

/** The books' position is `position`, Circle holds `held` in Ada's wallet and `others` beside it. */
async function compared(
  { ada, ledger, sql, save }: Books,
  {
    position,
    held,
    others = [],
    env = {},
  }: { position: string; held: string; others?: WalletInput[]; env?: CheckOptions['env'] },
) {
  await save();
  await sql`update ledger_accounts set balance = ${position} where id = ${ledger.systemAccount('system_buffer_usdc').id}`;
  circle = await startCircleSandbox({
    apiKey,
    rateLimit: undefined,
    wallets: [{ id: ada.walletId, usdc: held }, ...others],
  });
  const settings = { CIRCLE_API_KEY: apiKey, CIRCLE_BASE_URL: circle.url, CIRCLE_REQUESTS_PER_SECOND: '9999', ...env };
  const reading = await circleBalance.read!(configOf(settings), custodianWorld(), () => undefined);
  return runCheck(sql, 'circle_balance', { env: settings, reading });
}

const mismatch = { kind: 'balance_mismatch', subject: 'custodian:circle', currency: 'USDC', affectedUserId: null };

describe('within the tolerance of 10 USDC', () => {
  test.each(['100', '110', '90', '109.999999'])('%s against 100 passes', async (held) => {
    await withBooks(host, async (books) => {
      const { findings, totals, compared: count } = await compared(books, { position: '100', held });
      expect(findings).toEqual([]);
      expect(totals).toMatchObject([{ currency: 'USDC', expected: '100', actual: held }]);
      expect(count).toBe(1);
    });
  });
});

describe('beyond it', () => {
  test.each([
    ['110.000001', '10.000001', 'medium'],
    ['89.999999', '-10.000001', 'medium'],
    ['5100', '5000', 'critical'],
  ])('%s against 100 is a finding', async (actual, difference, severity) => {
    await withBooks(host, async (books) => {
      const { findings } = await compared(books, { position: '100', held: actual });
      expect(findings).toMatchObject([{ ...mismatch, severity, expected: '100', actual, difference }]);
      const repaired = await runCheckAgain(books, actual);
      expect(repaired.findings).toEqual([]);
    });
  });

  test('a tolerance of 0 is honoured, to the last attounit of the books', async () => {
    await withBooks(host, async (books) => {
      const env = { RECONCILIATION_CIRCLE_TOLERANCE: '0' };
      const { findings } = await compared(books, { position: '100.000000000000000001', held: '100', env });
      expect(findings).toMatchObject([{ ...mismatch, severity: 'low', difference: '-0.000000000000000001' }]);
    });
    await circle?.close();
    await withBooks(host, async (books) => {
      const env = { RECONCILIATION_CIRCLE_TOLERANCE: '0' };
      expect(await compared(books, { position: '100', held: '100', env })).toMatchObject({ findings: [] });
    });
  });
});

/** The books are corrected to what Circle holds. */
async function runCheckAgain({ ledger, sql }: Books, position: string) {
  await sql`update ledger_accounts set balance = ${position} where id = ${ledger.systemAccount('system_buffer_usdc').id}`;
  const env = { CIRCLE_API_KEY: apiKey, CIRCLE_BASE_URL: circle!.url, CIRCLE_REQUESTS_PER_SECOND: '9999' };
  const reading = await circleBalance.read!(configOf(env), custodianWorld(), () => undefined);
  return runCheck(sql, 'circle_balance', { env, reading });
}

test('holdings that belong to nobody are listed, the largest first, and counted all the same', async () => {
  await withBooks(host, async (books) => {
    const others = [
      { id: idFrom('lost'), usdc: '5' },
      { id: idFrom('empty'), usdc: '0' },
      { id: idFrom('treasury'), usdc: '7.5' },
    ];
    const { findings, details } = await compared(books, { position: '112.5', held: '100', others });
    expect(findings).toEqual([]);
    expect(details['without_owner']).toEqual({
      count: 2,
      amount: '12.5',
      largest: [
        { external_id: idFrom('treasury'), amount: '7.5' },
        { external_id: idFrom('lost'), amount: '5' },
      ],
    });
  });
});

describe('a check that proves nothing', () => {
  const when = { startedAt: new Date(0), endedAt: new Date(0) };
  const look = { movements: new Map(), since: '', reach: '' };
  const begun = { look, custodian: openCircle({} as CircleOptions) };
  const nothing: Omit<BegunReading, 'total'> = { currency: 'USDC', holdings: [], ...when, ...begun, details: {} };

  test.each<[title: string, spoil: (books: Books) => unknown]>([
    ['no system_buffer_usdc', ({ sql }) => sql`delete from ledger_accounts where account_type = 'system_buffer_usdc'`],
    [
      'no balance',
      ({ sql }) => sql`update ledger_accounts set balance = null where account_type = 'system_buffer_usdc'`,
    ],
    ['NaN', ({ sql }) => sql`update ledger_accounts set balance = 'NaN' where account_type = 'system_buffer_usdc'`],
  ])('%s: incomplete, not zero', async (_, spoil) => {
    await withBooks(host, async (books) => {
      await spoil(books);
      const total = configOf().circle.tolerance.times(0);
      const { exitCode, reason } = await incompleteness(
        runCheck(books.sql, 'circle_balance', { reading: { ...nothing, total } }),
      );
      expect(exitCode).toBe(3);
      expect(reason).toContain('circle');
    });
  });

  test('a position in another currency: incomplete, by configuration', async () => {
    await withBooks(host, async ({ sql }) => {
      await sql`update ledger_accounts set currency = 'USD' where account_type = 'system_buffer_usdc'`;
      const total = configOf().circle.tolerance;
      const { exitCode, reason } = await incompleteness(
        runCheck(sql, 'circle_balance', { reading: { ...nothing, total } }),
      );
      expect(exitCode).toBe(78);
      expect(reason).toContain('USD for circle, which holds USDC only');
    });
  });

  test('a missing key: 78, a refused one: 77', async () => {
    const missing = circleBalance.read!(configOf(), custodianWorld(), () => undefined);
    expect(await incompleteness(missing)).toMatchObject({
      exitCode: 78,
      reason: expect.stringContaining('CIRCLE_API_KEY') as string,
    });
    circle = await startCircleSandbox({ apiKey, rateLimit: undefined, wallets: [] });
    const env = { CIRCLE_API_KEY: 'LIVE_API_KEY:3f1c:another', CIRCLE_BASE_URL: circle.url };
    const refused = await incompleteness(circleBalance.read!(configOf(env), custodianWorld(), () => undefined));
    expect(refused.exitCode).toBe(77);
    expect(refused.reason).not.toContain('another');
  });
});
