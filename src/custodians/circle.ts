import { z } from 'zod';
import { Incomplete } from '../incomplete.ts';
import { sum, toText, zero } from '../money.ts';
import { optionalText } from './amounts.ts';
import { quote } from './answers.ts';
import { type Circle, type CircleOptions, readPages, withCircle } from './circle-client.ts';
import { chainsWithHiddenUsdc } from './circle-monitored.ts';
import {
  chainsOf,
  describeWallets,
  inOurCustody,
  listWallets,
  named,
  type Wallet,
  type Wallets,
  walletSchema,
  walletsToRead,
} from './circle-wallets.ts';
import { forEachConcurrently } from './concurrently.ts';
import { type KnownTokens, lookAtCircle, pastOfCircle } from './circle-movements.ts';
import type { Custodian, CustodianReading, CustodianWorld, Holding, Progress } from './custodian.ts';
import { chainOf, genuineView, type Token } from './usdc.ts';
import { lookAlikesIn, usdcIn } from './usdc-balance.ts';

/** Circle as a check asks for it. */
export function openCircle(options: CircleOptions): Custodian {
  const tokens: KnownTokens = new Map();
  return {
    sweep: (world, progress) => readCircle(options, world, progress),
    reread: (holdings, world, progress) => rereadCircle(options, holdings, world, progress),
    look: (world, since) => lookAtCircle({ options, world, tokens, since }),
    past: (world, from, reach) => pastOfCircle({ options, world, tokens }, from, reach),
  };
}

/**
 * Every developer-controlled wallet of the entity with its genuine USDC, frozen ones too. The wallets are listed twice,
 * without balances (API-FACTS.md A.1) and with them, chain by chain (A.3); both must name the same ones, and a wallet
 * whose USDC the second leaves out is asked for it directly (A.2). The wallets of end users are theirs, not in our
 * custody: they are counted in the details and not read.
 *
 * Throws `Incomplete`, with 77 for a refused key and 78 for a key or wallets of two environments. Rejects with the
 * signal's reason when `world.signal` aborts.
 */
export async function readCircle(
  options: CircleOptions,
  world: CustodianWorld,
  progress: Progress,
): Promise<CustodianReading> {
  const startedAt = world.now();
  const { exclude } = options;
  return withCircle(options, world, async (circle) => {
    const listed = await listWallets(circle);
    const wanted = walletsToRead(listed, exclude);
    world.asking?.listed?.([...wanted.keys()]);
    const sweep = await sweepChains(circle, wanted, progress);
    const created = checkSameWallets(listed, wanted, sweep);
    const hidden = await chainsWithHiddenUsdc(circle, chainsOf(wanted));
    doubtChains(sweep, wanted, hidden);
    await readDirectly(circle, sweep, progress);
    const holdings = [...sweep.held.values()];
    return {
      currency: 'USDC',
      total: sum(holdings.map(({ amount }) => amount)),
      holdings,
      startedAt,
      endedAt: world.now(),
      details: {
        ...describeWallets(listed, wanted, exclude),
        ...describeSweep(wanted, sweep),
        chains_with_hidden_usdc: hidden,
        wallets_created_meanwhile: created.map(({ id }) => quote(id)),
        requests: circle.http.requests,
        retries: circle.http.retries,
        clock_apart_ms: circle.http.clockApartMs,
      },
    };
  });
}

/** Wallets of an earlier reading, each by its own endpoint (API-FACTS.md A.2). */
async function rereadCircle(
  options: CircleOptions,
  holdings: readonly Holding[],
  world: CustodianWorld,
  progress: Progress,
): Promise<Holding[]> {
  return withCircle(options, world, async (circle) => {
    const read: Holding[] = [];
    await forEachConcurrently(holdings, 8, async ({ externalId: id, blockchain = '' }) => {
      read.push(heldIn({ id, blockchain }, await balancesOf(circle, { id, blockchain })));
      progress(read.length);
    });
    return read;
  });
}

type WalletOnChain = Pick<Wallet, 'id' | 'blockchain'>;

const balanceSchema = z.object({
  amount: z.string(),
  updateDate: optionalText,
  token: z.object({
    blockchain: z.string(),
    isNative: z.boolean(),
    tokenAddress: optionalText,
    symbol: optionalText,
    name: optionalText,
    decimals: optionalText,
  }),
});

type ListedBalance = z.infer<typeof balanceSchema>;

const walletsWithBalancesSchema = z.object({
  data: z.object({ wallets: z.array(walletSchema.extend({ tokenBalances: z.array(balanceSchema).nullish() })) }),
});
const balancesSchema = z.object({ data: z.object({ tokenBalances: z.array(balanceSchema).nullish() }) });

/** What the listings with balances said. */
interface Sweep {
  /** Of the wallets that we want, by id. */
  held: Map<string, Holding>;
  /** Wanted, but their USDC was not listed. */
  unanswered: Wallet[];
  /** All wallets that were listed. */
  wallets: Map<string, Wallet>;
  lookAlikes: LookAlikes;
}

/** Reads every chain that a wanted wallet is on, several at a time: a listing can only be followed page by page. */
async function sweepChains(circle: Circle, wanted: Wallets, progress: Progress): Promise<Sweep> {
  const sweep: Sweep = { held: new Map(), unanswered: [], wallets: new Map(), lookAlikes: new Map() };
  await forEachConcurrently(chainsOf(wanted), 4, async (blockchain) => {
    for await (const page of pagesWithBalances(circle, blockchain)) {
      for (const wallet of page) take(wallet, blockchain, wanted, sweep);
      progress(sweep.held.size);
    }
  });
  return sweep;
}

/** What was listed on these chains is asked for again, wallet by wallet. */
function doubtChains(sweep: Sweep, wanted: Wallets, chains: readonly string[]): void {
  for (const wallet of wanted.values())
    if (chains.includes(wallet.blockchain) && sweep.held.delete(wallet.id)) sweep.unanswered.push(wallet);
}

/** Without `tokenAddress` Circle lists native balances only (API-FACTS.md A.3). */
function pagesWithBalances(circle: Circle, blockchain: string) {
  const query = { blockchain, tokenAddress: chainOf(blockchain)?.usdc ?? '' };
  return readPages(circle, '/v1/w3s/developer/wallets/balances', query, walletsWithBalancesSchema, {
    itemsOf: ({ data }) => data.wallets,
    keyOf: ({ id }) => id,
  });
}

type WalletWithBalances = Wallet & { tokenBalances?: ListedBalance[] | null | undefined };

function take(wallet: WalletWithBalances, blockchain: string, wanted: Wallets, sweep: Sweep): void {
  const { tokenBalances, ...plain } = wallet;
  if (wallet.blockchain !== blockchain)
    throw new Incomplete(`Circle could not be read: asked for ${blockchain}, it listed ${named(wallet)}.`);
  sweep.wallets.set(wallet.id, plain);
  if (!wanted.has(wallet.id)) return;
  const balances = tokenBalances ?? [];
  noteLookAlikes(sweep.lookAlikes, wallet, lookAlikesIn(blockchain, balances));
  const holding = holdingOf(wallet, balances);
  if (holding === undefined) sweep.unanswered.push(plain);
  else sweep.held.set(wallet.id, holding);
}

/** A wallet's genuine USDC; undefined if its balances list none. */
function holdingOf({ id, blockchain }: WalletOnChain, balances: readonly ListedBalance[]): Holding | undefined {
  const amount = usdcIn(id, blockchain, balances);
  const dates = balances.filter(({ token }) => genuineView(token, blockchain)).map(({ updateDate }) => updateDate);
  return amount && { externalId: id, amount, blockchain, updatedAt: dates.sort().at(-1) };
}

/** A wallet that was asked directly: only here does an absent token mean zero. */
function heldIn(wallet: WalletOnChain, balances: readonly ListedBalance[]): Holding {
  return holdingOf(wallet, balances) ?? { externalId: wallet.id, amount: zero, blockchain: wallet.blockchain };
}

/**
 * Holds the two listings against each other. A wallet that only the second has was created in between if it is newer
 * than all of the first, by Circle's own clock: it is returned and left out. Every other difference is a listing that
 * lost something, and throws.
 */
function checkSameWallets(listed: Wallets, wanted: Wallets, sweep: Sweep): Wallet[] {
  const missing = [...wanted.values()].filter(({ id }) => !sweep.wallets.has(id));
  const extra = [...sweep.wallets.values()].filter((wallet) => !listed.has(wallet.id) && inOurCustody(wallet));
  const newest = [...listed.values()].reduce((latest, { createDate }) => Math.max(latest, Date.parse(createDate)), 0);
  const lost = extra.filter(({ createDate }) => !(Date.parse(createDate) >= newest));
  const [first] = [...missing, ...lost];
  if (first === undefined) return extra;
  const counts = `${missing.length} only in the one without balances and ${lost.length} only in the one with them`;
  throw new Incomplete(
    `Circle could not be read: its two listings of wallets do not agree (${counts}), for example about ${named(first)}.`,
  );
}

/** Asks every wallet for its USDC whose entry did not show any. */
async function readDirectly(circle: Circle, sweep: Sweep, progress: Progress): Promise<void> {
  await forEachConcurrently(sweep.unanswered, 8, async (wallet) => {
    const balances = await balancesOf(circle, wallet);
    noteLookAlikes(sweep.lookAlikes, wallet, lookAlikesIn(wallet.blockchain, balances));
    sweep.held.set(wallet.id, heldIn(wallet, balances));
    progress(sweep.held.size);
  });
}

/** `includeAll`, or a token that is not monitored would be missing (API-FACTS.md A.0, trap 4). */
async function balancesOf(circle: Circle, { id, blockchain }: WalletOnChain): Promise<ListedBalance[]> {
  const query = { includeAll: 'true', tokenAddress: chainOf(blockchain)?.usdc ?? '' };
  const balances: ListedBalance[] = [];
  const pages = readPages(circle, `/v1/w3s/wallets/${encodeURIComponent(id)}/balances`, query, balancesSchema, {
    itemsOf: ({ data }) => data.tokenBalances ?? [],
    keyOf: (balance) => JSON.stringify(balance),
  });
  for await (const page of pages) balances.push(...page);
  return balances;
}

/** By chain, address, symbol and name, the wallets that hold one. */
type LookAlikes = Map<string, { token: Token; wallets: number }>;

function noteLookAlikes(lookAlikes: LookAlikes, wallet: Wallet, tokens: Token[]): void {
  for (const token of tokens) {
    const key = JSON.stringify([wallet.blockchain, token.tokenAddress, token.symbol, token.name]);
    lookAlikes.set(key, { token, wallets: (lookAlikes.get(key)?.wallets ?? 0) + 1 });
  }
}

function describeSweep(wanted: Wallets, { held, unanswered, lookAlikes }: Sweep): Record<string, unknown> {
  const chains: Record<string, { wallets: number; usdc: string }> = {};
  for (const blockchain of chainsOf(wanted)) {
    const wallets = [...wanted.values()].filter((wallet) => wallet.blockchain === blockchain);
    const usdc = sum(wallets.map(({ id }) => held.get(id)?.amount ?? zero));
    chains[blockchain] = { wallets: wallets.length, usdc: toText(usdc) };
  }
  const tokens = Array.from(lookAlikes.values(), ({ token, wallets }) => ({
    chain: quote(token.blockchain, 40),
    token_address: token.tokenAddress && quote(token.tokenAddress),
    symbol: quote(token.symbol ?? ''),
    wallets,
  }));
  return {
    wallets_read_directly: unanswered.length,
    chains,
    look_alike_tokens: tokens.slice(0, 50),
    look_alike_tokens_found: tokens.length,
  };
}
