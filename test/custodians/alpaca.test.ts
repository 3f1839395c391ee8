import { afterEach, describe, expect, it } from 'vitest';
import { readAlpaca } from '../../src/custodians/alpaca.ts';
import type { AlpacaOptions } from '../../src/custodians/alpaca-client.ts';
import type { CustodianWorld, Progress } from '../../src/custodians/custodian.ts';
import {
  accountOpenedMeanwhile,
  type AccountInput,
  type AlpacaSandbox,
  type AlpacaSandboxOptions,
  answersForAnother,
  forbidden,
  moneyAsNumbers,
  slowAccount,
  startAlpacaSandbox,
} from '../support/alpaca-sandbox.ts';
import { idFrom } from '../support/circle-sandbox.ts';
import { answers, changedJson, truncatedJson } from '../support/sandbox-server.ts';
import { amounts, custodianWorld, incompleteness } from './custodian-world.ts';

const credentials = { key: 'CKABCDEFGHIJKLMNOPQR', secret: '5up3r-53cr37' };
const [anna, boris, clara] = [idFrom('anna'), idFrom('boris'), idFrom('clara')];
const list = /^\/v1\/accounts\?/;
const money = /^\/v1\/trading\//;
const token = /^\/v1\/oauth2\/token$/;

let alpaca: AlpacaSandbox;
afterEach(() => alpaca.close());

async function keeping(accounts: AccountInput[], options: Partial<AlpacaSandboxOptions> = {}) {
  alpaca = await startAlpacaSandbox({ ...credentials, rateLimit: undefined, ...options, accounts });
}

function read(
  options: Partial<AlpacaOptions> = {},
  world: Partial<CustodianWorld> = {},
  progress: Progress = () => undefined,
) {
  const usual: AlpacaOptions = {
    baseUrl: alpaca.url,
    authUrl: undefined,
    apiKey: credentials.key,
    apiSecret: credentials.secret,
    measure: 'auto',
    exclude: new Set(),
    requestsPerSecond: 10_000,
    requestTimeoutMs: 30_000,
  };
  return readAlpaca({ ...usual, ...options }, custodianWorld(world), progress);
}

const marginAccount = { id: boris, cash: '-23140.20', buying_power: '262113.63', multiplier: '4' };

function many(count: number): AccountInput[] {
  return Array.from({ length: count }, (_, index) => ({ id: idFrom(`account ${index}`), cash: '1.0000000001' }));
}

describe('what Alpaca holds for us', () => {
  it('is the money of every account, closed ones too, negative amounts too', async () => {
    await keeping([
      { id: anna, cash: '25000.0012345678' },
      marginAccount,
      { id: clara, cash: '12.5', status: 'ACCOUNT_CLOSED' },
    ]);
    const counted: number[] = [];
    const reading = await read({}, {}, (count) => counted.push(count));
    expect(reading.currency).toBe('USD');
    expect(amounts(reading)).toEqual({
      total: '1872.3012345678',
      holdings: { [anna]: '25000.0012345678', [boris]: '-23140.2', [clara]: '12.5' },
    });
    expect(counted).toEqual([1, 2, 3]);
    expect(reading.details).toEqual({
      accounts_read: 3,
      accounts_excluded: 0,
      clock_apart_ms: null,
      excluded_but_unknown: [],
      accounts_by_status: { ACTIVE: 2, ACCOUNT_CLOSED: 1 },
      measured_by: { buying_power: 2, cash: 1 },
      requests: 5,
      retries: 0,
    });
  });

  it('is nothing where there is no account', async () => {
    await keeping([]);
    expect(amounts(await read())).toEqual({ total: '0', holdings: {} });
  });

  it.each([
    ['auto', { [anna]: '10', [boris]: '-23140.2' }],
    ['cash', { [anna]: '8', [boris]: '-23140.2' }],
    ['buying_power', { [anna]: '10', [boris]: '262113.63' }],
  ] as const)('is measured by %s', async (measure, holdings) => {
    await keeping([{ id: anna, cash: '8', buying_power: '10' }, marginAccount]);
    expect(amounts(await read({ measure })).holdings).toEqual(holdings);
  });

  it('keeps every digit of a JSON number', async () => {
    await keeping([{ id: anna, cash: '12345678901234567.000000000000000001' }, marginAccount]);
    alpaca.faults.push(moneyAsNumbers({ path: money }));
    expect(amounts(await read()).holdings).toEqual({
      [anna]: '12345678901234567.000000000000000001',
      [boris]: '-23140.2',
    });
  });

  it('moves with the money', async () => {
    await keeping([{ id: anna, cash: '100' }]);
    alpaca.move(anna, '-30.5');
    alpaca.move(anna, '1');
    expect(amounts(await read()).total).toBe('70.5');
    expect(() => alpaca.move(boris, '1')).toThrow('no account');
    const again = await startAlpacaSandbox({ ...credentials, ...alpaca.snapshot() });
    expect(again.snapshot()).toEqual(alpaca.snapshot());
    expect(again.activities.map(({ activity_type }) => activity_type)).toEqual(['CSW', 'CSD']);
    await again.close();
  });

  it('leaves out what is excluded', async () => {
    await keeping([
      { id: anna, cash: '1' },
      { id: boris, cash: '5000000', currency: 'EUR' },
    ]);
    const reading = await read({ exclude: new Set([boris, 'typo']) });
    expect(amounts(reading).holdings).toEqual({ [anna]: '1' });
    expect(reading.details).toMatchObject({ accounts_excluded: 1, excluded_but_unknown: ['typo'] });
  });

  it('is asked for without personal data', async () => {
    await keeping([{ id: anna }]);
    await read();
    expect(alpaca.log[0]).toBe('GET /v1/accounts?entities=trading_configurations&sort=asc');
  });
});

describe('the listing of accounts', () => {
  it('goes on until nothing new comes, whatever the size of a page', async () => {
    await keeping(many(25));
    alpaca.accountsPerPage = 10;
    const reading = await read();
    expect(amounts(reading).total).toBe('25.0000000025');
    expect(reading.holdings).toHaveLength(25);
    // Every page repeats the last account of the one before: 10, 9, 6 new ones and then none.
    expect(alpaca.log.filter((line) => line.includes('/v1/accounts?'))).toHaveLength(4);
    expect(alpaca.log[1]).toContain('created_after=2026-03-01T08%3A00%3A10.000123456Z');
  });

  it('counts an account that was opened meanwhile, and one that is moved to its end once', async () => {
    await keeping(many(15));
    alpaca.accountsPerPage = 10;
    alpaca.faults.push(accountOpenedMeanwhile({ path: list, skip: 1 }, alpaca, { id: anna, cash: '3' }));
    expect((await read()).holdings).toHaveLength(16);
  });

  it('sends the time zone of an account back as it was', async () => {
    await keeping([{ id: anna, cash: '1', created_at: '2026-03-01T09:00:00.000000001+01:00' }]);
    await read();
    expect(alpaca.log[1]).toContain('created_after=2026-03-01T09%3A00%3A00.000000001%2B01%3A00');
  });

  it('proves nothing when a page does not begin where the one before it ended', async () => {
    await keeping(Array.from({ length: 5 }, (_, index) => ({ id: idFrom(`account ${index}`) })));
    alpaca.accountsPerPage = 3;
    alpaca.faults.push(answers({ path: /created_after/ }, { status: 200, body: '[]' }));
    expect((await incompleteness(read())).reason).toMatch(
      new RegExp(
        `GET sandbox/v1/accounts from \\S+ on leaves out account ${idFrom('account 2')}, which was opened then`,
      ),
    );
  });

  it('proves nothing when a thousand accounts share one moment', async () => {
    await keeping(many(1001).map((account) => ({ ...account, created_at: '2026-03-01T09:00:00Z' })));
    expect((await incompleteness(read())).reason).toBe(
      'Alpaca could not be read: GET sandbox/v1/accounts gives the same 1000 accounts again and again, from 2026-03-01T09:00:00Z on.',
    );
  });

  it('names the field that is missing and quotes nothing', async () => {
    await keeping([{ id: anna }]);
    alpaca.faults.push(
      changedJson({ path: list }, (rows: { created_at?: string }[]) => {
        delete rows[0]!.created_at;
      }),
    );
    const { reason } = await incompleteness(read());
    expect(reason).toMatch(
      /^Alpaca could not be read: in the answer to GET sandbox\/v1\/accounts, 0\.created_at is missing/,
    );
  });

  it('that is cut short is not quoted: it holds names', async () => {
    await keeping([{ id: anna }]);
    alpaca.faults.push(truncatedJson({ path: list }));
    const { reason } = await incompleteness(read());
    expect(reason).toMatch(/answered 200 with JSON that breaks off or is malformed \(\d+ characters\)/);
    expect(reason).not.toContain('ACTIVE');
  });
});

describe('an account that cannot be measured is named', () => {
  it.each([
    ['has no cash that is a plain decimal', { cash: '1', multiplier: '2', omit: ['cash'] }],
    ['has no buying_power that is a plain decimal', { omit: ['buying_power'] }],
    ['has no cash that is a plain decimal', { cash: 'NaN', multiplier: '2' }],
    ['has no multiplier that is a plain decimal', { omit: ['multiplier'] }],
    ['has no currency', { omit: ['currency'] }],
    ['is kept in EUR, not in USD', { currency: 'EUR', cash: '5' }],
  ])('%s', async (what, account) => {
    await keeping([
      { id: anna, cash: '1' },
      { id: boris, ...account },
    ]);
    expect(await incompleteness(read())).toEqual({
      reason: `Alpaca could not be read: account ${boris} ${what}.`,
      exitCode: 3,
    });
  });

  it('but a field that is not needed may be missing or null', async () => {
    await keeping([{ id: anna, cash: '1', omit: ['multiplier', 'buying_power', 'equity'] }]);
    alpaca.faults.push(changedJson({ path: money }, (body: object) => ({ ...body, buying_power: null })));
    expect(amounts(await read({ measure: 'cash' })).total).toBe('1');
  });

  it('when Alpaca lists it and does not know it', async () => {
    await keeping([
      { id: anna, cash: '1' },
      { id: boris, status: 'ONBOARDING' },
    ]);
    const body = '{"code":40410000,"message":"account not found"}';
    alpaca.faults.push(answers({ path: new RegExp(boris) }, { status: 404, body }));
    const { reason, exitCode } = await incompleteness(read());
    expect(reason).toContain(`Alpaca lists account ${boris} (ONBOARDING) but does not show its money: GET`);
    expect(reason).toContain('name it in RECONCILIATION_ALPACA_EXCLUDE');
    expect(reason).toContain('answered 404, code 40410000 "account not found"');
    expect(exitCode).toBe(3);
  });

  it('when another account comes back', async () => {
    await keeping([{ id: anna, cash: '1' }]);
    alpaca.faults.push(answersForAnother({ path: money }, boris));
    expect((await incompleteness(read())).reason).toContain(`account ${anna} was answered with another account`);
  });

  it('when its answer never comes; a second attempt may help', async () => {
    await keeping([
      { id: anna, cash: '1' },
      { id: boris, cash: '2' },
    ]);
    alpaca.faults.push(slowAccount(boris, 1));
    const reading = await read({ requestTimeoutMs: 1_000 });
    expect(amounts(reading).total).toBe('3');
    expect(alpaca.log.filter((line) => line.includes(boris)).length).toBeGreaterThan(1);
    alpaca.faults.push(slowAccount(boris));
    const { reason } = await incompleteness(read({ requestTimeoutMs: 250 }));
    expect(reason).toContain(`${boris}/account gave no whole answer within 250 ms; it was tried 6 times.`);
  });
});

describe('credentials', () => {
  it('by HTTP Basic, refused: 77, without the secret', async () => {
    await keeping([]);
    const { reason, exitCode } = await incompleteness(read({ apiSecret: 'wr0ng-s3cret' }));
    expect(reason).toContain('Alpaca refused the credentials: GET sandbox/v1/accounts answered 401, code 40110000');
    expect(reason).toMatch(/ Check ALPACA_API_KEY, ALPACA_API_SECRET and ALPACA_BASE_URL\.$/);
    expect(reason).not.toContain('wr0ng');
    expect(exitCode).toBe(77);
    expect(alpaca.log).toHaveLength(1);
  });

  it('that are not enough: 77, also if the body is a JSON string', async () => {
    await keeping([]);
    alpaca.faults.push(forbidden({ path: list }));
    const { reason, exitCode } = await incompleteness(read());
    expect(reason).toContain('answered 403, "Forbidden"');
    expect(exitCode).toBe(77);
  });

  it('by OAuth: one token for everybody', async () => {
    await keeping(many(20));
    const reading = await read({ authUrl: alpaca.authUrl });
    expect(amounts(reading).total).toBe('20.000000002');
    expect(alpaca.log.filter((line) => line.startsWith('POST'))).toHaveLength(1);
  });

  it('by OAuth, refused: 77', async () => {
    await keeping([]);
    const { reason, exitCode } = await incompleteness(read({ authUrl: alpaca.authUrl, apiSecret: 'wr0ng-s3cret' }));
    expect(reason).toMatch(
      /^Alpaca refused the credentials: POST sandbox\/v1\/oauth2\/token answered 401, "invalid_client".*, ALPACA_BASE_URL and ALPACA_AUTH_URL\.$/,
    );
    expect(exitCode).toBe(77);
    alpaca.faults.push(answers({ path: token }, { status: 400, body: '{"error":"unauthorized_client"}' }));
    expect((await incompleteness(read({ authUrl: alpaca.authUrl }))).exitCode).toBe(77);
  });

  it('by OAuth, expired on the way: renewed once and asked again', async () => {
    await keeping(many(20));
    alpaca.faults.push({
      path: money,
      skip: 5,
      times: 1,
      respond: (real) => {
        alpaca.expireTokens();
        return real();
      },
    });
    const reading = await read({ authUrl: alpaca.authUrl });
    expect(reading.holdings).toHaveLength(20);
    expect(alpaca.log.filter((line) => line.startsWith('POST'))).toHaveLength(2);
  });

  it('by OAuth, refused again after they were renewed: 77', async () => {
    await keeping([{ id: anna }]);
    alpaca.faults.push(answers({ path: money }, { status: 401, body: '{"code":40110000,"message":"no"}' }));
    expect((await incompleteness(read({ authUrl: alpaca.authUrl }))).exitCode).toBe(77);
    expect(alpaca.log.filter((line) => line.includes('/v1/trading/'))).toHaveLength(2);
  });

  it.each([
    ['before 80 % of its life is over: used', 79, 1],
    ['after 80 % of its life: renewed', 80, 2],
  ])('by OAuth, %s', async (_what, seconds, tokens) => {
    await keeping([{ id: anna, cash: '1' }], { tokenSeconds: 100 });
    let now = new Date('2026-11-22T10:00:00Z');
    alpaca.faults.push({
      path: list,
      respond: (real) => {
        now = new Date(Date.parse('2026-11-22T10:00:00Z') + seconds * 1000);
        return real();
      },
    });
    await read({ authUrl: alpaca.authUrl }, { now: () => now });
    expect(alpaca.log.filter((line) => line.startsWith('POST'))).toHaveLength(tokens);
  });

  it('by OAuth, without a word about its life: used until it is refused', async () => {
    await keeping([{ id: anna, cash: '1' }]);
    alpaca.faults.push(
      changedJson({ path: token }, ({ access_token }: { access_token: string }) => ({ access_token })),
    );
    expect(amounts(await read({ authUrl: alpaca.authUrl })).total).toBe('1');
  });

  it('are never repeated, not even if Alpaca does', async () => {
    await keeping([{ id: anna, cash: '1' }]);
    alpaca.faults.push({
      path: money,
      respond: (_real, { headers }) => ({
        status: 400,
        headers: { 'x-request-id': headers['authorization'] ?? '' },
        body: JSON.stringify({
          code: credentials.key,
          message: `${credentials.secret} and ${headers['authorization'] ?? ''}`,
        }),
      }),
    });
    const [basic, oauth] = [await incompleteness(read()), await incompleteness(read({ authUrl: alpaca.authUrl }))];
    expect(basic.reason).toContain(
      'answered 400, code [secret] "[secret] and Basic [secret]" (request id Basic [secret])',
    );
    expect(oauth.reason).toContain(
      'answered 400, code [secret] "[secret] and Bearer [secret]" (request id Bearer [secret])',
    );
  });
});

describe('the sandbox itself', () => {
  const get = async (path: string) => {
    const authorization = `Basic ${Buffer.from(`${credentials.key}:${credentials.secret}`).toString('base64')}`;
    const response = await fetch(alpaca.url + path, { headers: { authorization } });
    return { status: response.status, headers: response.headers, body: (await response.json()) as never };
  };
  const day = '2026-11-22T14:01:00Z';

  it('knows journals, and refuses too many of them with a JSON string', async () => {
    const journal = (id: string, status: string) => ({
      id,
      status,
      entry_type: 'JNLC' as const,
      from_account: anna,
      to_account: boris,
      net_amount: '645',
      currency: 'USD',
      created_at: day,
    });
    await keeping([], { journals: [journal('1', 'queued'), journal('2', 'executed')] });
    expect((await get('/v1/journals')).body).toHaveLength(2);
    expect((await get('/v1/journals?status=queued&after=2026-11-22')).body).toMatchObject([{ id: '1' }]);
    expect((await get('/v1/journals?before=2026-11-21')).body).toEqual([]);
    alpaca.journalsMax = 1;
    expect(await get('/v1/journals')).toMatchObject({ status: 422, body: expect.any(String) as string });
  });

  it('knows transfers, activities and the time', async () => {
    const transfer = (id: string, direction: 'INCOMING' | 'OUTGOING') => ({
      id,
      direction,
      account_id: anna,
      type: 'ach' as const,
      status: 'QUEUED',
      amount: '1',
      created_at: day,
    });
    await keeping([{ id: anna }], { transfers: [transfer('1', 'INCOMING'), transfer('2', 'OUTGOING')] });
    expect((await get(`/v1/accounts/${anna}/transfers?limit=1&offset=1`)).body).toMatchObject([{ id: '2' }]);
    expect((await get(`/v1/accounts/${anna}/transfers?direction=INCOMING`)).body).toMatchObject([{ id: '1' }]);
    expect((await get(`/v1/accounts/${boris}/transfers`)).body).toEqual([]);
    const [first, second] = [alpaca.move(anna, '1'), alpaca.move(anna, '2')];
    expect((await get('/v1/accounts/activities')).body).toMatchObject([{ id: second.id }, { id: first.id }]);
    const asc = '/v1/accounts/activities?direction=asc&page_size=1';
    expect((await get(`${asc}&page_token=${first.id}&account_id=${anna}`)).body).toMatchObject([{ id: second.id }]);
    expect((await get('/v1/clock')).body).toMatchObject({ is_open: false });
    expect((await get('/v1/nothing')).status).toBe(404);
    expect((await get(`/v1/trading/accounts/${boris}/account`)).status).toBe(404);
  });

  it('gives everything about a person unless it is asked for less', async () => {
    await keeping([{ id: anna }, { id: boris, status: 'REJECTED' }]);
    expect(JSON.stringify((await get('/v1/accounts')).body)).toContain('1815-12-10');
    expect(JSON.stringify((await get('/v1/accounts?entities=contact')).body)).not.toContain('1815-12-10');
    expect((await get('/v1/accounts?status=REJECTED')).body).toMatchObject([{ id: boris }]);
    expect((await get('/v1/accounts')).body).toMatchObject([{ id: boris }, { id: anna }]);
  });

  it('counts requests, and says so in every answer', async () => {
    await keeping([], { rateLimit: { requests: 2, windowMs: 60_000 } });
    expect((await get('/v1/clock')).headers.get('x-ratelimit-remaining')).toBe('1');
    await get('/v1/clock');
    expect(await get('/v1/clock')).toMatchObject({ status: 429, body: { code: 42910000 } });
  });

  it('takes no other grant', async () => {
    await keeping([]);
    const response = await fetch(alpaca.authUrl, { method: 'POST', body: 'grant_type=password' });
    expect(response.status).toBe(400);
  });
});
