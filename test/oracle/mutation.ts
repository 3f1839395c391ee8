import type { Transaction } from '../../src/database/database.ts';
import type { Random } from '../support/random.ts';
import { amount } from './random-books.ts';

/** One fault, as SQL that can be read: what it does to the `row`-th row of a table, in the order of their text. */
export interface Mutation {
  table: string;
  row: number;
  /** `set column = value`, `delete`, or `insert`: the same row once more. */
  action: string;
}

/** The story of a failing seed. */
export function describeMutation({ table, row, action }: Mutation): string {
  return `${table}[${row}] ${action}`;
}

export async function apply(sql: Transaction, { table, row, action }: Mutation): Promise<void> {
  const place = `ctid = (${nth(table, row, 'ctid')})`;
  if (action === 'delete') await sql.unsafe(`delete from ${table} where ${place}`);
  else if (action === 'insert') await sql.unsafe(`insert into ${table} select * from ${table} where ${place}`);
  else await sql.unsafe(`update ${table} set ${action.slice('set '.length)} where ${place}`);
}

/** An expression that picks a row, whatever the number of rows. */
function nth(table: string, row: number, column: string): string {
  return `select ${column} from ${table} order by ${table}::text offset ${row} % greatest((select count(*) from ${table}), 1) limit 1`;
}

export function randomMutation(random: Random): Mutation {
  const table = random.pick(Object.keys(columns));
  const row = random.integer(0, 99);
  if (random.chance(0.08)) return { table, row, action: 'delete' };
  if (random.chance(0.08)) return { table, row, action: 'insert' };
  const [column, values] = random.pick(Object.entries(columns[table]!));
  return { table, row, action: `set ${column} = ${random.pick(values)(random)}` };
}

/** Every fault that there is in a column, each once and in some row. */
export function everyMutation(random: Random): Mutation[] {
  return Object.entries(columns).flatMap(([table, ofTable]) =>
    Object.entries(ofTable).flatMap(([column, values]) =>
      values.map((value) => ({ table, row: random.integer(0, 99), action: `set ${column} = ${value(random)}` })),
    ),
  );
}

type Value = (random: Random) => string;

const none: Value = () => 'null';
const words = (...choices: string[]): Value[] => choices.map((word) => () => `'${word}'`);
const id =
  (table: string): Value =>
  (random) =>
    `(${nth(table, random.integer(0, 99), 'id')})`;
const unknownId: Value = (random) => `'${random.uuid()}'`;
const money: Value[] = [
  (random) => amount(random),
  (random) => amount(random),
  () => '0',
  () => "'NaN'",
  () => "'Infinity'",
  () => "'-Infinity'",
  () => '-7.5',
  none,
];
const changed = (column: string): Value[] => [
  () => `${column} + 0.000000000000000001`,
  () => `${column} * 2`,
  () => `-${column}`,
  ...money,
];
const times: Value[] = [
  ...['5 minutes', '24 hours', '72 hours', '1 minute', '299.999999 seconds'].map(
    (ago) => () => `timestamptz '2026-03-01 12:00Z' - interval '${ago}'`,
  ),
  ...['5 minutes', '300.000001 seconds', '70 years'].map(
    (ahead) => () => `timestamptz '2026-03-01 12:00Z' + interval '${ahead}'`,
  ),
  none,
];
const timesWithoutZone: Value[] = times.map(
  (time) => (random) => (time === none ? 'null' : `(${time(random)}) at time zone 'UTC'`),
);
const users: Value[] = [id('users'), id('users'), none, unknownId];

/** What may go wrong, by table and column. */
const columns: Record<string, Record<string, Value[]>> = {
  ledger_accounts: {
    balance: changed('balance'),
    user_id: users,
    account_type: words('usdc_balance', 'stash_balance', 'system_buffer_usdc'),
    currency: [...words('USD', 'EUR'), none],
    id: [none, unknownId, id('ledger_accounts')],
  },
  ledger_transactions: {
    status: [...words('pending', 'completed', 'reversed', 'failed', 'on_hold'), none],
    transaction_type: [
      ...words('deposit', 'withdrawal', 'conversion', 'investment', 'reversal', 'internal_transfer'),
      none,
    ],
    reference_id: [
      id('deposits'),
      id('withdrawals'),
      id('conversion_jobs'),
      id('ledger_transactions'),
      id('ledger_transactions'),
      none,
      unknownId,
    ],
    reference_type: [
      ...words('DEPOSIT', 'Withdrawal', 'conversion_job', 'allocation_split', 'reversal', 'transaction', 'order'),
      none,
    ],
    idempotency_key: [() => "'migration_x'", none],
    created_at: times,
    user_id: users,
    id: [none, unknownId],
  },
  ledger_entries: {
    amount: changed('amount'),
    entry_type: [...words('debit', 'credit', 'debit', 'credit', 'sideways'), none],
    currency: [...words('USD', 'USDC', 'EUR'), none],
    account_id: [id('ledger_accounts'), id('ledger_accounts'), none, unknownId],
    transaction_id: [id('ledger_transactions'), id('ledger_transactions'), none, unknownId],
    created_at: times,
    id: [none, id('ledger_entries')],
  },
  deposits: {
    amount: changed('amount'),
    status: [...words('pending', 'completed', 'failed', 'on_hold'), none],
    token: [...words('usdc', 'EURC'), none],
    user_id: users,
    created_at: times,
    alpaca_funded_at: times,
    id: [none, unknownId, id('deposits')],
  },
  withdrawals: {
    amount: changed('amount'),
    status: [...words('processing', 'completed', 'failed', 'on_hold'), none],
    user_id: users,
    created_at: timesWithoutZone,
    completed_at: timesWithoutZone,
    id: [none, unknownId, id('withdrawals')],
  },
  conversion_jobs: {
    source_amount: changed('source_amount'),
    destination_amount: changed('destination_amount'),
    exchange_rate: [() => '0.5', () => '0', none],
    fees_paid: [() => '0.25', none],
    direction: [...words('usdc_to_usd', 'usd_to_usdc', 'sideways'), none],
    status: [...words('pending', 'completed', 'cancelled', 'on_hold'), none],
    ledger_transaction_id: [id('ledger_transactions'), none, unknownId],
    created_at: timesWithoutZone,
    completed_at: timesWithoutZone,
    id: [none, unknownId, id('conversion_jobs')],
  },
};
