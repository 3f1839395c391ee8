import { beforeAll, describe, expect, test, type onTestFinished } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { custodians as examinations, type Reader } from '../../src/doctor/custodians.ts';
import type { Opinion } from '../../src/doctor/examination.ts';
import { openSource } from '../../src/source.ts';
import { circleFaults } from '../support/circle-faults.ts';
import { idFrom } from '../support/circle-sandbox.ts';
import { startCustodians, type Custodians } from '../support/custodians.ts';
import { testDatabase } from '../support/database.ts';
import { LedgerBuilder, type User } from '../support/ledger.ts';
import { cutAt } from '../support/run-check.ts';
import { answers, type Fault } from '../support/sandbox-server.ts';
import { testWorld } from '../support/world.ts';

let url: string;
let ada: User;

beforeAll(async () => {
  const database = await testDatabase();
  ({ url } = database);
  const ledger = new LedgerBuilder({ now: cutAt, seed: 8 });
  ada = ledger.user();
  await ledger.save(database.sql);
});

const custody = (onFinished?: typeof onTestFinished) =>
  startCustodians(ada, { usdc: '0', cash: '0' }, () => new Date(), onFinished);

type Asked = Partial<Pick<Reader, 'patienceMs'>> & { env?: Record<string, string> };

async function examine(topic: string, custodians: Custodians, { patienceMs = 20_000, env }: Asked): Promise<Opinion[]> {
  const world = testWorld({ env: { DATABASE_URL: url, ...custodians.env, ...env }, now: new Date(), asOf: null });
  const config = parseConfig(world.env);
  const patient = { config, source: openSource(config.source), world, beforeBooks: undefined, patienceMs };
  return [...(await examinations.find((examination) => examination.topic === topic)!.examine(patient))];
}

/** As one line each: the words about what was found, not those about what to do. */
async function alpacaSays(custodians: Custodians, asked: Asked = {}): Promise<string[]> {
  const opinions = await examine('alpaca_balance', custodians, asked);
  return opinions.map(({ verdict, message }) => `${verdict}: ${message}`);
}

/** More than can be read in so short a time. */
const hurried = { patienceMs: 1000, env: { ALPACA_REQUESTS_PER_SECOND: '50' } };

function openMany({ alpaca }: Custodians): void {
  for (let number = 1; number <= 100; number += 1) alpaca.add({ id: idFrom(`account ${number}`) });
}

const money = { path: /^\/v1\/trading\// };

describe.concurrent('a custodian that is not read whole while somebody waits', () => {
  test('is held against the books by its listing, which is there long before the money', async ({ onTestFinished }) => {
    const custodians = await custody(onTestFinished);
    openMany(custodians);
    expect(await alpacaSays(custodians, hurried)).toEqual([
      'ok: The custodian answers, and takes the credentials: 101 accounts listed, all 1 that the books know among them.',
      expect.stringMatching(/^ok: In 1 s the money of [1-9]\d? accounts? was read: a run takes longer\.$/),
    ]);
    custodians.alpaca.accounts.delete(ada.alpacaAccountId);
    expect(await alpacaSays(custodians, hurried)).toEqual([
      `problem: The custodian answers, and takes the credentials: 100 accounts listed, but not 1 of the 1 that the books know (${ada.alpacaAccountId}).`,
      expect.stringContaining('ok: In 1 s'),
    ]);
  });

  test('is a warning where not even its listing is whole', async ({ onTestFinished }) => {
    const custodians = await custody(onTestFinished);
    openMany(custodians);
    custodians.alpaca.accountsPerPage = 2;
    expect(await alpacaSays(custodians, hurried)).toEqual([
      'warning: In 1 s the money of 0 accounts was read: a run takes longer. Not compared with what the books know.',
    ]);
  });

  test.for<[what: string, fault: Fault, told: RegExp]>([
    [
      'no longer answers',
      answers({ ...money, skip: 3 }, { status: 200, silent: true }),
      /^problem: In 1 s the money of 3 accounts was read, and no answer came in the last 1 s\.$/,
    ],
    [
      'asks to be asked later',
      answers({ ...money, skip: 3 }, { status: 503, headers: { 'retry-after': '40' } }),
      /^problem: In 1 s the money of 3 accounts .*: GET \S+\/account answered 503/,
    ],
    [
      'has little left of what may be asked',
      {
        ...money,
        respond: (real) => ({ ...real(), headers: nearlyUsedUp() }),
      },
      /^warning: In 1 s the money of \d+ accounts was read, because what may be asked is nearly used up, by somebody else or by a run/,
    ],
  ])('is in trouble where it %s', async ([, fault, told], { onTestFinished }) => {
    const custodians = await custody(onTestFinished);
    openMany(custodians);
    custodians.alpaca.faults.push(fault);
    expect(await alpacaSays(custodians, hurried)).toEqual([
      expect.stringContaining('ok: The custodian answers'),
      expect.stringMatching(told),
    ]);
  });
});

/** Until the window is over, 50 requests of 1,000. */
function nearlyUsedUp(): Record<string, string> {
  const reset = String(Math.floor(Date.now() / 1000) + 40);
  return { 'x-ratelimit-limit': '1000', 'x-ratelimit-remaining': '50', 'x-ratelimit-reset': reset };
}

describe('what the books know', () => {
  test('is not what is left out, and where that is nobody, nobody can tell whose the credentials are', async () => {
    const custodians = await custody();
    const { alpaca } = custodians;
    const env = { RECONCILIATION_ALPACA_EXCLUDE: ada.alpacaAccountId };
    expect(await alpacaSays(custodians, { env })).toEqual([
      'ok: The custodian answers, and takes the credentials: 0 accounts read, and the books know none beside those in RECONCILIATION_ALPACA_EXCLUDE.',
    ]);
    alpaca.add({ id: idFrom('of somebody') });
    expect(await alpacaSays(custodians, { env })).toEqual([
      'warning: The custodian answers, and takes the credentials: 1 account read, and the books know none beside those in RECONCILIATION_ALPACA_EXCLUDE: whether the credentials are those of the right firm cannot be told.',
    ]);
  });

  test('a firm that has none of it is the wrong one, also where some are left out', async () => {
    const { url: other, sql } = await testDatabase();
    const ledger = new LedgerBuilder({ now: cutAt, seed: 9 });
    const [gone] = [ledger.user(), ledger.user()];
    await ledger.save(sql);
    const env = { DATABASE_URL: other, RECONCILIATION_ALPACA_EXCLUDE: gone.alpacaAccountId };
    expect(await alpacaSays(await custody(), { env })).toEqual([
      expect.stringMatching(/^problem: .*: 1 account read, but not 1 of the 1 that the books know/),
    ]);
  });
});

test.each([
  ['wallet that cannot be verified', /^Name in RECONCILIATION_CIRCLE_EXCLUDE each wallet that holds none/],
  ['wallets of two environments', /^CIRCLE_API_KEY begins with TEST_API_KEY: it sees testnets only/],
  ['key of the other environment', /^CIRCLE_API_KEY begins with TEST_API_KEY: it sees testnets only/],
] as const)('Circle’s %s: what to do fits what was said', async (fault, next) => {
  const custodians = await custody();
  circleFaults[fault](custodians.circle);
  expect(await examine('circle_balance', custodians, {})).toMatchObject([
    { verdict: 'problem', next: expect.stringMatching(next) as string },
  ]);
});
