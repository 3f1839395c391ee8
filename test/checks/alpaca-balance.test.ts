import { afterEach, describe, expect, test } from 'vitest';
import { alpacaBalance } from '../../src/checks/alpaca-balance.ts';
import { custodianWorld, incompleteness } from '../custodians/custodian-world.ts';
import { startAlpacaSandbox, type AccountInput, type AlpacaSandbox } from '../support/alpaca-sandbox.ts';
import { idFrom } from '../support/circle-sandbox.ts';
import { configOf, runCheck } from '../support/run-check.ts';
import { faultyHost, withBooks, type Books } from '../support/scenario.ts';

const host = await faultyHost();
const credentials = { key: 'CK1234', secret: '5up3r-53cr37' };

let alpaca: AlpacaSandbox | undefined;
afterEach(() => alpaca?.close());

/** Every user's fiat_exposure in the clean books: Ada and Bob invested 200 and took 50 back. */
const expected = '300';

async function compared(books: Books, accounts: AccountInput[], env: Record<string, string> = {}) {
  alpaca = await startAlpacaSandbox({ ...credentials, rateLimit: undefined, accounts });
  const settings = { ...environment(alpaca), ...env };
  const reading = await alpacaBalance.read!(configOf(settings), custodianWorld(), () => undefined);
  return runCheck(books.sql, 'alpaca_balance', { env: settings, reading });
}

function environment({ url }: AlpacaSandbox, secret = credentials.secret): Record<string, string> {
  return {
    ALPACA_API_KEY: credentials.key,
    ALPACA_API_SECRET: secret,
    ALPACA_BASE_URL: url,
    ALPACA_REQUESTS_PER_SECOND: '9999',
  };
}

function accountsOf({ ada, bob }: Books, ofAda: string, ofBob: string): AccountInput[] {
  return [
    { id: ada.alpacaAccountId, cash: ofAda },
    { id: bob.alpacaAccountId, cash: ofBob },
  ];
}

const mismatch = { kind: 'balance_mismatch', subject: 'custodian:alpaca', currency: 'USD', affectedUserId: null };

describe('within the tolerance of 100 USD', () => {
  test.each([
    ['150', '150', '300'],
    ['150', '250', '400'],
    ['150', '50', '200'],
    ['-50', '299.99', '249.99'],
  ])('%s and %s against 300 pass', async (ofAda, ofBob, actual) => {
    await withBooks(host, async (books) => {
      const { findings, totals, compared: count } = await compared(books, accountsOf(books, ofAda, ofBob));
      expect(findings).toEqual([]);
      expect(totals).toMatchObject([{ currency: 'USD', expected, actual }]);
      expect(count).toBe(2);
    });
  });
});

describe('beyond it', () => {
  test.each([
    ['250.01', '400.01', '100.01', 'high'],
    ['49.99', '199.99', '-100.01', 'high'],
    ['5000', '5150', '4850', 'critical'],
  ])('150 and %s against 300 is a finding, until it is mended', async (ofBob, actual, difference, severity) => {
    await withBooks(host, async (books) => {
      const { findings } = await compared(books, accountsOf(books, '150', ofBob));
      expect(findings).toMatchObject([{ ...mismatch, severity, expected, actual, difference }]);
      await alpaca?.close();
      expect(await compared(books, accountsOf(books, '150', '150'))).toMatchObject({ findings: [] });
    });
  });

  test('a tolerance of 0 is honoured', async () => {
    await withBooks(host, async (books) => {
      const env = { RECONCILIATION_ALPACA_TOLERANCE: '0' };
      const { findings } = await compared(books, accountsOf(books, '150', '150.01'), env);
      expect(findings).toMatchObject([{ ...mismatch, severity: 'low', difference: '0.01' }]);
      await alpaca?.close();
      expect(await compared(books, accountsOf(books, '150', '150'), env)).toMatchObject({ findings: [] });
    });
  });
});

test('accounts that belong to nobody are listed, and counted all the same', async () => {
  await withBooks(host, async (books) => {
    const firm = { id: idFrom('firm'), cash: '33' };
    const { details, totals } = await compared(books, [...accountsOf(books, '150', '150'), firm]);
    expect(totals).toMatchObject([{ actual: '333' }]);
    expect(details['without_owner']).toEqual({
      count: 1,
      amount: '33',
      largest: [{ external_id: firm.id, amount: '33' }],
    });
  });
});

describe('a check that proves nothing', () => {
  test('no fiat_exposure at all: incomplete, not zero', async () => {
    await withBooks(host, async (books) => {
      await books.sql`delete from ledger_accounts where account_type = 'fiat_exposure'`;
      const { exitCode, reason } = await incompleteness(compared(books, []));
      expect(exitCode).toBe(3);
      expect(reason).toContain('alpaca');
    });
  });

  test('one balance of many is null: incomplete, although a sum would hide it', async () => {
    await withBooks(host, async (books) => {
      const { id } = books.ledger.account(books.bob, 'fiat_exposure');
      await books.sql`update ledger_accounts set balance = null where id = ${id}`;
      const { exitCode, reason } = await incompleteness(compared(books, []));
      expect(exitCode).toBe(3);
      expect(reason).toContain('one is null');
    });
  });

  test.each(['ALPACA_API_KEY', 'ALPACA_API_SECRET'])('%s is missing: 78', async (missing) => {
    const env = { ALPACA_API_KEY: 'CK1234', ALPACA_API_SECRET: 'secret' };
    const rest = Object.fromEntries(Object.entries(env).filter(([name]) => name !== missing));
    const { exitCode, reason } = await incompleteness(
      alpacaBalance.read!(configOf(rest), custodianWorld(), () => undefined),
    );
    expect(exitCode).toBe(78);
    expect(reason).toContain(missing);
  });

  test('a refused secret: 77, and it is not told', async () => {
    alpaca = await startAlpacaSandbox({ ...credentials, rateLimit: undefined, accounts: [] });
    const env = environment(alpaca, 'an0ther-53cr37');
    const { exitCode, reason } = await incompleteness(
      alpacaBalance.read!(configOf(env), custodianWorld(), () => undefined),
    );
    expect(exitCode).toBe(77);
    expect(reason).not.toContain('an0ther');
  });
});
