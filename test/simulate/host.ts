import type postgres from 'postgres';
import { credit, debit, LedgerBuilder, type Transaction, type User } from '../support/ledger.ts';
import { book, bookLate } from './booking.ts';
import { beginsAt } from './story-time.ts';
import type { Booking, Late, OwnStep } from './story.ts';

/** The application whose books are reconciled: it books in the real tables, and breaks as such applications do. */
export class Host {
  readonly #sql: postgres.Sql;
  readonly #ledger: LedgerBuilder;
  readonly #customers: [User, User][];
  #open: { connection: postgres.ReservedSql; since: Date } | undefined;

  /** Each customer is two users: money may go to the wrong one. */
  constructor(sql: postgres.Sql, now: Date, customers: number) {
    this.#sql = sql;
    this.#ledger = new LedgerBuilder({ now, seed: 1 });
    this.#customers = Array.from({ length: customers }, () => [this.#ledger.user(), this.#ledger.user()]);
    for (const user of this.users) this.#ledger.openingBalance(user, '100000', { minutesAgo: 99_999 });
    for (const user of this.users) this.#ledger.deposit(user, '12', { status: 'pending', minutesAgo: 60 }); // to be waited for
    this.#endow(this.users[0]!);
  }

  get users(): User[] {
    return this.#customers.flat();
  }

  /** Custodians hold something from the beginning: in these books a deposit lowers what Circle is said to hold. */
  #endow(user: User): void {
    const ledger = this.#ledger;
    const [buffer, fiat] = [ledger.systemAccount('system_buffer_usdc'), ledger.systemAccount('system_buffer_fiat')];
    const [usdc, exposure] = [ledger.account(user, 'usdc_balance'), ledger.account(user, 'fiat_exposure')];
    const opening = { type: 'conversion', user: null, minutesAgo: 99_999 };
    const sides = {
      circle: [debit(buffer, '1000000000'), credit(fiat, '1000000000')],
      alpaca: [debit(exposure, '50000'), credit(usdc, '50000')],
    };
    for (const [name, entries] of Object.entries(sides))
      ledger.transaction({ ...opening, entries, idempotencyKey: `migration_${name}` });
  }

  set now(now: Date) {
    this.#ledger.now = now;
  }

  /** Whoever invests does so in the one account that the firm has at Alpaca: each more costs a request in every run. */
  async open(): Promise<void> {
    await this.save();
    await this.#sql`update users set alpaca_account_id = null`;
  }

  /** Stores what was booked. */
  async save(): Promise<void> {
    await this.#ledger.save(this.#sql);
  }

  /** Returns `check subject` of what only a run over everything has to see: no time tells of it. */
  async take(customer: number, step: OwnStep): Promise<string | undefined> {
    if (step.does !== 'book') await this.save(); // bookings are stored together
    if (step.does === 'book') return this.#book(this.#customers[customer]!, step);
    if (step.does === 'finish') await this.#finish(customer, step.which, step.posts);
    else if (step.does === 'reverse') await this.#reverse(customer, step.which);
    else if (step.does === 'drift') return this.#drift(customer, step.which, step.amount);
    else return this.#change(customer, step.which, step.amount);
    return undefined;
  }

  async #book([user, other]: [User, User], step: Booking): Promise<string | undefined> {
    book(this.#ledger, [user, other], step);
    if (step.crash === 'account twice') return this.#openTwice(user);
    if (step.crash !== 'user deleted') return undefined;
    await this.save();
    await this.#sql`delete from wallets where user_id = ${user.id}`;
    await this.#sql`delete from users where id = ${user.id}`;
    return undefined;
  }

  /** Two requests at once each open the account of a user. */
  async #openTwice(user: User): Promise<string> {
    this.#ledger.openAccount(user, 'stash_balance');
    await this.save();
    const [first] = await this.#sql<{ id: string }[]>`
      select account.id
      from ledger_accounts as account
      where account.user_id = ${user.id} and account.account_type = 'stash_balance'
      order by account.id limit 1`;
    return `ledger_consistency account:${first!.id}`;
  }

  /** A record that was pending is completed, and posted if the application lives long enough. */
  async #finish(customer: number, which: number, posts: boolean): Promise<void> {
    const { now } = this.#ledger;
    const record = await this.#recordOf(customer, which, 'pending');
    if (record === undefined) return;
    const { id, kind } = record;
    if (kind === 'deposit')
      await this
        .#sql`update deposits set status = 'completed', confirmed_at = ${now}, alpaca_funded_at = ${now} where id = ${id}`;
    else
      await this
        .#sql`update withdrawals set status = 'completed', completed_at = ${now}, updated_at = ${now} where id = ${id}`;
    if (posts) this.#post(record);
  }

  #post({ id, kind, user_id: owner, amount }: StoredRecord): void {
    const user = this.users.find((one) => one.id === owner);
    if (user !== undefined)
      this.#ledger[kind === 'deposit' ? 'postDeposit' : 'postWithdrawal'](user, id, amount, { minutesAgo: 0 });
  }

  /** The amount of a record is changed when it is final already: what an hourly run need not look at again. */
  async #change(customer: number, which: number, amount: string): Promise<string | undefined> {
    const record = await this.#recordOf(customer, which, 'completed');
    if (record === undefined) return undefined;
    const { id, kind } = record;
    if (kind === 'deposit') await this.#sql`update deposits set amount = ${amount} where id = ${id}`;
    else await this.#sql`update withdrawals set amount = ${amount}, updated_at = ${this.#ledger.now} where id = ${id}`;
    return `${kind}s ${kind}:${id}`;
  }

  async #recordOf(customer: number, which: number, status: string): Promise<StoredRecord | undefined> {
    const users = this.#usersOf(customer);
    const records = await this.#sql<StoredRecord[]>`
      select 'deposit' as kind, deposit.id, deposit.user_id, deposit.amount from deposits as deposit
      where deposit.status = ${status} and deposit.user_id = any (${users}::uuid[])
      union all
      select 'withdrawal', withdrawal.id, withdrawal.user_id, withdrawal.amount from withdrawals as withdrawal
      where withdrawal.status = ${status} and withdrawal.user_id = any (${users}::uuid[])
      order by id`;
    return records[which % records.length];
  }

  /** Takes a transaction back: of the customer, or of nobody. */
  async #reverse(customer: number, which: number): Promise<void> {
    const completed = await this.#sql<{ id: string; entries: Transaction['entries'] }[]>`
      select header.id, json_agg(entry) as entries
      from ledger_transactions as header
      inner join ledger_entries as entry on entry.transaction_id = header.id
      where
        header.status = 'completed'
        and header.idempotency_key not like 'migration%'
        and (header.user_id is null or header.user_id = any (${this.#usersOf(customer)}::uuid[]))
      group by header.id
      order by header.id`;
    const original = completed[which % completed.length];
    if (original === undefined) return;
    await this.#sql`update ledger_transactions set status = 'reversed' where id = ${original.id}`;
    const row = { user_id: null, status: '' } as unknown as Transaction['row'];
    this.#ledger.reversal({ ...original, subject: '', row }, { minutesAgo: 0 });
  }

  /** A balance moves without an entry. */
  async #drift(customer: number, which: number, amount: string): Promise<string | undefined> {
    const accounts = await this.#sql<{ id: string }[]>`
      select id from ledger_accounts
      where user_id is null or user_id = any (${this.#usersOf(customer)}::uuid[]) order by id`;
    const account = accounts[which % accounts.length];
    if (account === undefined) return undefined;
    await this.#sql`update ledger_accounts set balance = balance + ${amount}::numeric where id = ${account.id}`;
    return `ledger_consistency account:${account.id}`;
  }

  #usersOf(customer: number): string[] {
    return this.#customers[customer]!.map(({ id }) => id);
  }

  /** Mends what an exception is about. */
  async mend(kind: string, subject: string): Promise<void> {
    await this.save();
    const id = idIn(subject);
    if (kind === 'balance_drift')
      await this.#sql`
        update ledger_accounts as account
        set balance = (
          select coalesce(sum(case entry.entry_type when 'debit' then entry.amount else -entry.amount end), 0)
          from ledger_entries as entry where entry.account_id = account.id
        )
        where account.id = ${id}`;
    if (kind === 'unlinked')
      await this.#sql`
        update conversion_jobs as job
        set ledger_transaction_id = (
          select header.id from ledger_transactions as header
          where header.reference_id = job.id order by header.id limit 1
        )
        where job.id = ${id}`;
    if (kind !== 'missing_in_ledger') return;
    const [deposit] = await this.#sql<StoredRecord[]>`
      select 'deposit' as kind, id, user_id, amount from deposits where id = ${id}`;
    if (deposit !== undefined) this.#post(deposit);
  }

  /** A database transaction begins, and stays open: its rows carry this moment, and nobody sees them yet. One at a time. */
  async begin(late: Late): Promise<boolean> {
    if (this.#open !== undefined) return false;
    await this.save();
    const [user] = this.#customers[0]!;
    bookLate(this.#ledger, user, late);
    const connection = await this.#sql.reserve();
    this.#open = { connection, since: this.#ledger.now };
    await beginsAt(connection, this.#ledger.now);
    await connection`begin`;
    await this.#ledger.save(connection);
    return true;
  }

  /** Since when a transaction is open. */
  get openSince(): Date | undefined {
    return this.#open?.since;
  }

  async end(how: 'commit' | 'rollback'): Promise<boolean> {
    if (this.#open === undefined) return false;
    const { connection } = this.#open;
    this.#open = undefined;
    await connection.unsafe(how);
    await beginsAt(connection, null);
    connection.release();
    return true;
  }
}

/** What one statement or posting mends. */
/** Of what a subject names: `deposit:<id>`. */
export function idIn(subject: string): string {
  return subject.slice(subject.indexOf(':') + 1);
}

export function canMend(kind: string, subject: string): boolean {
  return (
    kind === 'balance_drift' || kind === 'unlinked' || (kind === 'missing_in_ledger' && subject.startsWith('deposit:'))
  );
}

interface StoredRecord {
  kind: 'deposit' | 'withdrawal';
  id: string;
  user_id: string;
  amount: string;
}
