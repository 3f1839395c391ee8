import { query } from '../database/database.ts';
import { money, sum, zero, type Money } from '../money.ts';
import { bind, compose, type Statement } from '../source.ts';
import type { Cut } from './check.ts';
import { addsNothing } from './proof.ts';

/** One row of books.proof.sql: entries that are alike in all that matters to a proof. Sums are exact decimal text. */
interface BooksRow {
  /** null: the entries name no transaction that exists. */
  movement: string | null;
  currency: string | null;
  entry_type: string | null;
  /** Positive and finite. */
  sound: boolean | null;
  names_record: boolean;
  of_user: boolean;
  entries: string;
  loose: string;
  suspicious: string;
  zero: string;
  amount: string | null;
  presence: string | null;
  by_transaction: string | null;
  by_account: string | null;
  by_record: string | null;
}

type WeightedSum = 'amount' | 'presence' | 'by_transaction' | 'by_account' | 'by_record';

/** A row of the source's record_legs: which entries book a record of that kind. */
interface RecordLeg {
  record_kind: string;
  leg: 'source' | 'destination';
  entry_type: string;
  only_users: boolean;
}

const booksStatement: Statement = {
  relations: ['ledger_accounts', 'ledger_transactions', 'ledger_entries'],
  layers: [{ name: 'header', file: 'header.sql' }],
  file: 'books.proof.sql',
};
const legsStatement: Statement = { relations: ['record_legs'], layers: [], file: 'record_legs.sql' };
const uniqueStatement: Statement = {
  relations: ['ledger_accounts', 'ledger_transactions', 'ledger_entries'],
  layers: [],
  file: 'books.unique.sql',
};
const countStatement: Statement = { relations: ['ledger_entries'], layers: [], file: 'entries.count.sql' };
export const booksStatements = {
  books: booksStatement,
  legs: legsStatement,
  uniqueBooks: uniqueStatement,
  entries: countStatement,
};

/** The sums of the whole ledger, and the cut with what every statement of a proof needs to know. */
export interface Ledger {
  cut: Cut;
  books: Books;
  legs: readonly RecordLeg[];
  /** No: an id stands twice, and sums over a join with it prove nothing. */
  sound: boolean;
}

/** Reads the whole ledger once for all checks of a run. */
export async function ledgerOf(cut: Cut): Promise<Ledger> {
  const ledger = await cut.shared.once(readLedger, () => readLedger(cut));
  return { ...ledger, cut: { ...cut, params: { ...cut.params, kinds_with_user: kindsWithUser(ledger.legs) } } };
}

async function readLedger(cut: Cut): Promise<Omit<Ledger, 'cut'>> {
  const legs = await query<RecordLeg>(cut.transaction, compose(cut.source, legsStatement), bind(cut.params));
  const params = { ...cut.params, kinds_with_user: kindsWithUser(legs) };
  const books = await readBooks({ ...cut, params }, legs);
  const sound = (await addsNothing(cut, uniqueStatement)) || books.size() === (await countEntries(cut));
  return { books, legs, sound };
}

async function countEntries(cut: Cut): Promise<number> {
  const text = compose(cut.source, countStatement);
  const [row] = await query<{ entries: string }>(cut.transaction, text, bind(cut.params));
  return Number(row?.entries);
}

function kindsWithUser(legs: readonly RecordLeg[]): string[] {
  return [...new Set(legs.filter((leg) => leg.only_users).map((leg) => leg.record_kind))];
}

/** What the part of the ledger that is asked for adds up to; null: all of it. */
export interface Part {
  transactions?: string[];
  records?: string[];
}

/** Reads the sums of the whole ledger, or of a part of it. */
export async function readBooks(cut: Cut, legs: readonly RecordLeg[], part: Part = {}): Promise<Books> {
  const text = compose(cut.source, booksStatement);
  const rows = await query<BooksRow>(cut.transaction, text, bind({ ...cut.params, ...part }));
  return new Books(rows, legs);
}

/** The sums of books.proof.sql, and what they say. */
export class Books {
  readonly #rows: readonly BooksRow[];
  readonly #legs: readonly RecordLeg[];

  constructor(rows: readonly BooksRow[], legs: readonly RecordLeg[]) {
    this.#rows = rows;
    this.#legs = legs;
  }

  /** Number of entries of transactions that are wrong by themselves. */
  suspicious(): number {
    return this.#count((row) => (isUnexpected(row) ? Number(row.entries) - Number(row.loose) : row.suspicious));
  }

  /** Number of entries that move nothing. */
  zeros(): number {
    return this.#count((row) => row.zero);
  }

  /** Number of entries. */
  size(): number {
    return this.#count((row) => row.entries);
  }

  /** Number of entries in each currency, in the order of their names. */
  entries(): Map<string | null, number> {
    const entries = new Map<string | null, number>();
    for (const row of this.#rows.toSorted((left, right) => ((left.currency ?? '') < (right.currency ?? '') ? -1 : 1)))
      entries.set(row.currency, (entries.get(row.currency) ?? 0) + Number(row.entries));
    return entries;
  }

  /** Whether every amount can be added up; if not, the totals need a closer look. */
  finite(): boolean {
    return this.#rows.every((row) => row.amount === null || money(row.amount).isFinite());
  }

  /** Debits or credits of one currency. */
  total(currency: string | null, entryType: 'debit' | 'credit'): Money {
    return this.#sum('amount', (row) => row.currency === currency && row.entry_type === entryType);
  }

  /** What balances if every plain movement does: zero for each currency, and zero for those that cross currencies. */
  imbalances(): Map<string, Money> {
    const sums = new Map<string, Money>();
    for (const row of this.#rows.filter(({ sound }) => sound === true)) {
      const place = placeOfBalance(row);
      if (place === undefined) continue;
      sums.set(place, (sums.get(place) ?? zero).plus(signed(row, 'by_transaction')));
    }
    return sums;
  }

  /** What one entry of that side in each plain or crossing transaction adds up to. */
  presence(entryType: 'debit' | 'credit'): Money {
    return this.#sum('presence', (row) => row.entry_type === entryType && placeOfBalance(row) !== undefined);
  }

  /** The same of the conversions of jobs: of one entry of that side, or in that currency, in each of them. */
  presenceInJobs(place: 'debit' | 'credit' | 'USD' | 'USDC'): Money {
    return this.#sum('presence', (row) => isJob(row.movement) && (row.entry_type === place || row.currency === place));
  }

  /** What the balances of all accounts must add up to. */
  byAccount(): Money {
    return sum(this.#rows.map((row) => signed(row, 'by_account')));
  }

  /** What is booked for the records of a kind: weighted, by leg and currency. */
  byRecord(recordKind: string): Map<string, Money> {
    return this.#booked(recordKind, 'by_record');
  }

  /** What is booked for the records of a kind: amounts, by leg and currency. */
  posted(recordKind: string): Map<string, Money> {
    return this.#booked(recordKind, 'amount');
  }

  /** Number of entries that book a record of that kind and do not say which. */
  nameless(recordKind: string): number {
    return this.#count((row) => (kindOf(row) === recordKind && !row.names_record ? row.entries : '0'));
  }

  /** What is no number spoils the sums that are compared, as it spoils those of its record; it is no part of a total. */
  #booked(recordKind: string, field: WeightedSum): Map<string, Money> {
    const sums = new Map<string, Money>();
    for (const row of this.#rows) {
      const leg = this.#legOf(row, recordKind);
      const amount = money(row[field] ?? '0');
      if (leg === undefined || (field === 'amount' && !amount.isFinite()) || !row.names_record) continue;
      const place = placeOf(leg, row.currency);
      sums.set(place, (sums.get(place) ?? zero).plus(isReversal(row) ? amount.negated() : amount));
    }
    return sums;
  }

  #legOf(row: BooksRow, recordKind: string): string | undefined {
    if (kindOf(row) !== recordKind) return undefined;
    const booked = isReversal(row) ? opposite(row.entry_type) : row.entry_type;
    const leg = this.#legs.find((known) => known.record_kind === recordKind && known.entry_type === booked);
    return leg === undefined || (leg.only_users && !row.of_user) ? undefined : leg.leg;
  }

  #sum(field: WeightedSum, holds: (row: BooksRow) => boolean): Money {
    return sum(this.#rows.filter(holds).map((row) => money(row[field] ?? '0')));
  }

  #count(counted: (row: BooksRow) => string | number): number {
    return this.#rows.reduce((all, row) => all + Number(counted(row)), 0);
  }
}

/** What a part of no entries adds up to. */
export const noBooks = new Books([], []);

/** Where the sums of a leg in a currency are found. */
export function placeOf(leg: string, currency: string | null): string {
  return `${leg} ${currency ?? ''}`;
}

function placeOfBalance({ movement, currency }: BooksRow): string | undefined {
  if (movement?.startsWith('crossing')) return 'crossing';
  return movement?.startsWith('plain') ? `plain ${currency ?? ''}` : undefined;
}

/** Debits count positive, credits negative; what is neither has been counted as suspicious. */
function signed(row: BooksRow, field: WeightedSum): Money {
  if (opposite(row.entry_type) === null) return zero;
  const amount = money(row[field] ?? '0');
  return row.entry_type === 'credit' ? amount.negated() : amount;
}

function isUnexpected({ movement, currency, entry_type: entryType }: BooksRow): boolean {
  const known = opposite(entryType) !== null && (currency === 'USD' || currency === 'USDC');
  return !known || movement === null || movement === 'unposted';
}

/** Whether the amounts of these transactions are those of a conversion job. */
export function isJob(movement: string | null): boolean {
  return movement?.startsWith('job') === true;
}

function kindOf({ movement }: BooksRow): string | undefined {
  return movement?.split(' ')[1];
}

function isReversal({ movement }: BooksRow): boolean {
  return movement?.startsWith('reversal') === true;
}

function opposite(entryType: string | null): string | null {
  return entryType === 'debit' ? 'credit' : entryType === 'credit' ? 'debit' : null;
}
