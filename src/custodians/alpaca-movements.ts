import { z } from 'zod';
import type { Money } from '../money.ts';
import { type Alpaca, ask, get } from './alpaca-client.ts';
import { optionalText, optionalTime, readAmount } from './amounts.ts';
import { endpointOf, urlOf } from './answers.ts';
import { byOurClock } from './clock.ts';
import { forEachConcurrently } from './concurrently.ts';
import { type CustodianWorld, keyOf, type Look, type Movement } from './custodian.ts';

/** A journal moves cash when it is executed; `correct` undid one (API-FACTS.md B.6). */
const journalStatesUnderWay = ['queued', 'sent_to_clearing', 'pending'];
const unbookedJournalStates = [...journalStatesUnderWay, 'refused', 'rejected', 'canceled', 'deleted', 'correct'];
const bookedTransferStates = ['COMPLETE', 'SETTLED'];
const finalTransferStates = [...bookedTransferStates, 'REJECTED', 'CANCELED', 'RETURNED', 'EXPIRED'];

const clockSchema = z.object({
  timestamp: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}T/)
    .refine((text) => !Number.isNaN(Date.parse(text))),
});
const journalsSchema = z.array(
  z.object({
    id: z.string().min(1),
    status: z.string(),
    from_account: z.string(),
    to_account: z.string(),
    net_amount: optionalText,
    created_at: optionalTime,
  }),
);
const transfersSchema = z.array(
  z.object({
    id: z.string().min(1),
    status: z.string(),
    direction: z.string(),
    amount: optionalText,
    created_at: optionalTime,
    updated_at: optionalTime,
  }),
);
const activitiesSchema = z.array(
  z.object({ id: z.string().min(1), account_id: z.string(), activity_type: z.string(), net_amount: optionalText }),
);

/**
 * What moves cash at Alpaca (API-FACTS.md B.6): the journals and the activities of all accounts since two days
 * before the first look, by Alpaca's clock; the journals under way, however old; and the transfers of the accounts in `about`,
 * because only an account can be asked for those.
 */
export async function lookAtAlpaca(
  alpaca: Alpaca,
  world: CustodianWorld,
  since: string | undefined,
  about: readonly string[],
): Promise<Look> {
  const today = await todayAt(alpaca, world);
  const from = since ?? dayAfter(today, -2); // of the day before, `reach` may be an hour or two ahead of us
  const journals = await journalsUnderWay(alpaca);
  journals.push(...(await journalsOf(alpaca, { after: from })));
  const activities = await activitiesBetween(alpaca, from, dayAfter(today, 1));
  const transfers = await transfersOf(alpaca, about, from);
  const ours = oursOf(alpaca, [...journals, ...withoutTold(activities, transfers), ...transfers]);
  return {
    movements: new Map(ours.map((movement) => [keyOf(movement), movement])),
    since: from,
    // whether `after` includes its day is not said, and the next one begins at midnight in New York at the latest
    reach: `${dayAfter(from, 1)}T05:00:00Z`,
  };
}

/** By a clock that is wrong, a movement would be looked for where there is none. */
async function todayAt(alpaca: Alpaca, { now }: CustodianWorld): Promise<string> {
  const askedAt = now();
  const { data, kept } = await ask(alpaca, '/v1/clock', {}, clockSchema);
  const { timestamp } = data;
  alpaca.http.holdClock(endpointOf(urlOf(alpaca.options, '/v1/clock')), timestamp, askedAt, kept);
  return timestamp.slice(0, 10);
}

/** The journals and activities of those days, and of two more before them: where a day begins is not said. */
export async function pastOfAlpaca(alpaca: Alpaca, from: string, reach: string): Promise<Movement[]> {
  const [first, last] = [dayAfter(from.slice(0, 10), -2), dayAfter(reach.slice(0, 10), 1)];
  const journals = await journalsOf(alpaca, { after: first, before: last });
  const past = [...journals, ...(await activitiesBetween(alpaca, first, last))];
  return oursOf(alpaca, past).filter(({ underWay }) => !underWay);
}

function oursOf({ http, options }: Alpaca, movements: readonly Movement[]): Movement[] {
  const ours = movements.filter(({ externalId }) => !options.exclude.has(externalId));
  const apartMs = http.clockApartMs ?? 0;
  return ours.map((movement) => byOurClock(movement, apartMs));
}

function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** To be asked before those of a time: one that is executed in between is then in the second list. */
async function journalsUnderWay(alpaca: Alpaca): Promise<Movement[]> {
  const movements: Movement[] = [];
  for (const status of journalStatesUnderWay) movements.push(...(await journalsOf(alpaca, { status })));
  return movements;
}

async function journalsOf(alpaca: Alpaca, query: Record<string, string>): Promise<Movement[]> {
  const journals = await get(alpaca, '/v1/journals', { entry_type: 'JNLC', ...query }, journalsSchema);
  return journals.flatMap(bothSidesOf);
}

function bothSidesOf(journal: z.infer<typeof journalsSchema>[number]): Movement[] {
  const { id, status, from_account: from, to_account: to, created_at: createdAt } = journal;
  const amount = readAmount(journal.net_amount);
  const shared = {
    of: 'journal' as const,
    id,
    state: status,
    booked: status === 'executed' ? true : unbookedJournalStates.includes(status) ? false : undefined,
    underWay: journalStatesUnderWay.includes(status),
    createdAt,
    endedAt: status === 'executed' ? createdAt : undefined, // it says no later time, and is executed within moments
  };
  return [
    { ...shared, externalId: from, amount: amount?.negated() },
    { ...shared, externalId: to, amount },
  ];
}

/** All of a day come in one answer. They carry that day and no time, and may be written late: none is new by its date. */
async function activitiesBetween(alpaca: Alpaca, first: string, last: string): Promise<Movement[]> {
  const movements: Movement[] = [];
  for (let date = first; date <= last; date = dayAfter(date, 1))
    for (const activity of await get(alpaca, '/v1/accounts/activities', { date }, activitiesSchema))
      movements.push({
        of: 'activity',
        id: activity.id,
        externalId: activity.account_id,
        amount: amountOf(activity),
        state: activity.activity_type,
        booked: true,
        underWay: false,
        createdAt: undefined,
        endedAt: undefined,
      });
  return movements;
}

/** The amount of a journal is told by the journal. */
function amountOf({ activity_type: type, net_amount: amount }: z.infer<typeof activitiesSchema>[number]) {
  return type === 'JNLC' ? undefined : readAmount(amount);
}

/** The amount of a transfer is told by the transfer, where that is listed: it also says when. */
function withoutTold(activities: readonly Movement[], transfers: readonly Movement[]): Movement[] {
  const booked = transfers.filter((transfer) => transfer.booked);
  return activities.map((activity) => {
    const { externalId, amount, state } = activity;
    if (!['CSD', 'CSW'].includes(state) || amount === undefined) return activity;
    const index = booked.findIndex((transfer) => transfer.externalId === externalId && transfer.amount?.equals(amount));
    if (index === -1) return activity;
    booked.splice(index, 1);
    return { ...activity, amount: undefined };
  });
}

/**
 * What is under way, and what was booked since that day. Whether cash shows an incoming transfer before it is complete,
 * Alpaca does not say (API-FACTS.md B.6): we take it that it does not.
 */
async function transfersOf(alpaca: Alpaca, accounts: readonly string[], since: string): Promise<Movement[]> {
  const movements: Movement[] = [];
  await forEachConcurrently(accounts, 8, async (externalId) => {
    for (const transfer of await allTransfers(alpaca, externalId)) {
      const { id, status, direction, amount, created_at: createdAt, updated_at: updatedAt } = transfer;
      const booked = bookedTransferStates.includes(status);
      const underWay = !finalTransferStates.includes(status);
      if (!underWay && !(booked && (updatedAt ?? '') >= since)) continue;
      const shared = { of: 'transfer' as const, id, externalId, booked, underWay, createdAt };
      const endedAt = underWay ? undefined : updatedAt;
      movements.push({ ...shared, state: status, amount: signed(readAmount(amount), direction), endedAt });
    }
  });
  return movements;
}

function signed(amount: Money | undefined, direction: string): Money | undefined {
  if (amount === undefined || amount.isNegative()) return undefined;
  if (direction === 'INCOMING') return amount;
  return direction === 'OUTGOING' ? amount.negated() : undefined;
}

const transfersPerPage = 100;

/** What `limit` may be at most is not said: the listing is over when a page brings nothing. */
async function allTransfers(alpaca: Alpaca, accountId: string) {
  const transfers = new Map<string, z.infer<typeof transfersSchema>[number]>();
  const path = `/v1/accounts/${encodeURIComponent(accountId)}/transfers`;
  for (;;) {
    const query = { limit: String(transfersPerPage), offset: String(transfers.size) };
    const known = transfers.size;
    for (const transfer of await get(alpaca, path, query, transfersSchema)) transfers.set(transfer.id, transfer);
    if (transfers.size === known) return transfers.values();
  }
}
