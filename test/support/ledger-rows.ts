import type postgres from 'postgres';

// Rows of the host's tables (host.sql) as a test writes them. Types, states and amounts are plain text, because tests
// also write what a host would refuse.

export interface UserRow {
  id: string;
  email: string;
  alpaca_account_id: string | null;
  created_at: Date;
}

export interface WalletRow {
  id: string;
  user_id: string;
  chain: string;
  address: string;
  circle_wallet_id: string | null;
  status: string;
  created_at: Date;
}

export interface AccountRow {
  id: string;
  user_id: string | null;
  account_type: string;
  currency: string;
  /** What it holds beside its entries: they are added when they are stored. Other than 0 it is a drifted balance. */
  balance: string;
  created_at: Date;
  updated_at: Date;
}

export interface TransactionRow {
  id: string;
  user_id: string | null;
  transaction_type: string;
  reference_id: string | null;
  reference_type: string | null;
  status: string | null;
  idempotency_key: string | null;
  description: string | null;
  created_at: Date;
  completed_at: Date | null;
}

export interface EntryRow {
  id: string | null;
  transaction_id: string | null;
  account_id: string | null;
  entry_type: string | null;
  amount: string | null;
  currency: string | null;
  created_at: Date;
}

export interface DepositRow {
  id: string;
  user_id: string;
  chain: string;
  tx_hash: string;
  token: string;
  amount: string | null;
  status: string;
  confirmed_at: Date | null;
  off_ramp_initiated_at: Date | null;
  off_ramp_completed_at: Date | null;
  alpaca_funded_at: Date | null;
  created_at: Date;
}

export interface WithdrawalRow {
  id: string;
  user_id: string;
  alpaca_account_id: string | null;
  amount: string | null;
  destination_chain: string;
  destination_address: string;
  status: string;
  tx_hash: string | null;
  created_at: Date;
  updated_at: Date;
  completed_at: Date | null;
}

export interface ConversionJobRow {
  id: string;
  direction: string;
  amount: string | null;
  status: string;
  provider_name: string;
  ledger_transaction_id: string | null;
  source_amount: string | null;
  destination_amount: string | null;
  exchange_rate: string | null;
  fees_paid: string | null;
  submitted_at: Date | null;
  completed_at: Date | null;
  created_at: Date;
}

/** Everything that is to be stored, by table, in an order in which every row finds those that it names. */
export interface HostRows {
  users: UserRow[];
  wallets: WalletRow[];
  ledger_accounts: AccountRow[];
  ledger_transactions: TransactionRow[];
  ledger_entries: EntryRow[];
  deposits: DepositRow[];
  withdrawals: WithdrawalRow[];
  conversion_jobs: ConversionJobRow[];
}

export function noRows(): HostRows {
  return {
    users: [],
    wallets: [],
    ledger_accounts: [],
    ledger_transactions: [],
    ledger_entries: [],
    deposits: [],
    withdrawals: [],
    conversion_jobs: [],
  };
}

/** A pool, or a transaction that the test rolls back. */
export type Sql = postgres.ISql;

const rowsPerStatement = 5000;

/** Stores all rows in few statements, and moves the balances of the accounts that the entries name. */
export async function insertRows(sql: Sql, rows: HostRows): Promise<void> {
  for (const [table, list] of Object.entries(rows) as [keyof HostRows, object[]][]) {
    for (let start = 0; start < list.length; start += rowsPerStatement) {
      await insert(sql, table, list.slice(start, start + rowsPerStatement));
    }
  }
}

async function insert(sql: Sql, table: keyof HostRows, rows: object[]): Promise<void> {
  const columns = sql(Object.keys(rows[0]!));
  const select = sql`select ${columns} from jsonb_populate_recordset(null::${sql(table)}, ${JSON.stringify(rows)}::text::jsonb)`;
  if (table !== 'ledger_entries') await sql`insert into ${sql(table)} (${columns}) ${select}`;
  else await insertEntries(sql, sql`insert into ledger_entries (${columns}) ${select}`);
}

/** A debit raises every balance, as the host's own code does it. */
async function insertEntries(sql: Sql, statement: postgres.PendingQuery<postgres.Row[]>): Promise<void> {
  await sql`
    with entry as (${statement} returning account_id, entry_type, amount),
    moved as (
      select account_id, sum(case entry_type when 'debit' then amount when 'credit' then -amount end) as amount
      from entry
      group by account_id
    )
    update ledger_accounts as account set balance = account.balance + moved.amount
    from moved
    where moved.account_id = account.id and moved.amount is not null`;
}
