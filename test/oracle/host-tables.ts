import { Decimal } from 'decimal.js';
import type { Transaction } from '../../src/database/database.ts';

/** Exact for whatever a test puts into a table; NaN and the infinities add up as they do in PostgreSQL. */
export const Exact = Decimal.clone({ precision: 300, toExpNeg: -9e15, toExpPos: 9e15 });
export type Amount = Decimal;

/** A row with every value as PostgreSQL prints it, and times in microseconds since 1970. */
type Row<Text extends string, Time extends string> = Record<Text, string | null> & Record<Time, number | null>;

export type AccountRow = Row<'id' | 'user_id' | 'account_type' | 'currency' | 'balance', never>;
export type HeaderRow = Row<
  'id' | 'user_id' | 'transaction_type' | 'reference_id' | 'reference_type' | 'status' | 'idempotency_key',
  'created_at'
>;
export type EntryRow = Row<'id' | 'transaction_id' | 'account_id' | 'entry_type' | 'amount' | 'currency', 'created_at'>;
export type DepositRow = Row<
  'id' | 'user_id' | 'token' | 'amount' | 'status',
  'confirmed_at' | 'off_ramp_completed_at' | 'alpaca_funded_at' | 'created_at'
>;
export type WithdrawalRow = Row<'id' | 'user_id' | 'amount' | 'status', 'completed_at' | 'created_at'>;
export type JobRow = Row<
  | 'id'
  | 'direction'
  | 'amount'
  | 'status'
  | 'ledger_transaction_id'
  | 'source_amount'
  | 'destination_amount'
  | 'exchange_rate'
  | 'fees_paid',
  'completed_at' | 'created_at'
>;

/** Everything that the host stores, in memory. */
export interface Host {
  accounts: AccountRow[];
  headers: HeaderRow[];
  entries: EntryRow[];
  deposits: DepositRow[];
  withdrawals: WithdrawalRow[];
  jobs: JobRow[];
}

export async function loadHost(sql: Transaction): Promise<Host> {
  return {
    accounts: await load(sql, 'ledger_accounts', ['id', 'user_id', 'account_type', 'currency', 'balance'], []),
    headers: await load(
      sql,
      'ledger_transactions',
      ['id', 'user_id', 'transaction_type', 'reference_id', 'reference_type', 'status', 'idempotency_key'],
      ['created_at'],
    ),
    entries: await load(
      sql,
      'ledger_entries',
      ['id', 'transaction_id', 'account_id', 'entry_type', 'amount', 'currency'],
      ['created_at'],
    ),
    deposits: await load(
      sql,
      'deposits',
      ['id', 'user_id', 'token', 'amount', 'status'],
      ['confirmed_at', 'off_ramp_completed_at', 'alpaca_funded_at', 'created_at'],
    ),
    withdrawals: await load(sql, 'withdrawals', ['id', 'user_id', 'amount', 'status'], ['completed_at', 'created_at']),
    jobs: await load(
      sql,
      'conversion_jobs',
      [
        'id',
        'direction',
        'amount',
        'status',
        'ledger_transaction_id',
        'source_amount',
        'destination_amount',
        'exchange_rate',
        'fees_paid',
      ],
      ['completed_at', 'created_at'],
    ),
  };
}

async function load<Text extends string, Time extends string>(
  sql: Transaction,
  table: string,
  texts: Text[],
  times: Time[],
): Promise<Row<Text, Time>[]> {
  const columns = [
    ...texts.map((name) => `${name}::text`),
    ...times.map((name) => `(extract(epoch from ${name}) * 1000000)::bigint::text as ${name}`),
  ];
  const rows = await sql.unsafe<Record<string, string | null>[]>(`select ${columns.join(', ')} from ${table}`);
  return rows.map((row) => {
    const numbers = times.map((name) => [name, typeof row[name] === 'string' ? Number(row[name]) : null]);
    return { ...row, ...Object.fromEntries(numbers) } as Row<Text, Time>;
  });
}

/** Sum of the amounts that are there; null if none is. */
export function total(amounts: (string | null)[]): Amount | null {
  let sum: Amount | null = null;
  for (const amount of amounts) if (amount !== null) sum = (sum ?? new Exact(0)).plus(amount);
  return sum;
}

export function totalOrZero(amounts: (string | null)[]): Amount {
  return total(amounts) ?? new Exact(0);
}

/** NaN is the largest, as in PostgreSQL. */
export function larger(left: Amount, right: Amount): Amount {
  if (left.isNaN() || right.isNaN()) return new Exact(NaN);
  return left.gte(right) ? left : right;
}

/** NaN equals NaN, as in PostgreSQL. */
export function same(left: Amount, right: Amount): boolean {
  return left.eq(right) || (left.isNaN() && right.isNaN());
}

export function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
