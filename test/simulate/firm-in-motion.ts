import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import { money, toText } from '../../src/money.ts';
import type { Custodians } from '../support/custodians.ts';
import type { Account, User } from '../support/ledger.ts';
import type { Random } from '../support/random.ts';

/** The accounts that are booked on. */
export interface Accounts {
  /** What the books say that Circle holds. */
  buffer: Account;
  /** Of every user: what the books say that Alpaca holds, and an account that is no custodian's. */
  exposure: Map<User, Account>;
  usdc: Map<User, Account>;
}

export interface Firm extends Pick<Custodians, 'circle' | 'alpaca'> {
  sql: postgres.Sql;
  users: User[];
  accounts: Accounts;
  random: Random;
}

/** How many movements of each sort have come to their end. */
export interface Done {
  paidOut: number;
  received: number;
  journaled: number;
  /** Between two users, which no custodian sees. */
  internal: number;
}

/**
 * A firm that never stands still, until `signal` aborts: it pays out and receives at Circle and journals at Alpaca,
 * each in steps that the books and the custodian take at different moments, as a host does it; and its users pay each
 * other hundreds of times a second. Resolves when everything that was begun has come to its end.
 */
export async function keepMoving(firm: Firm, signal: AbortSignal): Promise<Done> {
  const done: Done = { paidOut: 0, received: 0, journaled: 0, internal: 0 };
  const repeat = async (what: keyof Done, pauseMs: number, step: (firm: Firm) => Promise<number>) => {
    while (!signal.aborted) {
      await pause(firm, pauseMs);
      done[what] += await step(firm);
    }
  };
  await Promise.all([
    repeat('paidOut', 400, payOut),
    repeat('received', 400, receive),
    repeat('journaled', 250, journal),
    repeat('internal', 100, payEachOther),
  ]);
  return done;
}

/** Up to twice as long, so half of the time in the mean. */
async function pause({ random }: Firm, ms: number): Promise<void> {
  await sleep(random.integer(0, 2 * ms));
}

/** Often the same amount: who is whose twin must not matter. */
function amountOf({ random }: Firm): string {
  return random.chance(0.3) ? '250' : `${random.integer(110, 900)}.${random.integer(100_000, 999_999)}`;
}

/** Booked first, then sent: the books are ahead of Circle. */
async function payOut(firm: Firm): Promise<number> {
  const { circle, random, users, accounts } = firm;
  const [user, amount] = [random.pick(users), amountOf(firm)];
  const sides = [accounts.buffer, accounts.usdc.get(user)!] as const;
  const id = await book(firm, user, 'withdrawal', 'pending', negative(amount), sides);
  await pause(firm, 15);
  const transfer = circle.move(user.walletId, negative(amount), 'INITIATED');
  for (const state of ['SENT', 'CONFIRMED']) {
    await pause(firm, 15);
    circle.book(transfer, state);
  }
  await pause(firm, 15);
  await complete(firm, id);
  await pause(firm, 15);
  circle.book(transfer, 'COMPLETE');
  return 1;
}

/** Arrived first, often final too, then booked: Circle is ahead of the books. */
async function receive(firm: Firm): Promise<number> {
  const { circle, random, users, accounts } = firm;
  const [user, amount] = [random.pick(users), amountOf(firm)];
  const transfer = circle.move(user.walletId, amount, 'CONFIRMED');
  if (random.chance(0.5)) circle.book(transfer, 'COMPLETE');
  await pause(firm, 25);
  await book(firm, user, 'deposit', 'completed', amount, [accounts.buffer, accounts.usdc.get(user)!]);
  await pause(firm, 25);
  circle.book(transfer, 'COMPLETE');
  return 1;
}

async function journal(firm: Firm): Promise<number> {
  const { alpaca, random, users, accounts } = firm;
  const [user, size] = [random.pick(users), amountOf(firm)];
  const amount = random.chance(0.5) ? size : negative(size);
  const sides = [accounts.exposure.get(user)!, accounts.usdc.get(user)!] as const;
  const id = await book(firm, user, 'investment', 'pending', amount, sides);
  await pause(firm, 15);
  const asked = alpaca.journal(user.alpacaAccountId, amount);
  await pause(firm, 25);
  alpaca.execute(asked);
  await pause(firm, 15);
  await complete(firm, id);
  return 1;
}

/** Fifty at once. */
async function payEachOther(firm: Firm): Promise<number> {
  const { random, users, accounts, sql } = firm;
  const [from, to] = [random.pick(users), random.pick(users)].map((user) => accounts.usdc.get(user)!.id);
  await sql`
    with
    posted as (
      insert into ledger_transactions (id, transaction_type, status, idempotency_key, created_at, completed_at)
      select gen_random_uuid(), 'internal_transfer', 'completed', 'internal_' || gen_random_uuid(), now(), now()
      from generate_series(1, 50)
      returning id
    )
    insert into ledger_entries (id, transaction_id, account_id, entry_type, amount, currency, created_at)
    select gen_random_uuid(), posted.id, side.account_id::uuid, side.entry_type, 1.5, 'USDC', now()
    from posted
    cross join (values (${from!}, 'credit'), (${to!}, 'debit')) as side (account_id, entry_type)`;
  return 50;
}

/** One transaction: header, entries, and both balances. `amount` is what the first account gains. */
async function book(
  { sql }: Firm,
  user: User,
  type: string,
  status: string,
  amount: string,
  sides: readonly [Account, Account],
): Promise<string> {
  const id = randomUUID();
  const gains = [amount, negative(amount)] as const;
  await sql.begin(async (transaction) => {
    await transaction`
      insert into ledger_transactions (id, user_id, transaction_type, status, idempotency_key, created_at)
      values (${id}, ${user.id}, ${type}, ${status}, ${id}, now())`;
    for (const [index, { id: accountId, row }] of sides.entries()) {
      const gain = gains[index]!;
      await transaction`
        insert into ledger_entries (id, transaction_id, account_id, entry_type, amount, currency, created_at)
        values (
          gen_random_uuid(), ${id}, ${accountId}, ${gain.startsWith('-') ? 'credit' : 'debit'}, ${gain.replace('-', '')},
          ${row.currency}, now()
        )`;
    }
    for (const index of [sides[0].id < sides[1].id ? 0 : 1, sides[0].id < sides[1].id ? 1 : 0] as const)
      await transaction`
        update ledger_accounts set balance = balance + ${gains[index]}::numeric where id = ${sides[index].id}`;
  });
  return id;
}

async function complete({ sql }: Firm, id: string): Promise<void> {
  await sql`update ledger_transactions set status = 'completed', completed_at = now() where id = ${id}`;
}

function negative(amount: string): string {
  return toText(money(amount).negated());
}
