import { z } from 'zod';
import { Incomplete } from '../incomplete.ts';
import { money, sum } from '../money.ts';
import { type Alpaca, type AlpacaOptions, get, withAlpaca } from './alpaca-client.ts';
import type { IssuedTokens } from './alpaca-credentials.ts';
import { lookAtAlpaca, pastOfAlpaca } from './alpaca-movements.ts';
import { optionalText, readAmount } from './amounts.ts';
import { endpointOf, quote, Refusal, urlOf } from './answers.ts';
import { forEachConcurrently } from './concurrently.ts';
import type { Custodian, CustodianReading, CustodianWorld, Holding, Progress } from './custodian.ts';

/** Alpaca advises five to eight at a time (API-FACTS.md B.2). */
const workers = 8;

/** Alpaca as a check asks for it. */
export function openAlpaca(options: AlpacaOptions): Custodian {
  const tokens: IssuedTokens = {};
  return {
    sweep: (world, progress) => readAlpaca(options, world, progress, tokens),
    reread: (holdings, world, progress) =>
      withAlpaca(options, tokens, world, (alpaca) => rereadAccounts(alpaca, holdings, progress)),
    look: (world, since, about) =>
      withAlpaca(options, tokens, world, (alpaca) => lookAtAlpaca(alpaca, world, since, about)),
    past: (world, from, reach) => withAlpaca(options, tokens, world, (alpaca) => pastOfAlpaca(alpaca, from, reach)),
  };
}

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
  tokens: IssuedTokens = {},
): Promise<CustodianReading> {
  const startedAt = world.now();
  const { exclude } = options;
  return withAlpaca(options, tokens, world, async (alpaca) => {
    const listed = await listAccounts(alpaca);
    const wanted = listed.filter(({ id }) => !exclude.has(id));
    world.asking?.listed?.(wanted.map(({ id }) => id));
    const measured = { cash: 0, buying_power: 0 };
    const holdings: Holding[] = [];
    await forEachConcurrently(wanted, workers, async (account) => {
      const { holding, measure } = await readAccount(alpaca, account);
      holdings.push(holding);
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
        requests: alpaca.http.requests,
        retries: alpaca.http.retries,
        clock_apart_ms: alpaca.http.clockApartMs,
      },
    };
  });
}

/** Accounts of an earlier reading once more. */
async function rereadAccounts(alpaca: Alpaca, holdings: readonly Holding[], progress: Progress): Promise<Holding[]> {
  const read: Holding[] = [];
  await forEachConcurrently(holdings, workers, async ({ externalId: id }) => {
    read.push((await readAccount(alpaca, { id, status: 'listed before' })).holding);
    progress(read.length);
  });
  return read;
}

/** Status is an open set: Alpaca may add values. */
const accountSchema = z.object({ id: z.string().min(1), created_at: z.string().min(1), status: z.string() });
type Account = z.infer<typeof accountSchema>;

/** What one page of accounts holds at most; beyond that Alpaca says nothing (API-FACTS.md B.3). */
const accountsPerPage = 1000;

/**
 * All accounts, oldest first, so that those opened meanwhile come last. The bound is inclusive, so every page repeats
 * the end of the one before, or it has lost something; the listing is over when a page brings nothing else. A full page
 * of nothing else means that the bound cannot move on: more accounts share one moment than a page holds.
 */
async function listAccounts(alpaca: Alpaca): Promise<Account[]> {
  const endpoint = endpointOf(urlOf(alpaca.options, '/v1/accounts'));
  const accounts = new Map<string, Account>();
  let last: Account | undefined;
  for (;;) {
    const page = await accountsFrom(alpaca, last?.created_at);
    if (last !== undefined && !page.some(({ id }) => id === last?.id))
      throw new Incomplete(
        `Alpaca could not be read: ${endpoint} from ${quote(last.created_at, 40)} on leaves out account ${quote(last.id)}, which was opened then.`,
      );
    if (page.some(({ created_at: at }, index) => Date.parse(at) < Date.parse(page[index - 1]?.created_at ?? '')))
      throw new Incomplete(
        `Alpaca could not be read: ${endpoint} does not begin with the oldest, so nobody can tell what comes after a page.`,
      );
    const known = accounts.size;
    for (const account of page) accounts.set(account.id, account);
    if (accounts.size === known) {
      if (page.length < accountsPerPage) return [...accounts.values()];
      throw new Incomplete(
        `Alpaca could not be read: ${endpoint} gives the same ${page.length} accounts again and again, from ${quote(last?.created_at ?? '', 40)} on.`,
      );
    }
    last = page.at(-1);
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
  balance_asof: optionalText,
});
type TradingAccount = z.infer<typeof tradingAccountSchema>;

async function readAccount(
  alpaca: Alpaca,
  account: Pick<Account, 'id' | 'status'>,
): Promise<{ holding: Holding; measure: Measure }> {
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
  return { holding: { externalId: account.id, amount, updatedAt: answer.balance_asof }, measure };
}

type Measure = 'cash' | 'buying_power';

/** With a multiplier above 1, buying power is credit and not money (API-FACTS.md B.4). */
function measureOf(account: TradingAccount, measure: AlpacaOptions['measure']): Measure {
  if (measure !== 'auto') return measure;
  const multiplier = readAmount(account.multiplier);
  if (multiplier === undefined) throw unclear(account.id, 'has no multiplier that is a plain decimal');
  return multiplier.equals(money('1')) ? 'buying_power' : 'cash';
}

function notFound({ id, status }: Pick<Account, 'id' | 'status'>, { said }: Refusal): Incomplete {
  return new Incomplete(
    `Alpaca lists account ${quote(id)} (${quote(status, 40)}) but does not show its money: ${said}; name it in RECONCILIATION_ALPACA_EXCLUDE if it holds none.`,
  );
}

function unclear(accountId: string, what: string): Incomplete {
  return new Incomplete(`Alpaca could not be read: account ${quote(accountId)} ${what}.`);
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
