import { z } from 'zod';
import { Incomplete } from '../incomplete.ts';
import { type Money, money, sum } from '../money.ts';
import { basicCredentials, clientCredentials, type Credentials } from './alpaca-credentials.ts';
import { optionalText, readAmount } from './amounts.ts';
import { quote, Refusal } from './answers.ts';
import { forEachConcurrently } from './concurrently.ts';
import type { CustodianReading, CustodianWorld, Holding, Progress } from './custodian.ts';
import { type Http, withHttp } from './http.ts';

export interface AlpacaOptions {
  /** `https://broker-api.alpaca.markets`, or that of the sandbox. */
  baseUrl: string;
  /** The OAuth token endpoint; undefined: key and secret are sent with every request (HTTP Basic). */
  authUrl: string | undefined;
  apiKey: string;
  apiSecret: string;
  /** What counts as an account's money. `auto`: buying power where it is money (`multiplier` 1), cash elsewhere. */
  measure: 'auto' | 'cash' | 'buying_power';
  /** Ids of accounts that are left out: the firm's own. */
  exclude: ReadonlySet<string>;
  requestsPerSecond: number;
  /** For one request and its whole answer. */
  requestTimeoutMs: number;
}

/** Alpaca advises five to eight at a time (API-FACTS.md B.2). */
const workers = 8;

/**
 * Every account, whatever its status, with the measure of its money: a closed one may still hold cash. Alpaca shows
 * money one account at a time (API-FACTS.md B.3 to B.5), so this takes a request for each.
 *
 * Throws `Incomplete`, with 77 for refused credentials, and names the account that is unknown, lacks a field or is not
 * kept in USD. Rejects with the signal's reason when `world.signal` aborts.
 */
export async function readAlpaca(
  options: AlpacaOptions,
  world: CustodianWorld,
  progress: Progress,
): Promise<CustodianReading> {
  const startedAt = world.now();
  const { exclude } = options;
  return withAlpaca(options, world, async (alpaca) => {
    const { http } = alpaca;
    const listed = await listAccounts(alpaca);
    const wanted = listed.filter(({ id }) => !exclude.has(id));
    const measured = { cash: 0, buying_power: 0 };
    const holdings: Holding[] = [];
    await forEachConcurrently(wanted, workers, async (account) => {
      const { amount, measure } = await readAccount(alpaca, account);
      holdings.push({ externalId: account.id, amount });
      measured[measure] += 1;
      progress(holdings.length);
    });
    return {
      currency: 'USD',
      total: sum(holdings.map(({ amount }) => amount)),
      holdings,
      startedAt,
      endedAt: world.now(),
      details: {
        ...describeAccounts(listed, exclude),
        measured_by: measured,
        requests: http.requests,
        retries: http.retries,
      },
    };
  });
}

/** One small question, to learn whether the credentials are good: the accounts from now on. Throws like `readAlpaca`. */
export async function askAlpaca(options: AlpacaOptions, world: CustodianWorld): Promise<void> {
  await withAlpaca(options, world, (alpaca) => accountsFrom(alpaca, world.now().toISOString()));
}

async function withAlpaca<T>(
  options: AlpacaOptions,
  world: CustodianWorld,
  work: (alpaca: Alpaca) => Promise<T>,
): Promise<T> {
  const { requestsPerSecond, requestTimeoutMs } = options;
  const secrets = secretsOf(options);
  return withHttp({ custodian: 'Alpaca', requestsPerSecond, requestTimeoutMs, secrets }, world, (http) =>
    work({ http, options, credentials: credentialsFor(http, world, options) }),
  );
}

interface Alpaca {
  http: Http;
  options: AlpacaOptions;
  credentials: Credentials;
}

function secretsOf({ apiKey, apiSecret }: AlpacaOptions): string[] {
  return [Buffer.from(`${apiKey}:${apiSecret}`).toString('base64'), apiSecret, apiKey];
}

function credentialsFor(http: Http, world: CustodianWorld, { authUrl, apiKey, apiSecret }: AlpacaOptions): Credentials {
  if (authUrl === undefined) return basicCredentials(apiKey, apiSecret);
  return clientCredentials(http, world, { authUrl, apiKey, apiSecret });
}

/** Status is an open set: Alpaca may add values. */
const accountSchema = z.object({ id: z.string().min(1), created_at: z.string().min(1), status: z.string() });
type Account = z.infer<typeof accountSchema>;

/** What one page of accounts holds at most; beyond that Alpaca says nothing (API-FACTS.md B.3). */
const accountsPerPage = 1000;

/**
 * All accounts, oldest first, so that those opened meanwhile come last. The bound is inclusive, so every page repeats
 * the end of the one before; the listing is over when a page brings nothing else. A full page of nothing else means that
 * the bound cannot move on: more accounts share one moment than a page holds.
 */
async function listAccounts(alpaca: Alpaca): Promise<Account[]> {
  const accounts = new Map<string, Account>();
  let after: string | undefined;
  for (;;) {
    const page = await accountsFrom(alpaca, after);
    const known = accounts.size;
    for (const account of page) accounts.set(account.id, account);
    if (accounts.size === known) {
      if (page.length < accountsPerPage) return [...accounts.values()];
      throw new Incomplete(
        `Alpaca could not be read: GET /v1/accounts gives the same ${page.length} accounts again and again, from ${quote(after ?? '', 40)} on.`,
      );
    }
    after = page.at(-1)?.created_at;
  }
}

/** The smallest entity there is: without it the answer holds names, addresses and dates of birth. */
async function accountsFrom(alpaca: Alpaca, after: string | undefined): Promise<Account[]> {
  const query = {
    entities: 'trading_configurations',
    sort: 'asc',
    ...(after !== undefined && { created_after: after }),
  };
  return get(alpaca, '/v1/accounts', query, z.array(accountSchema));
}

/** Amounts and `multiplier` may be strings or numbers: both arrive as text. All may be absent (API-FACTS.md B.4). */
const tradingAccountSchema = z.object({
  id: z.string(),
  currency: optionalText,
  cash: optionalText,
  buying_power: optionalText,
  multiplier: optionalText,
});
type TradingAccount = z.infer<typeof tradingAccountSchema>;

async function readAccount(alpaca: Alpaca, account: Account): Promise<{ amount: Money; measure: Measure }> {
  const path = `/v1/trading/accounts/${encodeURIComponent(account.id)}/account`;
  const answer = await get(alpaca, path, {}, tradingAccountSchema).catch((error: unknown) => {
    if (error instanceof Refusal && error.status === 404) throw notFound(account, error);
    throw error;
  });
  if (answer.id !== account.id) throw unclear(account.id, 'was answered with another account');
  if (answer.currency !== 'USD')
    throw unclear(
      account.id,
      answer.currency === undefined ? 'has no currency' : `is kept in ${quote(answer.currency, 10)}, not in USD`,
    );
  const measure = measureOf(answer, alpaca.options.measure);
  const amount = readAmount(answer[measure]);
  if (amount === undefined) throw unclear(account.id, `has no ${measure} that is a plain decimal`);
  return { amount, measure };
}

type Measure = 'cash' | 'buying_power';

/** With a multiplier above 1, buying power is credit and not money (API-FACTS.md B.4). */
function measureOf(account: TradingAccount, measure: AlpacaOptions['measure']): Measure {
  if (measure !== 'auto') return measure;
  const multiplier = readAmount(account.multiplier);
  if (multiplier === undefined) throw unclear(account.id, 'has no multiplier that is a plain decimal');
  return multiplier.equals(money('1')) ? 'buying_power' : 'cash';
}

function notFound({ id, status }: Account, { said }: Refusal): Incomplete {
  return new Incomplete(
    `Alpaca lists account ${quote(id)} (${quote(status, 40)}) but does not show its money: ${said}; exclude it if it holds none.`,
  );
}

function unclear(accountId: string, what: string): Incomplete {
  return new Incomplete(`Alpaca could not be read: account ${quote(accountId)} ${what}.`);
}

/** A token that was refused is renewed once; after that the refusal stands. */
async function get<T>(alpaca: Alpaca, path: string, query: Record<string, string>, schema: z.ZodType<T>): Promise<T> {
  const { http, options, credentials } = alpaca;
  const url = new URL(options.baseUrl.replace(/\/+$/, '') + path);
  url.search = new URLSearchParams(query).toString();
  const authorization = await credentials.header();
  try {
    return (await http.send({ url, headers: { authorization } }, schema)).data;
  } catch (error) {
    if (!(error instanceof Refusal && error.status === 401 && credentials.renew(authorization))) throw error;
    return (await http.send({ url, headers: { authorization: await credentials.header() } }, schema)).data;
  }
}

function describeAccounts(listed: Account[], exclude: ReadonlySet<string>): Record<string, unknown> {
  const ids = new Set(listed.map(({ id }) => id));
  const byStatus: Record<string, number> = {};
  for (const { status } of listed) byStatus[quote(status, 40)] = (byStatus[quote(status, 40)] ?? 0) + 1;
  const excluded = listed.filter(({ id }) => exclude.has(id)).length;
  return {
    accounts_read: listed.length - excluded,
    accounts_excluded: excluded,
    excluded_but_unknown: [...exclude].filter((id) => !ids.has(id)),
    accounts_by_status: byStatus,
  };
}
