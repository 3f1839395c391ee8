import { afterAll, describe, expect, test } from 'vitest';
import { openAlpaca } from '../../src/custodians/alpaca.ts';
import { openCircle } from '../../src/custodians/circle.ts';
import { startAlpacaSandbox } from '../support/alpaca-sandbox.ts';
import { idFrom, startCircleSandbox } from '../support/circle-sandbox.ts';
import { custodianWorld } from './custodian-world.ts';

// What our clients ask for and what the sandboxes answer, held against the vendors' APIs field by field. The lists are
// those of API-FACTS.md, written down here a third time: neither side may agree with the other alone.

const circleKey = 'LIVE_API_KEY:id:secret';
const [wallet, account] = [idFrom('anna'), idFrom('boris')];
const circle = await startCircleSandbox({
  apiKey: circleKey,
  rateLimit: undefined,
  wallets: [{ id: wallet, usdc: '1' }],
});
const alpaca = await startAlpacaSandbox({ key: 'K', secret: 'S', rateLimit: undefined, accounts: [{ id: account }] });
afterAll(() => Promise.all([circle.close(), alpaca.close()]));

const usual = { exclude: new Set<string>(), requestsPerSecond: 1000, requestTimeoutMs: 5000 };
const alpacaOptions = { ...usual, baseUrl: alpaca.url, apiKey: 'K', apiSecret: 'S', measure: 'auto' } as const;
const clients = [
  openCircle({ ...usual, baseUrl: circle.url, apiKey: circleKey }),
  openAlpaca({ ...alpacaOptions, authUrl: undefined }),
  openAlpaca({ ...alpacaOptions, authUrl: alpaca.authUrl }),
];

circle.move(wallet, '-0.5', 'SENT');
alpaca.move(account, '5');
alpaca.journal(account, '7');
alpaca.transfers.push({
  id: idFrom('transfer'),
  account_id: account,
  type: 'ach',
  status: 'QUEUED',
  amount: '1',
  direction: 'INCOMING',
  created_at: '2026-11-20T15:21:44.192Z',
});
const readAgain: number[] = [];
for (const client of clients) {
  const { since, reach } = await client.look(custodianWorld(), undefined, [account]);
  const { holdings } = await client.sweep(custodianWorld(), () => undefined);
  await client.reread(holdings, custodianWorld(), (read) => readAgain.push(read));
  await client.past(custodianWorld(), '2026-11-20T15:21:44Z', reach);
  await client.look(custodianWorld(), since, []);
}

/** What each endpoint takes (API-FACTS.md, the section that is named). */
const circleParameters: Record<string, string> = {
  '/v1/w3s/wallets': 'A.1 address blockchain scaCore walletSetId refId from to pageBefore pageAfter pageSize order',
  '/v1/w3s/wallets/{id}/balances': 'A.2 includeAll name tokenAddress standard pageBefore pageAfter pageSize',
  '/v1/w3s/developer/wallets/balances':
    'A.3 blockchain address scaCore walletSetId refId tokenAddress from to pageBefore pageAfter pageSize',
  '/v1/w3s/transactions':
    'A.4 blockchain custodyType destinationAddress includeAll operation state txHash txType walletIds from to pageBefore pageAfter pageSize order',
  '/v1/w3s/tokens/{id}': 'A.4',
  '/v1/w3s/config/entity/monitoredTokens': 'A.5',
};
const alpacaParameters: Record<string, string> = {
  '/v1/oauth2/token': 'B.1',
  '/v1/accounts': 'B.3 query created_after created_before status sort entities',
  '/v1/trading/accounts/{id}/account': 'B.4',
  '/v1/accounts/{id}/transfers': 'B.6 direction limit offset',
  '/v1/journals': 'B.6 after before status entry_type to_account from_account limit',
  '/v1/accounts/activities': 'B.6 account_id activity_types category date until after direction page_size page_token',
  '/v1/clock': 'B.7',
};

describe.each([
  ['Circle', circle.log, circleParameters],
  ['Alpaca', alpaca.log, alpacaParameters],
])('our requests to %s', (_custodian, log, parameters) => {
  const requests = log.map((line) => new URL(line.split(' ')[1]!, 'http://localhost'));
  const pathOf = ({ pathname }: URL) => pathname.replace(/[0-9a-f-]{36}/, '{id}');

  test.each(Object.entries(parameters))('%s, as in %s', (path, facts) => {
    const sent = requests.filter((request) => pathOf(request) === path);
    expect(sent).not.toEqual([]);
    const known = facts.split(' ').slice(1);
    expect(
      sent.flatMap(({ searchParams }) => [...searchParams.keys()]).filter((name) => !known.includes(name)),
    ).toEqual([]);
  });

  test('go to no other endpoint', () => {
    expect([...new Set(requests.map(pathOf))].sort()).toEqual(Object.keys(parameters).sort());
  });
});

test('reading again tells how far it is', () => {
  expect(readAgain).toEqual([1, 1, 1]); // one wallet, and one account in both ways to authenticate
});

test('A.0, A.3: pages of 50 at most, and a chain with its USDC in every bulk request', () => {
  const bulk = circle.log.filter((line) => line.includes('/developer/wallets/balances'));
  expect(bulk.every((line) => /blockchain=ETH&tokenAddress=0x/.test(line))).toBe(true);
  expect(circle.log.filter((line) => line.includes('pageSize=')).every((line) => line.includes('pageSize=50'))).toBe(
    true,
  );
});

/** Fields that the vendors' schemas require. */
const circleAnswers: [section: string, path: string, at: (body: never) => unknown, required: string][] = [
  [
    'A.1',
    '/v1/w3s/wallets',
    ({ data }: { data: { wallets: unknown[] } }) => data.wallets[0],
    'id state walletSetId custodyType address blockchain createDate updateDate accountType',
  ],
  [
    'A.2',
    `/v1/w3s/wallets/${wallet}/balances`,
    ({ data }: { data: { tokenBalances: unknown[] } }) => data.tokenBalances[0],
    'amount updateDate token',
  ],
  [
    'A.2 token',
    `/v1/w3s/wallets/${wallet}/balances`,
    ({ data }: { data: { tokenBalances: { token: unknown }[] } }) => data.tokenBalances[0]!.token,
    'id blockchain isNative createDate updateDate',
  ],
  [
    'A.3',
    '/v1/w3s/developer/wallets/balances?blockchain=ETH',
    ({ data }: { data: { wallets: unknown[] } }) => data.wallets[0],
    'id state walletSetId custodyType address blockchain createDate updateDate accountType tokenBalances',
  ],
  [
    'A.4',
    '/v1/w3s/transactions',
    ({ data }: { data: { transactions: unknown[] } }) => data.transactions[0],
    'id state blockchain transactionType createDate updateDate',
  ],
];
const alpacaAnswers: typeof circleAnswers = [
  [
    'B.3',
    '/v1/accounts',
    (rows: unknown[]) => rows[0],
    'id account_number status currency last_equity created_at account_type',
  ],
  [
    'B.4',
    `/v1/trading/accounts/${account}/account`,
    (body: unknown) => body,
    'id account_number status currency cash buying_power multiplier equity last_equity created_at admin_configurations',
  ],
  [
    'B.6 transfers',
    `/v1/accounts/${account}/transfers`,
    (rows: unknown[]) => rows[0],
    'id account_id type status amount direction created_at',
  ],
  [
    'B.6 journals',
    '/v1/journals',
    (rows: unknown[]) => rows[0],
    'id entry_type from_account to_account status net_amount currency created_at',
  ],
  [
    'B.6 activities',
    '/v1/accounts/activities',
    (rows: unknown[]) => rows[0],
    'id account_id activity_type net_amount date',
  ],
  ['B.7', '/v1/clock', (body: unknown) => body, 'timestamp is_open next_open next_close'],
];

describe.each([
  ['Circle', circle.url, `Bearer ${circleKey}`, circleAnswers],
  ['Alpaca', alpaca.url, `Basic ${Buffer.from('K:S').toString('base64')}`, alpacaAnswers],
])('the answers of the sandbox of %s', (_custodian, url, authorization, answers) => {
  test.each(answers)('%s: %s', async (_section, path, at, required) => {
    const response = await fetch(url + path, { headers: { authorization } });
    expect(response.headers.get('x-request-id')).not.toBeNull();
    const item = at((await response.json()) as never) as Record<string, unknown>;
    expect(required.split(' ').filter((field) => item[field] === undefined)).toEqual([]);
  });
});

test('B.2: every answer of Alpaca tells what is left of its rate', async () => {
  const { headers } = await fetch(`${alpaca.url}/v1/clock`);
  for (const name of ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'])
    expect(headers.get(name)).toMatch(/^\d+$/);
});
