import { z } from 'zod';
import { Incomplete } from '../incomplete.ts';
import { type Money, sum, zero } from '../money.ts';
import { optionalText, optionalTime, readAmount } from './amounts.ts';
import { endpointOf, Refusal, urlOf } from './answers.ts';
import { type Circle, type CircleOptions, readOne, readPages, withCircle } from './circle-client.ts';
import { byOurClock } from './clock.ts';
import { type CustodianWorld, keyOf, type Look, type Movement } from './custodian.ts';
import { genuineView } from './usdc.ts';

/** Of the tokens that were asked for so far: whether they are genuine USDC. */
export type KnownTokens = Map<string, Promise<boolean>>;

/** Where a transaction is not at its end yet, in the order of its life, so that none slips from one list to another. */
const statesUnderWay = ['INITIATED', 'CLEARED', 'QUEUED', 'STUCK', 'SENT', 'CONFIRMED'];
/** A balance changes when a transfer is in a block, before that is final (API-FACTS.md A.2, A.4). */
const bookedStates = ['CONFIRMED', 'COMPLETE'];
const unbookedStates = ['INITIATED', 'CLEARED', 'QUEUED', 'STUCK', 'SENT', 'CANCELLED', 'FAILED', 'DENIED'];
const finalStates = ['COMPLETE', 'CANCELLED', 'FAILED', 'DENIED'];

/** How far a first look goes back: for what is booked here and not yet in the books, and for what that is told from. */
const lookBackMs = 2 * 3_600_000;

const transactionSchema = z.object({
  id: z.string().min(1),
  state: z.string(),
  blockchain: z.string(),
  transactionType: z.string(),
  createDate: z.string().refine((text) => !Number.isNaN(Date.parse(text))),
  updateDate: optionalTime,
  walletId: optionalText,
  tokenId: optionalText,
  amounts: z.array(z.string()).nullish(),
});
type Transaction = z.infer<typeof transactionSchema>;
const transactionsSchema = z.object({ data: z.object({ transactions: z.array(transactionSchema) }) });

const tokenSchema = z.object({
  data: z.object({
    token: z.object({ blockchain: z.string(), isNative: z.boolean(), tokenAddress: optionalText }),
  }),
});

interface CircleLook {
  options: CircleOptions;
  world: CustodianWorld;
  tokens: KnownTokens;
  since: string | undefined;
}

/**
 * The transactions of our wallets (API-FACTS.md A.4): all that are under way, however old, and all that were created
 * since two hours before the newest one of the first look, by Circle's clock and not by ours.
 */
export async function lookAtCircle({ options, world, tokens, since }: CircleLook): Promise<Look> {
  return withCircle(options, world, async (circle) => {
    const found = new Map<string, Transaction>();
    for (const state of statesUnderWay)
      for await (const page of pagesOf(circle, { state })) for (const one of page) found.set(one.id, one);
    const recent = await recentTransactions(circle, since, world.now());
    for (const one of recent.transactions) found.set(one.id, one);
    const movements = await movementsOf(circle, tokens, found.values());
    return {
      movements: new Map(movements.map((movement) => [keyOf(movement), movement])),
      since: recent.since,
      reach: recent.since,
    };
  });
}

/** The transactions of our wallets that came to their end, of those that were created in that time. */
export async function pastOfCircle(
  { options, world, tokens }: Omit<CircleLook, 'since'>,
  from: string,
  to: string,
): Promise<Movement[]> {
  return withCircle(options, world, async (circle) => {
    const found: Transaction[] = [];
    for await (const page of pagesOf(circle, { order: 'ASC', from, to })) found.push(...page);
    const movements = await movementsOf(circle, tokens, found);
    return movements.filter(({ underWay }) => !underWay);
  });
}

async function movementsOf(circle: Circle, tokens: KnownTokens, found: Iterable<Transaction>): Promise<Movement[]> {
  const { exclude } = circle.options;
  const ours = [...found].filter(({ walletId }) => walletId !== undefined && !exclude.has(walletId));
  const movements = await Promise.all(ours.map((transaction) => toMovement(circle, tokens, transaction)));
  const apartMs = circle.http.clockApartMs ?? 0;
  return movements.map((movement) => byOurClock(movement, apartMs));
}

/** Newest first, and no further than we want to see: `since`, or two hours before the newest one that is not of a future. */
async function recentTransactions(circle: Circle, since: string | undefined, now: Date) {
  const transactions: Transaction[] = [];
  let from = since;
  for await (const page of pagesOf(circle, { order: 'DESC' })) {
    if (page.some(({ createDate }, index) => Date.parse(createDate) > Date.parse(page[index - 1]?.createDate ?? '')))
      throw new Incomplete(
        `Circle could not be read: ${endpointOf(urlOf(circle.options, transactionsPath))} does not begin with the newest, so nobody can tell where to stop.`,
      );
    from ??= page[0] && wellBefore(page[0], now);
    transactions.push(...page);
    if (page.some(({ createDate }) => Date.parse(createDate) < Date.parse(from ?? ''))) break;
  }
  return { transactions, since: from ?? new Date(0).toISOString() };
}

function wellBefore({ createDate }: Transaction, now: Date): string {
  return new Date(Math.min(Date.parse(createDate), now.getTime()) - lookBackMs).toISOString();
}

const transactionsPath = '/v1/w3s/transactions';

/** `includeAll`, or transactions of tokens that are not monitored would be missing (API-FACTS.md A.0, trap 4). */
function pagesOf(circle: Circle, query: Record<string, string>) {
  const all = { custodyType: 'DEVELOPER', includeAll: 'true', ...query };
  return readPages(circle, transactionsPath, all, transactionsSchema, {
    itemsOf: ({ data }) => data.transactions,
    keyOf: ({ id }) => id,
  });
}

async function toMovement(circle: Circle, tokens: KnownTokens, transaction: Transaction): Promise<Movement> {
  const { id, state, walletId = '', createDate, updateDate } = transaction;
  const underWay = !finalStates.includes(state);
  return {
    of: 'transaction',
    id,
    externalId: walletId,
    amount: await amountOf(circle, tokens, transaction),
    state,
    booked: bookedStates.includes(state) ? true : unbookedStates.includes(state) ? false : undefined,
    underWay,
    createdAt: createDate,
    endedAt: underWay ? undefined : updateDate, // nothing changes after that
  };
}

/** Nothing for other tokens. A contract that is executed may move USDC without a word about it (API-FACTS.md A.4). */
async function amountOf(circle: Circle, tokens: KnownTokens, transaction: Transaction): Promise<Money | undefined> {
  const { amounts, tokenId, transactionType } = transaction;
  const read = (amounts ?? []).map(readAmount).filter((part) => part?.isNegative() === false);
  if (tokenId === undefined || read.length === 0 || read.length !== amounts?.length) return undefined;
  if (!(await isUsdc(circle, tokens, tokenId))) return zero;
  const amount = sum(read.filter((part) => part !== undefined));
  if (transactionType === 'INBOUND') return amount;
  return transactionType === 'OUTBOUND' ? amount.negated() : undefined;
}

/** Anybody may send worthless tokens to our wallets: the run says so, instead of asking for them until its time is up. */
const tokensMax = 2_000;

/** A transaction names its token by Circle's id only. */
async function isUsdc(circle: Circle, tokens: KnownTokens, id: string): Promise<boolean> {
  let known = tokens.get(id);
  if (known === undefined) {
    if (tokens.size >= tokensMax)
      throw new Incomplete(
        `Circle could not be read: its latest transactions name more than ${tokensMax} tokens, and each takes a request of its own. Somebody may be flooding the wallets with them; run again an hour after it stops.`,
      );
    known = askForToken(circle, id);
    tokens.set(id, known);
  }
  return known;
}

async function askForToken(circle: Circle, id: string): Promise<boolean> {
  try {
    const { data } = await readOne(circle, `/v1/w3s/tokens/${encodeURIComponent(id)}`, tokenSchema);
    return genuineView(data.token, data.token.blockchain) !== undefined;
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return false;
    throw error;
  }
}
