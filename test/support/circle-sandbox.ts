// Circle's developer-controlled wallets on loopback, as API-FACTS.md A describes them (A.7 lists what it must do).
import { createHash, randomUUID } from 'node:crypto';
import { money, toText } from '../../src/money.ts';
import {
  changedHeaders,
  changedJson,
  type Fault,
  json,
  type RateLimit,
  type SandboxAnswer,
  type SandboxRequest,
  type SandboxServer,
  startServer,
} from './sandbox-server.ts';

/** A token as Circle describes it. Fields that Circle may leave out may be left out here. */
export interface SandboxToken {
  id: string;
  blockchain: string;
  isNative: boolean;
  name?: string;
  symbol?: string;
  decimals?: number;
  standard?: string;
  tokenAddress?: string;
}

export interface SandboxBalance {
  token: SandboxToken;
  /** Decimal text in whole units. */
  amount: string;
}

/** What a test says about a wallet; everything else has a default. */
export interface WalletInput {
  /** A UUID. */
  id: string;
  /** Circle's code; default `ETH`. */
  blockchain?: string;
  /** Genuine USDC; without it the wallet has never held any, and its balances do not list it. */
  usdc?: string;
  /** Other tokens: see `nativeToken`, `spoofedUsdc`, `bridgedUsdc`, `arcUsdc`. */
  balances?: SandboxBalance[];
  state?: string;
  custodyType?: string;
  refId?: string;
  address?: string;
  /** RFC 3339; default: a second after the wallet before. */
  createDate?: string;
}

/** A wallet as the sandbox keeps it. Change it while the sandbox runs: the next answer shows it. */
export type SandboxWallet = Required<Omit<WalletInput, 'usdc' | 'refId'>> & { refId?: string; updateDate: string };

export interface SandboxTransaction {
  id: string;
  walletId: string;
  blockchain: string;
  tokenId: string;
  transactionType: 'INBOUND' | 'OUTBOUND';
  state: string;
  amounts: string[];
  custodyType: string;
  createDate: string;
  updateDate: string;
}

/** Everything that a sandbox knows, as plain data: what `startCircleSandbox` takes and `snapshot` gives. */
export interface CircleState {
  wallets: WalletInput[];
  transactions?: SandboxTransaction[];
  /** Tokens by id that are monitored; undefined: all are (API-FACTS.md A.5). */
  monitoredTokens?: string[] | undefined;
}

export interface CircleSandboxOptions extends CircleState {
  /** `TEST_API_KEY:<id>:<secret>` sees testnets, `LIVE_API_KEY:<id>:<secret>` mainnets. */
  apiKey: string;
  port?: number;
  /** Default: 20 requests in any second. */
  rateLimit?: RateLimit;
  now?: () => Date;
}

export interface CircleSandbox extends SandboxServer {
  /** By id, in the order of creation. */
  wallets: Map<string, SandboxWallet>;
  transactions: SandboxTransaction[];
  /** Ids of tokens; undefined: all. */
  monitoredTokens: string[] | undefined;
  now: () => Date;
  /** The bulk listing ignores `tokenAddress` and lists every token of a wallet. */
  listsEveryToken: boolean;
  add: (wallet: WalletInput) => SandboxWallet;
  /**
   * Moves genuine USDC in (positive) or out (negative) and records the transfer, `COMPLETE` unless said otherwise. As at
   * Circle, the balance changes only from `CONFIRMED` on (API-FACTS.md A.4).
   */
  move: (walletId: string, amount: string, state?: string) => SandboxTransaction;
  /** Takes a transfer to its next state; the balance changes with the first that is booked. */
  book: (transaction: SandboxTransaction, state?: string) => void;
  snapshot: () => CircleState;
}

/** Genuine USDC by Circle's code, written down here a second time: the sandbox must not agree with src/ by sharing. */
const usdcAddresses: Record<string, string> = {
  ETH: '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48',
  'ETH-SEPOLIA': '0x1c7d4b196cb0c7b01d743fbc6116a902379c7238',
  AVAX: '0xb97ef9ef8734c71904d8002f8b6bc66dd9c48a6e',
  MATIC: '0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359',
  'MATIC-AMOY': '0x41e94eb019c0762f9bfcf9fb1e58725bfb0e7582',
  SOL: 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v',
  'SOL-DEVNET': '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU',
  ARB: '0xaf88d065e77c8cC2239327C5EDb3A432268e5831',
  BASE: '0x833589fcd6edb6e08f4c7c32d4f71b54bda02913',
  'BASE-SEPOLIA': '0x036cbd53842c5426634e7929541ec2318f3dcf7e',
  OP: '0x0b2c639c533813f4aa9d7837caf62653d097ff85',
  UNI: '0x078d782b760474a361dda0af3839290b0ef57ad6',
  APTOS: '0xbae207659db88bea0cbead6da0ed00aac12edcdda169e591cd41c94180b46f3b',
  ARC: '0x3600000000000000000000000000000000000000',
  'ARC-TESTNET': '0x3600000000000000000000000000000000000000',
  MONAD: '0x754704bc059f8c67012fed69bc8a327a5aafb603',
};

const testnet = /-(SEPOLIA|FUJI|AMOY|DEVNET|TESTNET)$/;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const booked = new Set(['CONFIRMED', 'COMPLETE']);

/** A UUID that is the same in every run for the same text. */
export function idFrom(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/** Starts a Circle that holds `wallets`. */
export async function startCircleSandbox(options: CircleSandboxOptions): Promise<CircleSandbox> {
  const now = options.now ?? (() => new Date());
  const { tooMany, headers } = answersToEverybody();
  let newest = Date.parse('2026-03-01T08:00:00Z');
  const circle: Omit<CircleSandbox, keyof SandboxServer> = {
    wallets: new Map(),
    transactions: structuredClone(options.transactions ?? []),
    monitoredTokens: options.monitoredTokens,
    now,
    listsEveryToken: false,
    add: (input) => {
      const wallet = complete(input, newest);
      newest = Math.max(newest, created(wallet));
      circle.wallets.set(wallet.id, wallet);
      return wallet;
    },
    move: (walletId, amount, state = 'COMPLETE') => move(circle, now(), walletId, amount, state),
    book: (transaction, state = 'COMPLETE') => {
      if (booked.has(state) && !booked.has(transaction.state)) addTo(usdcOf(circle, transaction.walletId), transaction);
      transaction.state = state;
      transaction.updateDate = now().toISOString();
    },
    snapshot: () =>
      structuredClone({
        wallets: [...circle.wallets.values()],
        transactions: circle.transactions,
        monitoredTokens: circle.monitoredTokens,
      }),
  };
  options.wallets.forEach(circle.add);
  const rateLimit = 'rateLimit' in options ? options.rateLimit : { requests: 20, windowMs: 1000 };
  const handle = (request: SandboxRequest) => route(circle, options.apiKey, request);
  const server = await startServer({ port: options.port, rateLimit, handle, tooMany, headers });
  return Object.assign(circle, server);
}

function answersToEverybody() {
  return {
    tooMany: () => failure(429, 429, 'Too many requests.'),
    headers: (request: SandboxRequest) => ({ 'x-request-id': request.headers['x-request-id'] ?? randomUUID() }),
  };
}

function complete(input: WalletInput, newest: number): SandboxWallet {
  const { usdc, balances = [], blockchain = 'ETH', ...rest } = structuredClone(input);
  const createDate = input.createDate ?? new Date(newest + 1000).toISOString();
  return {
    state: 'LIVE',
    custodyType: 'DEVELOPER',
    address: `0x${createHash('sha256').update(input.id).digest('hex').slice(0, 40)}`,
    updateDate: createDate,
    ...rest,
    createDate,
    blockchain,
    balances: usdc === undefined ? balances : [...balances, genuineUsdc(blockchain, usdc)],
  };
}

/** Unix milliseconds. A listing of ten thousand wallets asks for each of them on every page, so they are kept. */
function created({ createDate }: { createDate: string }): number {
  const known = times.get(createDate);
  if (known !== undefined) return known;
  times.set(createDate, Date.parse(createDate));
  return Date.parse(createDate);
}

const times = new Map<string, number>();

type Circle = Pick<CircleSandbox, 'wallets' | 'transactions' | 'monitoredTokens' | 'listsEveryToken'>;

function move(circle: Circle, now: Date, walletId: string, amount: string, state: string): SandboxTransaction {
  const entry = usdcOf(circle, walletId);
  const transaction: SandboxTransaction = {
    id: randomUUID(),
    walletId,
    blockchain: entry.token.blockchain,
    tokenId: entry.token.id,
    transactionType: amount.startsWith('-') ? 'OUTBOUND' : 'INBOUND',
    state,
    amounts: [amount.replace('-', '')],
    custodyType: circle.wallets.get(walletId)!.custodyType,
    createDate: now.toISOString(),
    updateDate: now.toISOString(),
  };
  circle.transactions.push(transaction);
  if (booked.has(state)) addTo(entry, transaction);
  return transaction;
}

function usdcOf(circle: Circle, walletId: string): SandboxBalance {
  const wallet = circle.wallets.get(walletId);
  if (wallet === undefined) throw new Error(`The sandbox has no wallet ${walletId}.`);
  let entry = wallet.balances.find(({ token }) => token.tokenAddress === usdcAddresses[wallet.blockchain]);
  if (entry === undefined) wallet.balances.push((entry = genuineUsdc(wallet.blockchain, '0')));
  return entry;
}

function addTo(entry: SandboxBalance, { amounts: [amount = '0'], transactionType }: SandboxTransaction): void {
  const held = money(entry.amount);
  entry.amount = toText(transactionType === 'INBOUND' ? held.plus(amount) : held.minus(amount));
}

// What tests put into wallets.

function token(blockchain: string, tokenAddress: string | undefined, more: Partial<SandboxToken> = {}): SandboxToken {
  const id = idFrom(`token ${blockchain} ${tokenAddress ?? 'native'}`);
  return { id, blockchain, isNative: tokenAddress === undefined, ...(tokenAddress && { tokenAddress }), ...more };
}

export function genuineUsdc(blockchain: string, amount: string): SandboxBalance {
  const address = usdcAddresses[blockchain];
  if (address === undefined) throw new Error(`The sandbox knows no USDC on ${blockchain}.`);
  return { token: token(blockchain, address, { name: 'USD Coin', symbol: 'USDC', decimals: 6 }), amount };
}

/** Gas: 18 decimals, no address. */
export function nativeToken(blockchain: string, amount: string, symbol = 'ETH'): SandboxBalance {
  return { token: token(blockchain, undefined, { name: symbol, symbol, decimals: 18 }), amount };
}

/** A token that anybody can create and send: every word right, the address wrong. */
export function spoofedUsdc(blockchain: string, amount: string, symbol = 'USDC'): SandboxBalance {
  const address = '0x5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e';
  return { token: token(blockchain, address, { name: 'USD Coin', symbol, decimals: 6 }), amount };
}

/** Real tokens with real value that are not USDC for Circle (API-FACTS.md A.6). */
export function bridgedUsdc(blockchain: 'ARB' | 'MATIC' | 'OP' | 'AVAX' | 'BASE', amount: string): SandboxBalance {
  const addresses = {
    ARB: '0xFF970A61A04b1cA14834A43f5dE4533eBDDB5CC8',
    MATIC: '0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174',
    OP: '0x7F5c764cBc14f9669B88837ca1490cCa17c31607',
    AVAX: '0xA7D7079b0FEaD91F3e65f86E8915Cb59c1a4C664',
    BASE: '0xd9aAEc86B65D86f6A7B5B1b0c42FFA531710b6CA',
  };
  const words =
    blockchain === 'BASE'
      ? { name: 'USD Base Coin', symbol: 'USDbC' }
      : { name: 'USD Coin (Bridged)', symbol: 'USDC.e' };
  return { token: token(blockchain, addresses[blockchain], { ...words, decimals: 6 }), amount };
}

/** Arc lists one balance twice: native with 18 decimals, and as a token, cut to 6. */
export function arcUsdc(blockchain: 'ARC' | 'ARC-TESTNET', amount: string): SandboxBalance[] {
  const cut = amount.replace(/(\.\d{6})\d+$/, '$1');
  return [nativeToken(blockchain, amount, 'USDC'), genuineUsdc(blockchain, cut)];
}

// The endpoints.

function failure(status: number, code: number, message: string): SandboxAnswer {
  return json(status, { code, message });
}

function route(circle: Circle, apiKey: string, request: SandboxRequest): SandboxAnswer {
  const { pathname } = request.url;
  if (pathname === '/ping') return json(200, { message: 'pong' });
  const refused = refuse(circle, apiKey, request);
  if (refused) return refused;
  const balances = /^\/v1\/w3s\/wallets\/([^/]+)\/balances$/.exec(pathname);
  const transaction = /^\/v1\/w3s\/transactions\/([^/]+)$/.exec(pathname);
  const tokenPath = /^\/v1\/w3s\/tokens\/([^/]+)$/.exec(pathname);
  if (pathname === '/v1/w3s/wallets') return listWallets(circle, request);
  if (pathname === '/v1/w3s/developer/wallets/balances') return walletsWithBalances(circle, request);
  if (pathname === '/v1/w3s/transactions') return listTransactions(circle, request);
  if (pathname === '/v1/w3s/config/entity/monitoredTokens') return monitored(circle);
  if (balances) return walletBalances(circle, request, balances[1]!);
  if (transaction)
    return one(
      'transaction',
      156003,
      circle.transactions.find(({ id }) => id === transaction[1]),
    );
  if (tokenPath)
    return one(
      'token',
      156002,
      allTokens(circle).find(({ id }) => id === tokenPath[1]),
    );
  return failure(404, 404, 'Not found.');
}

function refuse(circle: Circle, apiKey: string, { headers, url }: SandboxRequest): SandboxAnswer | undefined {
  const given = /^Bearer (TEST_API_KEY|LIVE_API_KEY):([^:]+):([^:]+)$/.exec(headers['authorization'] ?? '');
  if (given === null) return failure(401, 401, 'Malformed authorization. Are the credentials properly encoded?');
  if (headers['authorization'] !== `Bearer ${apiKey}`) return failure(401, 156007, 'The API key was not found.');
  const chain = url.searchParams.get('blockchain');
  if (chain !== null && testnet.test(chain) !== (given[1] === 'TEST_API_KEY'))
    return failure(400, 156006, 'The API key does not belong to the environment of this blockchain.');
  return undefined;
}

function listWallets(circle: Circle, request: SandboxRequest): SandboxAnswer {
  const blockchain = request.url.searchParams.get('blockchain');
  const wallets = [...circle.wallets.values()].filter((wallet) => !blockchain || wallet.blockchain === blockchain);
  const order = request.url.searchParams.get('order') ?? 'DESC';
  return page(request, inRange(wallets, request, order), 'wallets', withoutBalances);
}

/** Oldest first, unless `order` is DESC; only what was created between `from` and `to`, both inclusive. */
function inRange<T extends { createDate: string }>(items: T[], { url }: SandboxRequest, order: string): T[] {
  const from = Date.parse(url.searchParams.get('from') ?? '0000-01-01');
  const to = Date.parse(url.searchParams.get('to') ?? '9999-01-01');
  const dated = items.map((item) => ({ item, time: created(item) })).filter(({ time }) => time >= from && time <= to);
  const sorted = dated.sort((a, b) => a.time - b.time).map(({ item }) => item);
  return order === 'DESC' ? sorted.reverse() : sorted;
}

function withoutBalances(wallet: SandboxWallet) {
  return { ...wallet, balances: undefined, walletSetId: idFrom('wallet set'), accountType: 'EOA' };
}

function walletsWithBalances(circle: Circle, request: SandboxRequest): SandboxAnswer {
  const { searchParams } = request.url;
  const blockchain = searchParams.get('blockchain');
  if (blockchain === null) return failure(400, 2, 'API parameter invalid');
  if (cannotShow(blockchain)) return failure(400, 156027, 'The blockchain is not supported.');
  const ours = [...circle.wallets.values()].filter(
    (wallet) => wallet.blockchain === blockchain && wallet.custodyType === 'DEVELOPER',
  );
  const wanted = searchParams.get('tokenAddress');
  const listed = ({ token }: SandboxBalance) =>
    circle.listsEveryToken || token.isNative || sameText(token.tokenAddress, wanted);
  return page(request, inRange(ours, request, 'DESC'), 'wallets', (wallet) => ({
    ...withoutBalances(wallet),
    tokenBalances: wallet.balances.filter(listed).map(asSent),
  }));
}

function cannotShow(blockchain: string): boolean {
  return /^(NEAR|EVM)(-TESTNET)?$/.test(blockchain);
}

function sameText(left: string | undefined, right: string | null): boolean {
  return left !== undefined && right !== null && left.toLowerCase() === right.toLowerCase();
}

function asSent({ token, amount }: SandboxBalance) {
  const dates = { createDate: '2023-06-29T02:37:14Z', updateDate: '2023-06-29T02:37:14Z' };
  return { token: { ...token, ...dates }, amount, updateDate: '2026-11-21T03:10:44Z' };
}

function walletBalances(circle: Circle, request: SandboxRequest, id: string): SandboxAnswer {
  const { searchParams } = request.url;
  if (!uuid.test(id)) return failure(400, 156009, 'The id is not a UUID.');
  const wallet = circle.wallets.get(id);
  if (wallet === undefined) return failure(404, 156001, 'Cannot find target wallet in the system.');
  if (cannotShow(wallet.blockchain)) return failure(400, 156027, 'The blockchain is not supported.');
  const addresses = searchParams.get('tokenAddress')?.split(',');
  const all = searchParams.get('includeAll') === 'true' || circle.monitoredTokens === undefined;
  const balances = wallet.balances
    .filter(({ token }) => all || circle.monitoredTokens?.includes(token.id))
    .filter(({ token }) => !addresses || addresses.some((address) => sameText(token.tokenAddress, address)));
  const items = balances.map((balance) => ({ ...balance, id: balance.token.id }));
  return page(request, items, 'tokenBalances', asSent);
}

function listTransactions(circle: Circle, request: SandboxRequest): SandboxAnswer {
  const { searchParams } = request.url;
  const state = searchParams.get('state');
  const walletIds = searchParams.get('walletIds')?.split(',');
  const custodyType = searchParams.get('custodyType');
  const found = circle.transactions
    .filter((transaction) => !state || transaction.state === state)
    .filter((transaction) => !walletIds || walletIds.includes(transaction.walletId))
    .filter((transaction) => !custodyType || transaction.custodyType === custodyType);
  return page(request, inRange(found, request, searchParams.get('order') ?? 'DESC'), 'transactions', (item) => item);
}

function monitored(circle: Circle): SandboxAnswer {
  if (circle.monitoredTokens === undefined) return { status: 204, headers: {}, body: '' };
  const tokens = allTokens(circle).filter(({ id }) => circle.monitoredTokens?.includes(id));
  return json(200, { data: { scope: 'SELECTED', tokens } });
}

function allTokens(circle: Circle): SandboxToken[] {
  const tokens = [...circle.wallets.values()].flatMap(({ balances }) => balances.map(({ token }) => token));
  return [...new Map(tokens.map((token) => [token.id, token])).values()];
}

function one(name: string, code: number, item: unknown): SandboxAnswer {
  return item === undefined ? failure(404, code, `The ${name} was not found.`) : json(200, { data: { [name]: item } });
}

/** Cuts a page out of `items` and links it to its neighbours (API-FACTS.md A.0). */
function page<T extends { id: string }>(
  { url }: SandboxRequest,
  items: T[],
  name: string,
  asJson: (item: T) => unknown,
): SandboxAnswer {
  const asked = Number(url.searchParams.get('pageSize') ?? 10);
  if (!Number.isInteger(asked) || asked < 1) return failure(400, 2, 'API parameter invalid');
  const size = Math.min(asked, 50);
  const cursor = url.searchParams.get('pageAfter') ?? url.searchParams.get('pageBefore');
  const at = items.findIndex(({ id }) => id === cursor);
  if (cursor !== null && !uuid.test(cursor)) return failure(400, 156014, 'The cursor is not a UUID.');
  if (cursor !== null && at === -1) return failure(404, 156012, 'The cursor was not found.');
  const { shown, links } = cut(items, at, size, url);
  return json(200, { data: { [name]: shown.map(asJson) } }, { link: links });
}

function cut<T extends { id: string }>(items: T[], at: number, size: number, url: URL): { shown: T[]; links: string } {
  const before = url.searchParams.has('pageBefore');
  const start = before ? Math.max(0, at - size) : at + 1;
  const end = before ? at : start + size;
  const shown = items.slice(start, end);
  const links = [
    link(url, size, 'self', {}),
    link(url, size, 'first', { pageAfter: undefined, pageBefore: undefined }),
    end < items.length && link(url, size, 'next', { pageAfter: shown.at(-1)?.id, pageBefore: undefined }),
    start > 0 && link(url, size, 'prev', { pageBefore: shown[0]?.id, pageAfter: undefined }),
  ];
  return { shown, links: links.filter(Boolean).join(', ') };
}

function link(url: URL, size: number, rel: string, change: Record<string, string | undefined>): string {
  const target = new URL(url);
  target.searchParams.set('pageSize', String(size));
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined) target.searchParams.delete(name);
    else target.searchParams.set(name, value);
  }
  return `<${target.href}>; rel="${rel}"`;
}

// What only a Circle can get wrong.

type Where = Pick<Fault, 'path' | 'skip' | 'times'>;

/** The first wallet of the listing comes back on a later page. */
export function duplicatedWallet(where: Where, wallet: SandboxWallet): Fault {
  return changedJson(where, (body: { data: { wallets: unknown[] } }) => {
    body.data.wallets.push({ ...withoutBalances(wallet), tokenBalances: wallet.balances.map(asSent) });
  });
}

/** A wallet comes into being just before the answer. */
export function walletCreatedMeanwhile(where: Where, circle: CircleSandbox, wallet: WalletInput): Fault {
  return {
    times: 1,
    ...where,
    respond: (real) => {
      circle.add(wallet);
      return real();
    },
  };
}

/** Every link leads to another host, as Prism's mock and many a badly set-up proxy do. */
export function foreignLink(where: Where, origin = 'https://api.circle.com'): Fault {
  return changedHeaders(where, (headers) => ({
    ...headers,
    link: (headers['link'] ?? '').replace(/http:\/\/127\.0\.0\.1:\d+/g, origin),
  }));
}

/** The next page is always this page. */
export function endlessNext(where: Where): Fault {
  return {
    ...where,
    respond: (real, { url }) => {
      const answer = real();
      return { ...answer, headers: { ...answer.headers, link: `<${url.href}>; rel="next"` } };
    },
  };
}

/** Links as Circle Mint writes them: without `<>`. */
export function bareLinks(where: Where): Fault {
  return changedHeaders(where, (headers) => ({ ...headers, link: (headers['link'] ?? '').replace(/[<>]/g, '') }));
}
