import { readFile } from 'node:fs/promises';
import { money, toText } from '../../src/money.ts';
import {
  insertRows,
  noRows,
  type AccountRow,
  type ConversionJobRow,
  type DepositRow,
  type EntryRow,
  type HostRows,
  type Sql,
  type TransactionRow,
  type WithdrawalRow,
} from './ledger-rows.ts';
import { Random } from './random.ts';

export interface User {
  id: string;
  /** The Circle wallet that receives the user's deposits. */
  walletId: string;
  alpacaAccountId: string;
}

/** `subject` is what a finding about it names. The row may be changed until it is saved. */
interface Stored<Row> {
  id: string;
  subject: string;
  row: Row;
}

export type Account = Stored<AccountRow>;

export interface Transaction extends Stored<TransactionRow> {
  entries: EntryRow[];
}

/** A deposit, a withdrawal or a conversion job, with the transaction that books it. */
export interface Booked<Row> extends Stored<Row> {
  /** Null if nothing was posted. */
  transaction: Transaction | null;
}

/** One side of a transaction: `debit(account, '5')`, `credit(account, '5')`. */
export interface Side {
  entry_type: string;
  account: Account;
  amount: string;
  currency: string;
}

export interface When {
  /** When it was booked, or a record got its status, before the builder's `now`; an hour if left out. */
  minutesAgo?: number;
}

export interface TransactionOptions extends When {
  type: string;
  entries: Side[];
  status?: string;
  user?: User | null;
  reference?: { id: string | null; type: string | null };
  idempotencyKey?: string;
}

export interface RecordOptions extends When {
  status?: string;
  /** How much earlier the record was created. */
  settledAfterMinutes?: number;
  /** Whether the ledger booked it; by default a record that moved money is posted. */
  post?: boolean;
  /** What the ledger booked, if not the record's amount. */
  postedAmount?: string;
  postedTo?: User;
}

export interface ConversionOptions extends RecordOptions {
  rate?: string;
  fees?: string;
  /** What arrives; what rate and fees make of the amount if left out. */
  destinationAmount?: string;
}

export type AccountType =
  'usdc_balance' | 'fiat_exposure' | 'pending_investment' | 'spending_balance' | 'stash_balance';
export type SystemAccountType = 'system_buffer_usdc' | 'system_buffer_fiat' | 'broker_operational';

const dollarAccounts = ['fiat_exposure', 'system_buffer_fiat', 'broker_operational'];
const unpostedStates = ['pending', 'initiated', 'failed', 'reversed', 'timeout', 'cancelled'];
const unpostedJobStates = ['provider_submitted', 'provider_processing', 'provider_completed'];

export function debit(account: Account, amount: string, currency = account.row.currency): Side {
  return { entry_type: 'debit', account, amount, currency };
}

export function credit(account: Account, amount: string, currency = account.row.currency): Side {
  return { entry_type: 'credit', account, amount, currency };
}

/**
 * Writes the host's books in the host's words: collects rows in memory, then `await ledger.save(sql)` stores them and
 * moves the balances. What it returns may be changed until then (`deposit.row.status = 'on_hold'`); after a save it
 * may go on. It checks nothing: faulty books are what it is for.
 */
export class LedgerBuilder {
  /** Moves on where a test plays through more than one moment. */
  now: Date;
  readonly random: Random;
  #rows: HostRows = noRows();
  readonly #accounts = new Map<string, Account>();

  /** Everything happens relative to `now`. The same `seed` gives the same ids; without one they are new each time. */
  constructor(options: { now: Date; seed?: number }) {
    this.now = options.now;
    this.random = new Random(options.seed ?? Math.floor(Math.random() * 2 ** 32));
  }

  /** Stores what was collected since the last save. */
  async save(sql: Sql): Promise<void> {
    const rows = this.#rows;
    this.#rows = noRows();
    await insertRows(sql, rows);
  }

  user(): User {
    const user = { id: this.random.uuid(), walletId: this.random.uuid(), alpacaAccountId: this.random.uuid() };
    const created_at = this.minutesAgo(60 * 24 * 60);
    const email = `${user.id.slice(0, 8)}@example.com`;
    this.#rows.users.push({ id: user.id, email, alpaca_account_id: user.alpacaAccountId, created_at });
    this.#rows.wallets.push({
      id: this.random.uuid(),
      user_id: user.id,
      chain: 'BASE',
      address: `0x${this.random.hex(40)}`,
      circle_wallet_id: user.walletId,
      status: 'live',
      created_at,
    });
    return user;
  }

  /** The user's account of that type, opened if there is none yet. */
  account(user: User, type: AccountType): Account {
    return this.#accountOf(user.id, type);
  }

  systemAccount(type: SystemAccountType): Account {
    return this.#accountOf(null, type);
  }

  /** A further account, whether there is one or not. */
  openAccount(user: User | null, type: AccountType | SystemAccountType): Account {
    const id = this.random.uuid();
    const created_at = this.minutesAgo(60 * 24 * 60);
    const currency = dollarAccounts.includes(type) ? 'USD' : 'USDC';
    const row = { id, user_id: user?.id ?? null, account_type: type, currency, balance: '0' };
    const account = { id, subject: `account:${id}`, row: { ...row, created_at, updated_at: created_at } };
    this.#rows.ledger_accounts.push(account.row);
    return account;
  }

  transaction(options: TransactionOptions): Transaction {
    const id = this.random.uuid();
    const status = options.status ?? 'completed';
    const created_at = this.minutesAgo(options.minutesAgo ?? 60);
    const row: TransactionRow = {
      id,
      user_id: options.user?.id ?? null,
      transaction_type: options.type,
      reference_id: options.reference?.id ?? null,
      reference_type: options.reference?.type ?? null,
      status,
      idempotency_key: options.idempotencyKey ?? `${options.type}_${id}`,
      description: null,
      created_at,
      completed_at: status === 'pending' || status === 'failed' ? null : created_at,
    };
    this.#rows.ledger_transactions.push(row);
    const entries = options.entries.map((side) => this.entry(side, id, created_at));
    return { id, subject: `transaction:${id}`, row, entries };
  }

  /** An entry by itself, also of a transaction that does not exist. */
  entry(side: Side, transactionId: string | null, created_at = this.now): EntryRow & { id: string } {
    const { account, ...amount } = side;
    const row = {
      id: this.random.uuid(),
      transaction_id: transactionId,
      account_id: account.id,
      ...amount,
      created_at,
    };
    this.#rows.ledger_entries.push(row);
    return row;
  }

  /** USDC arrived on the chain: debits the user's usdc_balance and credits system_buffer_usdc, from `confirmed` on. */
  deposit(user: User, amount: string, options: RecordOptions = {}): Booked<DepositRow> {
    const { id, row } = this.#depositRow(user, amount, options);
    if (!isPosted(row.status, options)) return { id, subject: `deposit:${id}`, row, transaction: null };
    const posted = options.postedAmount ?? amount;
    const owner = options.postedTo ?? user;
    const entries = [debit(this.account(owner, 'usdc_balance'), posted), credit(this.#buffer(), posted)];
    const transaction = this.#posting('deposit', 'deposit', owner, id, options, entries);
    return { id, subject: `deposit:${id}`, row, transaction };
  }

  /** A deposit booked in three legs, over the user's spending and stash accounts. */
  allocationSplit(user: User, spending: string, stash: string, options: RecordOptions = {}): Booked<DepositRow> {
    const amount = toText(money(spending).plus(money(stash)));
    const { id, row } = this.#depositRow(user, amount, options);
    const entries = [
      debit(this.account(user, 'spending_balance'), spending),
      debit(this.account(user, 'stash_balance'), stash),
      credit(this.#buffer(), amount),
    ];
    const transaction = this.#posting('deposit', 'allocation_split', user, id, options, entries);
    return { id, subject: `deposit:${id}`, row, transaction };
  }

  /** Books a deposit once more, or one that was not posted. */
  postDeposit(user: User, depositId: string, amount: string, options: RecordOptions = {}): Transaction {
    const entries = [debit(this.account(user, 'usdc_balance'), amount), credit(this.#buffer(), amount)];
    return this.#posting('deposit', 'deposit', user, depositId, options, entries);
  }

  /** USDC is paid out: credits the user's usdc_balance and debits system_buffer_usdc. */
  withdrawal(user: User, amount: string, options: RecordOptions = {}): Booked<WithdrawalRow> {
    const { id, row } = this.#withdrawalRow(user, amount, options);
    if (!isPosted(row.status, options)) return { id, subject: `withdrawal:${id}`, row, transaction: null };
    const transaction = this.postWithdrawal(options.postedTo ?? user, id, options.postedAmount ?? amount, options);
    return { id, subject: `withdrawal:${id}`, row, transaction };
  }

  postWithdrawal(user: User, withdrawalId: string, amount: string, options: RecordOptions = {}): Transaction {
    const entries = [credit(this.account(user, 'usdc_balance'), amount), debit(this.#buffer(), amount)];
    return this.#posting('withdrawal', 'withdrawal', user, withdrawalId, options, entries);
  }

  /** Treasury trades one system buffer for the other, for many users at once. */
  conversionJob(
    direction: 'usdc_to_usd' | 'usd_to_usdc',
    amount: string,
    options: ConversionOptions = {},
  ): Booked<ConversionJobRow> {
    const { id, row } = this.#conversionJobRow(direction, amount, options);
    if (!(options.post ?? !unpostedJobStates.includes(row.status)) || !isPosted(row.status, options))
      return { id, subject: `conversion_job:${id}`, row, transaction: null };
    const source = options.postedAmount ?? amount;
    const transaction = this.postConversionJob(direction, id, source, row.destination_amount ?? source, options);
    row.ledger_transaction_id = transaction.id;
    return { id, subject: `conversion_job:${id}`, row, transaction };
  }

  postConversionJob(
    direction: 'usdc_to_usd' | 'usd_to_usdc',
    jobId: string,
    source: string,
    destination: string,
    options: When = {},
  ): Transaction {
    const buffers = [this.#buffer(), this.systemAccount('system_buffer_fiat')] as const;
    const [from, to] = direction === 'usdc_to_usd' ? buffers : buffers.toReversed();
    const entries = [credit(from, source), debit(to, destination)];
    return this.#posting('conversion', 'conversion_job', null, jobId, options, entries);
  }

  /** The user's USDC becomes buying power at Alpaca, one for one. */
  investment(user: User, amount: string, options: When = {}): Transaction {
    const entries = [
      credit(this.account(user, 'usdc_balance'), amount),
      debit(this.account(user, 'fiat_exposure'), amount),
    ];
    const reference = { id: this.random.uuid(), type: 'order' };
    return this.transaction({ ...options, type: 'investment', user, reference, entries });
  }

  /** Buying power becomes the user's USDC again: a conversion that names no job. */
  divestment(user: User, amount: string, options: When = {}): Transaction {
    const entries = [
      credit(this.account(user, 'fiat_exposure'), amount),
      debit(this.account(user, 'usdc_balance'), amount),
    ];
    return this.transaction({ ...options, type: 'conversion', user, entries });
  }

  /** Between two accounts of users, of the same currency. */
  internalTransfer(user: User, from: Account, to: Account, amount: string, options: When = {}): Transaction {
    return this.transaction({
      ...options,
      type: 'internal_transfer',
      user,
      entries: [credit(from, amount), debit(to, amount)],
    });
  }

  /** The firm moves its own dollars into the fiat buffer. */
  bufferReplenishment(amount: string, options: When = {}): Transaction {
    const entries = [
      debit(this.systemAccount('system_buffer_fiat'), amount),
      credit(this.systemAccount('broker_operational'), amount),
    ];
    return this.transaction({ ...options, type: 'buffer_replenishment', entries });
  }

  /** What a user held when the ledger was introduced: it names no record. */
  openingBalance(user: User, amount: string, options: When = {}): Transaction {
    const entries = [debit(this.account(user, 'usdc_balance'), amount), credit(this.#buffer(), amount)];
    return this.transaction({
      ...options,
      type: 'deposit',
      user,
      idempotencyKey: `migration_${user.id}_${this.random.hex(8)}`,
      entries,
    });
  }

  /** Leaves the original `reversed` and posts its mirror, which may itself be reversed. */
  reversal(of: Transaction, options: When = {}): Transaction {
    of.row.status = 'reversed';
    const sides = { debit: 'credit', credit: 'debit' } as Record<string, string>;
    const mirror = this.transaction({
      ...options,
      type: 'reversal',
      user: null,
      reference: { id: of.id, type: null },
      entries: [],
    });
    mirror.row.user_id = of.row.user_id;
    mirror.entries = of.entries.map((entry) => ({
      ...entry,
      id: this.random.uuid(),
      transaction_id: mirror.id,
      entry_type: sides[entry.entry_type ?? ''] ?? entry.entry_type,
      created_at: mirror.row.created_at,
    }));
    this.#rows.ledger_entries.push(...mirror.entries);
    return mirror;
  }

  minutesAgo(minutes: number): Date {
    return new Date(this.now.getTime() - Math.round(minutes * 60_000));
  }

  #buffer(): Account {
    return this.systemAccount('system_buffer_usdc');
  }

  #accountOf(userId: string | null, type: AccountType | SystemAccountType): Account {
    const key = `${userId ?? 'system'} ${type}`;
    const known = this.#accounts.get(key);
    if (known) return known;
    const opened = this.openAccount(userId === null ? null : { id: userId, walletId: '', alpacaAccountId: '' }, type);
    this.#accounts.set(key, opened);
    return opened;
  }

  #posting(
    type: string,
    referenceType: string,
    user: User | null,
    recordId: string,
    options: When,
    entries: Side[],
  ): Transaction {
    const reference = { id: recordId, type: referenceType };
    return this.transaction({ type, user, reference, entries, minutesAgo: options.minutesAgo ?? 60 });
  }

  #depositRow(user: User, amount: string, options: RecordOptions): { id: string; row: DepositRow } {
    const id = this.random.uuid();
    const status = options.status ?? 'completed';
    const { created_at, settledAt } = this.#times(options);
    const reached = depositStates.indexOf(status);
    const timeOf = (state: string) => (reached >= depositStates.indexOf(state) ? settledAt : null);
    const row: DepositRow = {
      id,
      user_id: user.id,
      chain: 'BASE',
      tx_hash: `0x${this.random.hex(64)}`,
      token: 'USDC',
      amount,
      status,
      confirmed_at: timeOf('confirmed'),
      off_ramp_initiated_at: timeOf('off_ramp_initiated'),
      off_ramp_completed_at: timeOf('off_ramp_completed'),
      alpaca_funded_at: timeOf('broker_funded'),
      created_at,
    };
    this.#rows.deposits.push(row);
    return { id, row };
  }

  #withdrawalRow(user: User, amount: string, options: RecordOptions): { id: string; row: WithdrawalRow } {
    const id = this.random.uuid();
    const status = options.status ?? 'completed';
    const { created_at, settledAt } = this.#times(options);
    const row: WithdrawalRow = {
      id,
      user_id: user.id,
      alpaca_account_id: user.alpacaAccountId,
      amount,
      destination_chain: 'BASE',
      destination_address: `0x${this.random.hex(40)}`,
      status,
      tx_hash: status === 'completed' ? `0x${this.random.hex(64)}` : null,
      created_at,
      updated_at: settledAt,
      completed_at: status === 'completed' ? settledAt : null,
    };
    this.#rows.withdrawals.push(row);
    return { id, row };
  }

  #conversionJobRow(
    direction: string,
    amount: string,
    options: ConversionOptions,
  ): { id: string; row: ConversionJobRow } {
    const id = this.random.uuid();
    const status = options.status ?? 'completed';
    const { created_at, settledAt } = this.#times(options);
    const done = status === 'completed';
    const row: ConversionJobRow = {
      id,
      direction,
      amount,
      status,
      provider_name: 'due',
      ledger_transaction_id: null,
      source_amount: done ? amount : null,
      destination_amount: done ? (options.destinationAmount ?? converted(amount, options)) : null,
      exchange_rate: options.rate ?? '1',
      fees_paid: options.fees ?? '0',
      submitted_at: status === 'pending' ? null : created_at,
      completed_at: done ? settledAt : null,
      created_at,
    };
    this.#rows.conversion_jobs.push(row);
    return { id, row };
  }

  #times(options: RecordOptions): { created_at: Date; settledAt: Date } {
    const settled = options.minutesAgo ?? 60;
    const created_at = this.minutesAgo(settled + (options.settledAfterMinutes ?? 0));
    return { created_at, settledAt: this.minutesAgo(settled) };
  }
}

/** At the scale of the host's columns. */
function converted(amount: string, options: ConversionOptions): string {
  const gross = money(amount).times(options.rate ?? '1');
  return toText(gross.minus(options.fees ?? '0').toDecimalPlaces(6));
}

/** In the order in which a deposit passes through them. */
const depositStates = [
  'pending',
  'confirmed',
  'off_ramp_initiated',
  'off_ramp_completed',
  'broker_funded',
  'completed',
];

function isPosted(status: string, options: RecordOptions): boolean {
  return options.post ?? !unpostedStates.includes(status);
}

/** Switches off keys, checks, triggers, enums and scales of the host's tables, so that faulty rows can be written. */
export async function withoutConstraints(sql: Sql): Promise<void> {
  await sql.unsafe(await readFile(new URL('./host-without-constraints.sql', import.meta.url), 'utf8'));
}
