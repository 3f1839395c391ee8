// Alpaca's Broker API on loopback, as API-FACTS.md B describes it (B.9 lists what it must do).
import { randomUUID } from 'node:crypto';
import { money, toText } from '../../src/money.ts';
import {
  answers,
  changedJson,
  type Fault,
  json,
  type RateLimit,
  type SandboxAnswer,
  type SandboxRequest,
  type SandboxServer,
  startServer,
} from './sandbox-server.ts';

/** What a test says about an account; everything else has a default. */
export interface AccountInput {
  /** A UUID. */
  id: string;
  /** Decimal text, may be negative; default `0`. */
  cash?: string;
  /** Default: the same as `cash`, which is right for a multiplier of 1. */
  buying_power?: string;
  /** `1` for a cash account (the default), `2` or `4` for margin. */
  multiplier?: string;
  currency?: string;
  status?: string;
  /** RFC 3339; default: a second after the account before. */
  created_at?: string;
  /** Fields that the trading account leaves out of its answer. */
  omit?: string[];
}

/** An account as the sandbox keeps it. Change it while the sandbox runs: the next answer shows it. */
export type SandboxAccount = Required<AccountInput>;

export interface SandboxJournal {
  id: string;
  entry_type: 'JNLC' | 'JNLS';
  from_account: string;
  to_account: string;
  status: string;
  net_amount: string;
  currency: string;
  created_at: string;
}

export interface SandboxTransfer {
  id: string;
  account_id: string;
  type: 'ach' | 'wire';
  status: string;
  amount: string;
  direction: 'INCOMING' | 'OUTGOING';
  created_at: string;
  updated_at?: string;
}

export interface SandboxActivity {
  /** `<timestamp>::<uuid>`. */
  id: string;
  account_id: string;
  activity_type: string;
  net_amount: string;
  date: string;
}

/** Everything that a sandbox knows, as plain data: what `startAlpacaSandbox` takes and `snapshot` gives. */
export interface AlpacaState {
  accounts: AccountInput[];
  journals?: SandboxJournal[];
  transfers?: SandboxTransfer[];
  activities?: SandboxActivity[];
}

export interface AlpacaSandboxOptions extends AlpacaState {
  key: string;
  secret: string;
  port?: number;
  /** Default: 1,000 requests in any minute. */
  rateLimit?: RateLimit;
  /** What the token endpoint says; default 899. */
  tokenSeconds?: number;
  now?: () => Date;
}

export interface AlpacaSandbox extends SandboxServer {
  /** The token endpoint, on the same server. */
  authUrl: string;
  /** By id, in the order of creation. */
  accounts: Map<string, SandboxAccount>;
  journals: SandboxJournal[];
  transfers: SandboxTransfer[];
  activities: SandboxActivity[];
  /** How many accounts one answer holds at most; 1,000 at Alpaca. */
  accountsPerPage: number;
  /** Journals above this number are refused with 422; 100,000 at Alpaca. */
  journalsMax: number;
  now: () => Date;
  add: (account: AccountInput) => SandboxAccount;
  /** Moves cash in (positive) or out (negative) and records the activity. Buying power follows where multiplier is 1. */
  move: (accountId: string, amount: string) => SandboxActivity;
  /** Asks for cash to be journaled into an account (positive) or out of it, against the firm's own: `queued`. */
  journal: (accountId: string, amount: string) => SandboxJournal;
  /** Executes a journal: cash moves on both sides, as far as the sandbox keeps them, and an activity tells so. */
  execute: (journal: SandboxJournal) => void;
  /** From now on every token that was issued is refused. */
  expireTokens: () => void;
  snapshot: () => AlpacaState;
}

/** Starts an Alpaca that keeps `accounts`. It takes HTTP Basic and the tokens that it issues. */
export async function startAlpacaSandbox(options: AlpacaSandboxOptions): Promise<AlpacaSandbox> {
  const now = options.now ?? (() => new Date());
  const tokens = new Tokens(options);
  let newest = Date.parse('2026-03-01T08:00:00Z');
  const alpaca: Omit<AlpacaSandbox, keyof SandboxServer | 'authUrl'> = {
    accounts: new Map(),
    journals: structuredClone(options.journals ?? []),
    transfers: structuredClone(options.transfers ?? []),
    activities: structuredClone(options.activities ?? []),
    accountsPerPage: 1000,
    journalsMax: 100_000,
    now,
    add: (input) => {
      const account = complete(input, newest);
      newest = Math.max(newest, time(account.created_at));
      alpaca.accounts.set(account.id, account);
      return account;
    },
    move: (accountId, amount) => move(alpaca, now(), accountId, amount),
    journal: (accountId, amount) => {
      const journal = journalOf(accountId, amount, now());
      alpaca.journals.push(journal);
      return journal;
    },
    execute: (journal) => {
      journal.status = 'executed';
      const sides = { [journal.from_account]: `-${journal.net_amount}`, [journal.to_account]: journal.net_amount };
      for (const [id, amount] of Object.entries(sides))
        if (alpaca.accounts.has(id)) move(alpaca, now(), id, amount).activity_type = 'JNLC';
    },
    expireTokens: () => {
      tokens.expire();
    },
    snapshot: () => structuredClone(plain(alpaca)),
  };
  options.accounts.forEach(alpaca.add);
  const rateLimit = 'rateLimit' in options ? options.rateLimit : { requests: 1000, windowMs: 60_000 };
  const server = await startServer({
    port: options.port,
    rateLimit,
    handle: (request) => route(alpaca, tokens, request),
    tooMany: () => failure(429, 42910000, 'rate limit exceeded'),
    headers: (_request, { used, resetAt }) => rateLimitHeaders(rateLimit, used, resetAt),
  });
  return Object.assign(alpaca, server, { authUrl: `${server.url}/v1/oauth2/token` });
}

function plain({ accounts, journals, transfers, activities }: Alpaca): AlpacaState {
  return { accounts: [...accounts.values()], journals, transfers, activities };
}

function rateLimitHeaders(rateLimit: RateLimit, used: number, resetAt: number): Record<string, string> {
  const allowed = rateLimit?.requests ?? 1_000_000;
  return {
    'x-request-id': randomUUID(),
    'x-ratelimit-limit': String(allowed),
    'x-ratelimit-remaining': String(Math.max(0, allowed - used)),
    'x-ratelimit-reset': String(Math.ceil(resetAt / 1000)),
  };
}

function complete(input: AccountInput, newest: number): SandboxAccount {
  const cash = input.cash ?? '0';
  return {
    cash,
    buying_power: cash,
    multiplier: '1',
    currency: 'USD',
    status: 'ACTIVE',
    // Nanoseconds, as Alpaca may give them: a client that reads them into a Date loses some.
    created_at: new Date(newest + 1000).toISOString().replace('Z', '123456Z'),
    omit: [],
    ...structuredClone(input),
  };
}

type Alpaca = Pick<
  AlpacaSandbox,
  'accounts' | 'journals' | 'transfers' | 'activities' | 'accountsPerPage' | 'journalsMax' | 'now'
>;

function move(alpaca: Alpaca, now: Date, accountId: string, amount: string): SandboxActivity {
  const account = alpaca.accounts.get(accountId);
  if (account === undefined) throw new Error(`The sandbox has no account ${accountId}.`);
  account.cash = toText(money(account.cash).plus(money(amount)));
  if (account.multiplier === '1') account.buying_power = toText(money(account.buying_power).plus(money(amount)));
  const date = now.toISOString();
  const activity = {
    id: `${date.replace(/\D/g, '')}::${randomUUID()}`,
    account_id: accountId,
    activity_type: amount.startsWith('-') ? 'CSW' : 'CSD',
    net_amount: amount,
    date: date.slice(0, 10),
  };
  alpaca.activities.push(activity);
  return activity;
}

/** The account that the firm journals its dollars from. */
const firmAccount = '3dcb795c-3ccc-402a-abb9-07e26a1b1326';

function journalOf(accountId: string, amount: string, now: Date): SandboxJournal {
  const outOf = amount.startsWith('-');
  return {
    id: randomUUID(),
    entry_type: 'JNLC',
    from_account: outOf ? accountId : firmAccount,
    to_account: outOf ? firmAccount : accountId,
    status: 'queued',
    net_amount: amount.replace('-', ''),
    currency: 'USD',
    created_at: now.toISOString(),
  };
}

class Tokens {
  readonly #key: string;
  readonly #secret: string;
  readonly #seconds: number;
  #live = new Set<string>();

  constructor({ key, secret, tokenSeconds = 899 }: AlpacaSandboxOptions) {
    this.#key = key;
    this.#secret = secret;
    this.#seconds = tokenSeconds;
  }

  issue(body: string): SandboxAnswer {
    const form = new URLSearchParams(body);
    if (form.get('grant_type') !== 'client_credentials') return json(400, { error: 'invalid_request' });
    if (form.get('client_id') !== this.#key || form.get('client_secret') !== this.#secret)
      return json(401, { error: 'invalid_client' });
    const token = `token-${randomUUID()}`;
    this.#live.add(token);
    if (this.#seconds >= 0) setTimeout(() => this.#live.delete(token), this.#seconds * 1000).unref();
    return json(200, { access_token: token, expires_in: this.#seconds, token_type: 'Bearer' });
  }

  accepts(authorization = ''): boolean {
    const basic = `Basic ${Buffer.from(`${this.#key}:${this.#secret}`).toString('base64')}`;
    return authorization === basic || this.#live.has(authorization.replace(/^Bearer /, ''));
  }

  expire(): void {
    this.#live = new Set();
  }
}

// The endpoints.

function failure(status: number, code: number, message: string): SandboxAnswer {
  return json(status, { code, message });
}

function route(alpaca: Alpaca, tokens: Tokens, request: SandboxRequest): SandboxAnswer {
  const { pathname } = request.url;
  if (pathname === '/v1/oauth2/token') return tokens.issue(request.body);
  if (!tokens.accepts(request.headers['authorization'])) return failure(401, 40110000, 'request is not authorized');
  const trading = /^\/v1\/trading\/accounts\/([^/]+)\/account$/.exec(pathname);
  const transfers = /^\/v1\/accounts\/([^/]+)\/transfers$/.exec(pathname);
  if (pathname === '/v1/accounts') return listAccounts(alpaca, request);
  if (pathname === '/v1/accounts/activities') return listActivities(alpaca, request);
  if (pathname === '/v1/journals') return listJournals(alpaca, request);
  if (pathname === '/v1/clock') return clock(alpaca.now());
  if (trading) return tradingAccount(alpaca.accounts.get(trading[1]!));
  if (transfers) return listTransfers(alpaca, transfers[1]!, request);
  return failure(404, 40410000, 'endpoint not found.');
}

/** Bounds are inclusive, newest first unless `sort=asc`, at most a page of them and no word about the rest. */
function listAccounts(alpaca: Alpaca, { url }: SandboxRequest): SandboxAnswer {
  const after = url.searchParams.get('created_after') ?? '0000-01-01T00:00:00Z';
  const before = url.searchParams.get('created_before') ?? '9999-01-01T00:00:00Z';
  const status = url.searchParams.get('status');
  const entities = url.searchParams.get('entities')?.split(',');
  const found = [...alpaca.accounts.values()]
    .filter(({ created_at }) => compareTimes(created_at, after) >= 0 && compareTimes(created_at, before) <= 0)
    .filter((account) => !status || account.status === status)
    .sort((a, b) => compareTimes(a.created_at, b.created_at));
  if (url.searchParams.get('sort') !== 'asc') found.reverse();
  return json(
    200,
    found.slice(0, alpaca.accountsPerPage).map((account) => accountRow(account, entities)),
  );
}

/** To the millisecond by time; the digits beyond that as they stand, which is right for equally long ones. */
function compareTimes(left: string, right: string): number {
  return time(left) - time(right) || (left < right ? -1 : Number(left > right));
}

/** Unix milliseconds. A listing of ten thousand accounts asks for each of them on every page, so they are kept. */
function time(text: string): number {
  const known = times.get(text);
  if (known !== undefined) return known;
  times.set(text, Date.parse(text));
  return Date.parse(text);
}

const times = new Map<string, number>();

/** Everything about a person comes along unless `entities` asks for less. */
function accountRow({ id, status, currency, created_at }: SandboxAccount, entities: string[] | undefined) {
  const all: Record<string, unknown> = {
    contact: { email_address: 'ada@example.org', city: 'London' },
    identity: { given_name: 'Ada', date_of_birth: '1815-12-10' },
    trading_configurations: {},
  };
  const shown = Object.entries(all).filter(([entity]) => entities?.includes(entity) ?? true);
  const number = String(600_000_000 + (Number.parseInt(id.slice(0, 6), 16) || 0));
  const row = { id, account_number: number, status, currency, last_equity: '0', created_at, account_type: 'trading' };
  return { ...row, account_name: 'Ada Lovelace', ...Object.fromEntries(shown) };
}

function tradingAccount(account: SandboxAccount | undefined): SandboxAnswer {
  if (account === undefined) return failure(404, 40410000, 'account not found.');
  const { omit, created_at, ...shown } = account;
  const local = account.currency === 'USD' ? {} : { usd: { cash: '1', buying_power: '1' } };
  const whole = {
    ...shown,
    account_number: '601612064',
    admin_configurations: {},
    user_configurations: null,
    cash_withdrawable: account.cash,
    equity: account.cash,
    last_equity: account.cash,
    pending_transfer_out: '0',
    created_at,
    ...local,
  };
  return json(200, Object.fromEntries(Object.entries(whole).filter(([field]) => !omit.includes(field))));
}

function listTransfers({ transfers }: Alpaca, accountId: string, { url }: SandboxRequest): SandboxAnswer {
  const direction = url.searchParams.get('direction');
  const offset = Number(url.searchParams.get('offset') ?? 0);
  const limit = Number(url.searchParams.get('limit') ?? 50);
  const found = transfers
    .filter((transfer) => transfer.account_id === accountId)
    .filter((transfer) => !direction || transfer.direction === direction);
  return json(200, found.slice(offset, offset + limit));
}

/** Too many rows: 422, with a JSON string and not an object as its body. */
function listJournals({ journals, journalsMax }: Alpaca, { url }: SandboxRequest): SandboxAnswer {
  const after = url.searchParams.get('after') ?? '';
  const before = url.searchParams.get('before') ?? '9999';
  const status = url.searchParams.get('status');
  const type = url.searchParams.get('entry_type');
  const found = journals
    .filter(({ created_at }) => created_at.slice(0, 10) >= after && created_at.slice(0, 10) <= before)
    .filter((journal) => !status || journal.status === status)
    .filter((journal) => !type || journal.entry_type === type);
  if (found.length > journalsMax) return json(422, 'the result set is too large, narrow the query');
  return json(200, found);
}

/** The page token is the id of the last row, and nothing says that there is a next page. */
function listActivities({ activities }: Alpaca, { url }: SandboxRequest): SandboxAnswer {
  const accountId = url.searchParams.get('account_id');
  const date = url.searchParams.get('date');
  const size = Math.min(100, Number(url.searchParams.get('page_size') ?? 100));
  const token = url.searchParams.get('page_token');
  const found = activities
    .filter((activity) => !accountId || activity.account_id === accountId)
    .filter((activity) => !date || activity.date === date);
  if (url.searchParams.get('direction') !== 'asc') found.reverse();
  if (date) return json(200, found); // all of a day come at once
  const start = token === null ? 0 : found.findIndex(({ id }) => id === token) + 1;
  return json(200, found.slice(start, start + size));
}

/** In New York, as Alpaca gives it. */
function clock(now: Date): SandboxAnswer {
  const timestamp = new Date(now.getTime() - 5 * 3_600_000).toISOString().replace('Z', '-05:00');
  const [next_open, next_close] = ['2026-11-23T09:30:00-05:00', '2026-11-23T16:00:00-05:00'];
  return json(200, { timestamp, is_open: false, next_open, next_close });
}

// What only an Alpaca can get wrong.

type Where = Pick<Fault, 'path' | 'skip' | 'times'>;

/** One account's money never arrives. */
export function slowAccount(accountId: string, times?: number): Fault {
  const where = {
    path: new RegExp(`/v1/trading/accounts/${accountId}/account`),
    ...(times !== undefined && { times }),
  };
  return { ...where, respond: (real) => ({ ...real(), sendOnly: 1, then: 'hang' }) };
}

/** An account is opened just before the answer. */
export function accountOpenedMeanwhile(where: Where, alpaca: AlpacaSandbox, account: AccountInput): Fault {
  return {
    times: 1,
    ...where,
    respond: (real) => {
      alpaca.add(account);
      return real();
    },
  };
}

/** Every money field of the trading account as a JSON number, digit for digit. */
export function moneyAsNumbers(where: Where): Fault {
  return {
    ...where,
    respond: (real) => {
      const answer = real();
      return { ...answer, body: answer.body.replace(/"(cash|buying_power|multiplier)":"([^"]*)"/g, '"$1":$2') };
    },
  };
}

/** 403 with a JSON string as its body. */
export function forbidden(where: Where): Fault {
  return answers(where, { status: 403, body: '"Forbidden"' });
}

/** Somebody else's account comes back. */
export function answersForAnother(where: Where, accountId: string): Fault {
  return changedJson(where, (body: object) => ({ ...body, id: accountId }));
}
