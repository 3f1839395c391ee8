import { afterEach, describe, expect, it } from 'vitest';
import { readCircle } from '../../src/custodians/circle.ts';
import type { CircleOptions } from '../../src/custodians/circle-client.ts';
import type { CustodianWorld, Progress } from '../../src/custodians/custodian.ts';
import {
  arcUsdc,
  bareLinks,
  bridgedUsdc,
  type CircleSandbox,
  type CircleSandboxOptions,
  duplicatedWallet,
  endlessNext,
  foreignLink,
  genuineUsdc,
  idFrom,
  nativeToken,
  spoofedUsdc,
  startCircleSandbox,
  type WalletInput,
  walletCreatedMeanwhile,
} from '../support/circle-sandbox.ts';
import { answers, changedJson } from '../support/sandbox-server.ts';
import { amounts, custodianWorld, incompleteness } from './custodian-world.ts';

const apiKey = 'LIVE_API_KEY:3f1c:5up3r-53cr37';
const [anna, boris, clara] = [idFrom('anna'), idFrom('boris'), idFrom('clara')];
const list = /^\/v1\/w3s\/wallets\?/;
const bulk = /^\/v1\/w3s\/developer\/wallets\/balances\?/;
const direct = /^\/v1\/w3s\/wallets\/[^/]+\/balances\?/;

let circle: CircleSandbox;
afterEach(() => circle.close());

async function holding(wallets: WalletInput[], options: Partial<CircleSandboxOptions> = {}): Promise<CircleSandbox> {
  circle = await startCircleSandbox({ apiKey, rateLimit: undefined, ...options, wallets });
  return circle;
}

function read(
  options: Partial<CircleOptions> = {},
  world: Partial<CustodianWorld> = {},
  progress: Progress = () => undefined,
) {
  const usual = { exclude: new Set<string>(), requestsPerSecond: 10_000, requestTimeoutMs: 30_000 };
  return readCircle({ baseUrl: circle.url, apiKey, ...usual, ...options }, custodianWorld(world), progress);
}

function many(count: number): WalletInput[] {
  return Array.from({ length: count }, (_, index) => ({ id: idFrom(`wallet ${index}`), usdc: '1.000001' }));
}

describe('what Circle holds for us', () => {
  it('is the genuine USDC of every wallet on every chain, frozen ones too', async () => {
    await holding([
      { id: anna, usdc: '12500.250001' },
      { id: boris, usdc: '0.000001', blockchain: 'SOL', state: 'FROZEN' },
      { id: clara, usdc: '7', blockchain: 'APTOS', state: 'A_STATE_OF_TOMORROW', custodyType: 'DEVELOPER' },
    ]);
    const reading = await read();
    expect(reading.currency).toBe('USDC');
    expect(amounts(reading)).toEqual({
      total: '12507.250002',
      holdings: { [anna]: '12500.250001', [boris]: '0.000001', [clara]: '7' },
    });
    expect(reading.details).toEqual({
      wallets_read: 3,
      wallets_frozen: 1,
      wallets_excluded: 0,
      excluded_but_unknown: [],
      wallets_of_end_users: 0,
      chains_with_hidden_usdc: [],
      wallets_created_meanwhile: [],
      wallets_read_directly: 0,
      chains: {
        ETH: { wallets: 1, usdc: '12500.250001' },
        SOL: { wallets: 1, usdc: '0.000001' },
        APTOS: { wallets: 1, usdc: '7' },
      },
      look_alike_tokens: [],
      look_alike_tokens_found: 0,
      clock_apart_ms: null,
      requests: 5,
      retries: 0,
    });
  });

  it('is nothing where there is no wallet', async () => {
    await holding([]);
    expect(amounts(await read())).toEqual({ total: '0', holdings: {} });
  });

  it('takes as many pages as there are, 50 wallets to each, over one connection', async () => {
    await holding(many(120));
    const counted: number[] = [];
    const reading = await read({}, {}, (count) => counted.push(count));
    expect(amounts(reading).total).toBe('120.00012');
    expect(reading.holdings).toHaveLength(120);
    expect(counted).toEqual([50, 100, 120]);
    expect(circle.log).toHaveLength(7);
    expect(circle.log[0]).toBe('GET /v1/w3s/wallets?order=ASC&pageSize=50');
    expect(circle.connections()).toBe(1);
  });

  it('says when it was read, by our own clock', async () => {
    await holding([]);
    const times: Date[] = [];
    const now = () => {
      times.push(new Date(1_800_000_000_000 + 1000 * times.length));
      return times.at(-1)!;
    };
    const { startedAt, endedAt } = await read({}, { now });
    expect([startedAt, endedAt]).toEqual([times[0], times.at(-1)]);
  });

  it('keeps all 18 digits of an amount, string or number', async () => {
    await holding([{ id: anna, usdc: '123456789012.000000000000000001' }]);
    expect(amounts(await read()).total).toBe('123456789012.000000000000000001');
    circle.faults.push({
      path: bulk,
      respond: (real) => ({ ...real(), body: real().body.replace(/"amount":"([^"]*)"/, '"amount":$1') }),
    });
    expect(amounts(await read()).total).toBe('123456789012.000000000000000001');
  });

  it('moves with a transfer once it is booked, and not while it is stuck', async () => {
    await holding([{ id: anna, usdc: '100' }]);
    circle.move(anna, '-30.5');
    circle.move(anna, '-50', 'STUCK');
    expect(amounts(await read()).total).toBe('69.5');
    const again = await startCircleSandbox({ apiKey, ...circle.snapshot() });
    expect(again.transactions.map(({ state }) => state)).toEqual(['COMPLETE', 'STUCK']);
    expect(again.snapshot()).toEqual(circle.snapshot());
    await again.close();
  });

  it('leaves out what is excluded, and says which exclusions fit nothing', async () => {
    await holding([
      { id: anna, usdc: '1' },
      { id: boris, usdc: '2' },
      { id: clara, blockchain: 'NEAR' },
    ]);
    const reading = await read({ exclude: new Set([boris, clara, 'typo']) });
    expect(amounts(reading)).toEqual({ total: '1', holdings: { [anna]: '1' } });
    expect(reading.details).toMatchObject({ wallets_excluded: 2, excluded_but_unknown: ['typo'] });
  });

  it('leaves the wallets of end users to them, and counts them', async () => {
    await holding([
      { id: anna, usdc: '1' },
      { id: boris, custodyType: 'ENDUSER', blockchain: 'NEAR' },
    ]);
    const reading = await read();
    expect(amounts(reading).holdings).toEqual({ [anna]: '1' });
    expect(reading.details).toMatchObject({ wallets_of_end_users: 1, wallets_read: 1 });
  });
});

describe('genuine USDC', () => {
  it('is never a spoof nor a bridged token, whatever it calls itself', async () => {
    await holding([
      { id: anna, usdc: '5', balances: [nativeToken('ETH', '0.041200000000000001'), spoofedUsdc('ETH', '1000000')] },
      { id: boris, usdc: '6', blockchain: 'ARB', balances: [bridgedUsdc('ARB', '2000')] },
      {
        id: clara,
        blockchain: 'BASE',
        balances: [bridgedUsdc('BASE', '3000'), spoofedUsdc('BASE', '1', '\u0405hiba')],
      },
    ]);
    circle.listsEveryToken = true;
    const reading = await read();
    expect(amounts(reading)).toEqual({ total: '11', holdings: { [anna]: '5', [boris]: '6', [clara]: '0' } });
    expect(reading.details['look_alike_tokens_found']).toBe(4);
    expect(reading.details['look_alike_tokens']).toContainEqual({
      chain: 'ARB',
      token_address: '0xFF970A61A04b1cA14834A43f5dE4533eBDDB5CC8',
      symbol: 'USDC.e',
      wallets: 1,
    });
  });

  it('counts once on Arc, where Circle lists it twice', async () => {
    await holding([
      { id: anna, blockchain: 'ARC', balances: arcUsdc('ARC', '16.986759015867865464') },
      { id: boris, blockchain: 'ARC', balances: [nativeToken('ARC', '2.9999999', 'USDC')] },
    ]);
    expect(amounts(await read()).holdings).toEqual({ [anna]: '16.986759', [boris]: '2.999999' });
  });

  it('may come without its decimals', async () => {
    const { token, amount } = genuineUsdc('ETH', '9');
    delete token.decimals;
    await holding([{ id: anna, balances: [{ token, amount }] }]);
    expect(amounts(await read()).total).toBe('9');
  });

  it('is asked for directly where the listing leaves it out, also if it is not monitored', async () => {
    await holding([{ id: anna, usdc: '5' }, { id: boris }], { monitoredTokens: [] });
    circle.faults.push(
      changedJson({ path: bulk }, (body: { data: { wallets: { tokenBalances?: unknown }[] } }) => {
        for (const wallet of body.data.wallets) delete wallet.tokenBalances;
      }),
    );
    const reading = await read();
    expect(amounts(reading)).toEqual({ total: '5', holdings: { [anna]: '5', [boris]: '0' } });
    expect(reading.details).toMatchObject({ wallets_read_directly: 2 });
    expect(
      circle.log.filter((line) => line.includes(`${anna}/balances?includeAll=true&tokenAddress=0xA0b8`)),
    ).toHaveLength(1);
  });

  it('that is not monitored is asked for directly, whatever the listing says of it', async () => {
    await holding([
      { id: anna, usdc: '5' },
      { id: boris, usdc: '7', blockchain: 'ARB' },
    ]);
    const { token } = circle.wallets.get(boris)!.balances[0]!;
    circle.monitoredTokens = [token.id];
    circle.faults.push(
      changedJson({ path: bulk }, (body: { data: { wallets: { tokenBalances: { amount: string }[] }[] } }) => {
        for (const wallet of body.data.wallets) for (const balance of wallet.tokenBalances) balance.amount = '0';
      }),
    );
    const reading = await read();
    expect(amounts(reading).holdings).toEqual({ [anna]: '5', [boris]: '0' });
    expect(reading.details).toMatchObject({ chains_with_hidden_usdc: ['ETH'], wallets_read_directly: 1 });
  });

  it.each(['NaN', 'Infinity', '1e5', '0x10', '', '-1', '1.', ' 1'])(
    'is not an amount written as %j',
    async (amount) => {
      await holding([{ id: anna, usdc: amount }]);
      expect((await incompleteness(read())).reason).toBe(
        `Circle could not be read: of wallet ${anna}, its USDC is not a plain positive decimal.`,
      );
    },
  );

  it.each([
    ['18 decimals, not 6', { decimals: 18 }],
    ['calls its USDC the native token', { isNative: true }],
  ])('that contradicts itself proves nothing: %s', async (what, change) => {
    const { token, amount } = genuineUsdc('ETH', '9');
    await holding([{ id: anna, balances: [{ token: { ...token, ...change }, amount }] }]);
    expect((await incompleteness(read())).reason).toContain(what);
  });

  it('that is listed twice with different amounts proves nothing; with the same amount it counts once', async () => {
    await holding([{ id: anna, balances: [genuineUsdc('ETH', '9'), genuineUsdc('ETH', '9.0')] }]);
    expect(amounts(await read()).total).toBe('9');
    circle.wallets.get(anna)!.balances.push(genuineUsdc('ETH', '8'));
    expect((await incompleteness(read())).reason).toContain('more than once, with different amounts');
  });

  it('that Circle says is on another chain proves nothing, and is not taken for zero', async () => {
    await holding([{ id: anna, usdc: '5' }]);
    const elsewhere = ({ data }: { data: { wallets?: Balances[]; tokenBalances?: Balances['tokenBalances'] } }) => {
      for (const { token } of data.tokenBalances ?? data.wallets?.flatMap((wallet) => wallet.tokenBalances) ?? [])
        token.blockchain = 'BASE';
    };
    circle.faults.push(changedJson({ path: bulk }, elsewhere), changedJson({ path: direct }, elsewhere));
    expect((await incompleteness(read())).reason).toBe(
      `Circle could not be read: of wallet ${anna}, Circle says that its USDC is on BASE, not on ETH.`,
    );
  });
});

interface Balances {
  tokenBalances: { token: { blockchain: string } }[];
}

describe('a wallet that cannot be verified', () => {
  it.each(['NEAR', 'NEAR-TESTNET', 'EVM', 'EVM-TESTNET'])('on %s is named', async (blockchain) => {
    await holding([
      { id: anna, usdc: '1' },
      { id: boris, blockchain },
    ]);
    const { reason, exitCode } = await incompleteness(read());
    expect(reason).toContain(`wallet ${boris} on ${blockchain} (Circle shows no balances there)`);
    expect(exitCode).toBe(78);
  });

  it('on a chain that is new to us is named', async () => {
    await holding([{ id: anna, blockchain: 'MONAD-TESTNET' }]);
    expect((await incompleteness(read())).reason).toContain(
      `wallet ${anna} on MONAD-TESTNET (which USDC is genuine there is not known)`,
    );
  });

  it('is one of many: five are named, the rest counted', async () => {
    await holding(many(7).map(({ id }) => ({ id, blockchain: 'NEAR' })));
    expect((await incompleteness(read())).reason).toContain(' and 2 more: name the wallets');
  });

  it('is any wallet where mainnets and testnets come together', async () => {
    await holding([
      { id: anna, usdc: '1' },
      { id: boris, usdc: '1000', blockchain: 'BASE-SEPOLIA' },
    ]);
    const { reason, exitCode } = await incompleteness(read());
    expect(reason).toContain(`wallet ${anna} on ETH; wallet ${boris} on BASE-SEPOLIA`);
    expect(exitCode).toBe(78);
    expect(amounts(await read({ exclude: new Set([boris]) })).total).toBe('1');
  });
});

describe('the key', () => {
  it('that is unknown: 77, and it is not repeated', async () => {
    await holding([]);
    const { reason, exitCode } = await incompleteness(read({ apiKey: 'LIVE_API_KEY:3f1c:wrong-one' }));
    expect(reason).toMatch(
      /^Circle refused the credentials: GET sandbox\/v1\/w3s\/wallets answered 401, code 156007 "The API key was not found\." \(request id [0-9a-f-]{36}\)\. Check CIRCLE_API_KEY and CIRCLE_BASE_URL\.$/,
    );
    expect(exitCode).toBe(77);
    expect(reason).not.toContain('wrong-one');
  });

  it('that is malformed: 77', async () => {
    await holding([]);
    expect((await incompleteness(read({ apiKey: 'just-a-word' }))).exitCode).toBe(77);
    expect((await incompleteness(read({ apiKey: 'with:a:line\nbreak' }))).exitCode).toBe(77);
  });

  it('of the other environment: 78', async () => {
    await holding([{ id: anna, usdc: '1', blockchain: 'ETH-SEPOLIA' }]);
    const { reason, exitCode } = await incompleteness(read());
    expect(reason).toContain(
      'Circle refused the environment: GET sandbox/v1/w3s/developer/wallets/balances answered 400, code 156006',
    );
    expect(reason).toMatch(
      / Check CIRCLE_API_KEY and CIRCLE_BASE_URL: they have to be of the environment of the books\.$/,
    );
    expect(exitCode).toBe(78);
  });
});

describe('a listing that is not whole proves nothing', () => {
  it('unless a wallet is only repeated on a later page: it counts once', async () => {
    await holding(many(60));
    const first = circle.wallets.get(idFrom('wallet 0'))!;
    circle.faults.push(duplicatedWallet({ path: list, skip: 1 }, first), duplicatedWallet({ path: bulk }, first));
    expect(amounts(await read()).total).toBe('60.00006');
  });

  it('or one is created meanwhile: it is left out if only the second listing has it', async () => {
    await holding(many(60));
    circle.faults.push(walletCreatedMeanwhile({ path: list }, circle, { id: anna, usdc: '3' }));
    circle.faults.push(walletCreatedMeanwhile({ path: bulk }, circle, { id: boris, usdc: '4' }));
    const reading = await read();
    expect(amounts(reading).total).toBe('63.00006');
    expect(reading.details['wallets_created_meanwhile']).toEqual([boris]);
  });

  it('when the second listing has an older wallet that the first lacks', async () => {
    await holding(many(3));
    const createDate = '2026-01-01T00:00:00Z';
    circle.faults.push(walletCreatedMeanwhile({ path: bulk }, circle, { id: anna, usdc: '3', createDate }));
    expect((await incompleteness(read())).reason).toContain(
      `(0 only in the one without balances and 1 only in the one with them), for example about wallet ${anna} on ETH`,
    );
  });

  it('when two wallets have one address: their money would count twice', async () => {
    const address = '0xABCDEF0000000000000000000000000000000001';
    await holding([
      { id: anna, usdc: '1', address },
      { id: boris, usdc: '1', address: address.toLowerCase() },
      { id: clara, usdc: '1', address, blockchain: 'BASE' },
    ]);
    expect((await incompleteness(read())).reason).toBe(
      `Circle could not be read: it lists wallet ${anna} on ETH and wallet ${boris} on ETH with one address, so the same money twice; name one of them in RECONCILIATION_CIRCLE_EXCLUDE.`,
    );
    expect(amounts(await read({ exclude: new Set([boris]) })).total).toBe('2');
  });

  it('unless its cursor leaves the listing: then it begins again', async () => {
    await holding(many(120));
    const lost = { status: 404, body: '{"code":156012}' };
    circle.faults.push(answers({ path: list, skip: 1, times: 1 }, lost));
    expect((await read()).holdings).toHaveLength(120);
    circle.faults.push(answers({ path: list, skip: 1 }, lost));
    expect((await incompleteness(read())).reason).toContain('GET sandbox/v1/w3s/wallets answered 404, code 156012');
  });

  it('when the second listing lacks a wallet', async () => {
    await holding([{ id: anna, usdc: '1' }]);
    circle.faults.push(changedJson({ path: bulk }, () => ({ data: { wallets: [] } })));
    expect((await incompleteness(read())).reason).toContain(`example about wallet ${anna} on ETH`);
  });

  it('when the second listing shows another chain', async () => {
    await holding([{ id: anna, usdc: '1' }]);
    circle.faults.push(
      changedJson({ path: bulk }, (body: { data: { wallets: { blockchain: string }[] } }) => {
        body.data.wallets[0]!.blockchain = 'OP';
      }),
    );
    expect((await incompleteness(read())).reason).toBe(
      `Circle could not be read: asked for ETH, it listed wallet ${anna} on OP.`,
    );
  });

  it('when it never ends', async () => {
    await holding(many(60));
    circle.faults.push(endlessNext({ path: bulk }));
    expect((await incompleteness(read())).reason).toContain('a link to the next page came back');
  });

  it('when it leads to another host', async () => {
    await holding(many(60));
    circle.faults.push(foreignLink({ path: list }));
    const { reason } = await incompleteness(read());
    expect(reason).toContain('the next page is said to be at https://api.circle.com/v1/w3s/wallets?');
    expect(circle.log).toHaveLength(1);
  });

  it('but its links may be written without <>', async () => {
    await holding(many(60));
    circle.faults.push(bareLinks({ path: /./ }));
    expect(amounts(await read()).total).toBe('60.00006');
  });

  it('when a field is missing: the field is named, nothing is quoted', async () => {
    await holding([{ id: anna, usdc: '1', refId: 'jane@example.org' }]);
    circle.faults.push(
      changedJson({ path: list }, (body: { data: { wallets: { blockchain?: string }[] } }) => {
        delete body.data.wallets[0]!.blockchain;
      }),
    );
    expect((await incompleteness(read())).reason).toMatch(
      /^Circle could not be read: in the answer to GET sandbox\/v1\/w3s\/wallets, data\.wallets\.0\.blockchain is missing or has an unexpected form \(request id \S+\)\.$/,
    );
  });

  it('when a wallet vanishes before it is asked', async () => {
    await holding([{ id: anna, usdc: '1' }, { id: boris }]);
    circle.faults.push({
      path: direct,
      respond: (real) => {
        circle.wallets.delete(boris);
        return real();
      },
    });
    expect((await incompleteness(read())).reason).toContain(
      `GET sandbox/v1/w3s/wallets/${boris}/balances answered 404, code 156001 "Cannot find target wallet in the system."`,
    );
  });
});

describe('the sandbox itself', () => {
  const get = async (path: string, authorization = `Bearer ${apiKey}`) => {
    const response = await fetch(circle.url + path, { headers: { authorization } });
    return { status: response.status, link: response.headers.get('link'), body: await response.text() };
  };

  it('pages like Circle', async () => {
    await holding(many(25));
    const first = await get('/v1/w3s/wallets');
    expect((JSON.parse(first.body) as { data: { wallets: unknown[] } }).data.wallets).toHaveLength(10);
    expect(first.body).toContain(idFrom('wallet 24'));
    expect(first.link).toMatch(/rel="self".*rel="first".*rel="next"/);
    expect(first.link).not.toContain('prev');
    const second = await get(/<[^>]*?(\/v1[^>]*)>; rel="next"/.exec(first.link!)![1]!);
    const back = await get(/<[^>]*?(\/v1[^>]*)>; rel="prev"/.exec(second.link!)![1]!);
    expect(back.body).toBe(first.body);
    expect((await get('/v1/w3s/wallets?pageSize=500')).body.match(/"id"/g)).toHaveLength(25);
    expect((await get('/v1/w3s/wallets?pageSize=x')).body).toContain('"code":2');
    expect((await get('/v1/w3s/wallets?pageAfter=x')).body).toContain('156014');
    expect((await get(`/v1/w3s/wallets?pageAfter=${anna}`)).body).toContain('156012');
    expect((await get('/v1/w3s/wallets?to=2026-03-01T08:00:05Z')).body.match(/"id"/g)).toHaveLength(5);
  });

  it('refuses what Circle refuses', async () => {
    await holding([{ id: anna, blockchain: 'NEAR' }]);
    expect((await get('/ping', '')).body).toContain('pong');
    expect(await get('/v1/w3s/wallets', 'Bearer x')).toMatchObject({ status: 401 });
    expect((await get('/v1/w3s/developer/wallets/balances')).body).toContain('"code":2');
    expect((await get('/v1/w3s/developer/wallets/balances?blockchain=NEAR')).body).toContain('156027');
    expect((await get(`/v1/w3s/wallets/${anna}/balances`)).body).toContain('156027');
    expect((await get('/v1/w3s/wallets/x/balances')).body).toContain('156009');
    expect((await get(`/v1/w3s/transactions/${anna}`)).body).toContain('156003');
    expect((await get(`/v1/w3s/tokens/${anna}`)).body).toContain('156002');
    expect(await get('/v1/w3s/nothing')).toMatchObject({ status: 404 });
  });

  it('knows transfers, tokens and what is monitored', async () => {
    await holding([{ id: anna, usdc: '10', balances: [spoofedUsdc('ETH', '1')] }]);
    const stuck = circle.move(anna, '-1', 'STUCK');
    circle.move(anna, '2');
    expect((await get('/v1/w3s/transactions?state=STUCK')).body).toContain(stuck.id);
    expect((await get(`/v1/w3s/transactions?walletIds=${boris}`)).body).toContain('"transactions":[]');
    expect((await get(`/v1/w3s/transactions/${stuck.id}`)).body).toContain('"OUTBOUND"');
    expect((await get(`/v1/w3s/tokens/${stuck.tokenId}`)).body).toContain('"USDC"');
    expect(await get('/v1/w3s/config/entity/monitoredTokens')).toMatchObject({ status: 204 });
    circle.monitoredTokens = [stuck.tokenId];
    expect((await get('/v1/w3s/config/entity/monitoredTokens')).body).toContain('SELECTED');
    expect((await get(`/v1/w3s/wallets/${anna}/balances`)).body).not.toContain('0x5ca1ab1e');
    expect((await get(`/v1/w3s/wallets/${anna}/balances?includeAll=true`)).body).toContain('0x5ca1ab1e');
    expect(() => circle.move(boris, '1')).toThrow('no wallet');
  });
});
