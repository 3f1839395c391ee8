import type { CustodianReading, Look } from '../custodians/custodian.ts';
import { within } from '../custodians/moved.ts';
import { query } from '../database/database.ts';
import { Incomplete } from '../incomplete.ts';
import { money, toText, type Money } from '../money.ts';
import { bind, compose, type Params, type Statement } from '../source.ts';
import type { Cut } from './check.ts';

/** What the books say about one custodian, in one snapshot. */
export interface CustodyBooks {
  expected: Money;
  /** Whose each wallet or account is; null: of more than one. */
  owners: ReadonlyMap<string, string | null>;
  /** What each user's part is; empty where the source names only the whole. */
  users: ReadonlyMap<string, Money>;
  /** In the order of their times. */
  movements: readonly BooksMovement[];
}

/** A transaction of the ledger that moved the position. */
export interface BooksMovement {
  transactionId: string;
  userId: string | null;
  /** What it added to the position, negative if it took away. */
  amount: Money;
  pending: boolean;
  createdAt: string;
}

export const custodyStatements = {
  totals: { relations: ['custody_positions'], layers: [], file: 'custody.totals.sql' },
  owners: { relations: ['custody_accounts'], layers: [], file: 'custody.owners.sql' },
  users: { relations: ['custody_positions'], layers: [], file: 'custody.users.sql' },
  movements: { relations: ['custody_movements'], layers: [], file: 'custody.movements.sql' },
} as const satisfies Record<string, Statement>;

/** Reads all of it in the cut. Throws `Incomplete` where the books name no position that could be compared. */
export async function readBooks(
  cut: Cut,
  custodian: string,
  { currency }: Pick<CustodianReading, 'currency'>,
  look: Look,
): Promise<CustodyBooks> {
  const rowsOf = <T extends object>(statement: Statement, params: Partial<Params> = {}) =>
    query<T>(cut.transaction, compose(cut.source, statement), bind({ ...cut.params, ...params }));
  const totals = await rowsOf<PositionRow>(custodyStatements.totals);
  const owners = await rowsOf<{ external_id: string; user_id: string | null }>(custodyStatements.owners);
  const users = await rowsOf<{ user_id: string; expected_value: string }>(custodyStatements.users);
  const movements = await rowsOf<MovementRow>(custodyStatements.movements, { amounts: amountsOf(cut, look) });
  return {
    expected: positionOf(totals, custodian, currency),
    owners: new Map(owners.map((row) => [row.external_id, row.user_id])),
    users: new Map(users.map((row) => [row.user_id, money(row.expected_value)])),
    movements: movements.map(toMovement),
  };
}

/** Of what is under way, and of what came to its end so lately that the books may not know of it yet. */
function amountsOf({ params, config }: Cut, { movements }: Look): string[] {
  const amounts = [...movements.values()]
    .filter(({ underWay, endedAt }) => underWay || within(endedAt, params.as_of, config.gracePeriodMs))
    .map(({ amount }) => amount);
  return [...new Set(amounts.filter((amount) => amount !== undefined).map(toText))];
}

interface PositionRow {
  currency: string;
  positions: string;
  expected_value: string | null;
  incomplete: boolean;
}

/** A position that does not exist is not zero: then nobody knows what to expect. */
function positionOf(rows: readonly PositionRow[], custodian: string, currency: string): Money {
  const [row, ...others] = rows;
  const source = "the source's custody_positions";
  if (row === undefined)
    throw new Incomplete(`The books name no position for ${custodian} (${source}): nothing to compare with.`);
  if (row.expected_value === null || row.incomplete)
    throw new Incomplete(
      `Of the positions that the books name for ${custodian} (${source}) one is null, so that nobody knows what they come to; where it is the balance of an account, ledger_consistency names the account.`,
    );
  if (others.length > 0 || row.currency !== currency)
    throw new Incomplete(
      `custody_positions gives ${rows.map((other) => other.currency).join(' and ')} for ${custodian}, which holds ${currency} only.`,
      78,
    );
  const expected = money(row.expected_value);
  if (!expected.isFinite()) throw new Incomplete(`The position that the books name for ${custodian} is not a number.`);
  return expected;
}

interface MovementRow {
  transaction_id: string;
  user_id: string | null;
  amount: string;
  status: string;
  created_at: string;
}

function toMovement(row: MovementRow): BooksMovement {
  return {
    transactionId: row.transaction_id,
    userId: row.user_id,
    amount: money(row.amount),
    pending: row.status === 'pending',
    createdAt: row.created_at,
  };
}
