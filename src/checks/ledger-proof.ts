import { query } from '../database/database.ts';
import { money, sum, zero, type Money } from '../money.ts';
import { bind, compose, type Statement } from '../source.ts';
import { booksStatements, isJob, noBooks, readBooks, type Books, type Ledger } from './books.ts';
import type { Cut } from './check.ts';
import { idsOf, list, union, withFamilies, type Suspects } from './proof.ts';
import { reversalsOf, reversalStatements } from './reversals.ts';

const wholeLedger = ['ledger_accounts', 'ledger_transactions', 'ledger_entries'] as const;
const header = { name: 'header', file: 'header.sql' };
const entriesOnly = (file: string): Statement => ({ relations: ['ledger_entries'], layers: [], file });

/** The statements of the proof, and of the lists that it asks for where a sum is off. */
export const ledgerProofStatements = {
  ...booksStatements,
  ...reversalStatements,
  headers: { relations: ['ledger_transactions'], layers: [header], file: 'headers.proof.sql' },
  accounts: { relations: ['ledger_accounts'], layers: [], file: 'accounts.proof.sql' },
  held: entriesOnly('accounts.held.sql'),
  wrongAccounts: { relations: ['ledger_accounts'], layers: [], file: 'accounts.suspects.sql' },
  suspicious: { relations: wholeLedger, layers: [header], file: 'suspicious.sql' },
  zero: entriesOnly('zero.sql'),
  empty: { relations: ['ledger_transactions', 'ledger_entries'], layers: [], file: 'empty.sql' },
  wrongCount: entriesOnly('wrong_count.sql'),
  jobs: { relations: ['ledger_transactions'], layers: [header], file: 'jobs.sql' },
  unbalanced: { relations: ['ledger_transactions', 'ledger_entries'], layers: [header], file: 'unbalanced.sql' },
  drifted: { relations: ['ledger_accounts', 'ledger_entries'], layers: [], file: 'drifted.sql' },
} satisfies Record<string, Statement>;

const statements = ledgerProofStatements;

/** How much the proof looked at. */
export interface LedgerCount {
  transactions: number;
  /** Pending, and still in the grace period. */
  open: number;
  accounts: number;
}

/**
 * Proves the plain part of the ledger by sums, and lists what is left to be looked at: what those sums cannot cover,
 * what is known to be wrong, and where a sum is off whatever put it off.
 */
export async function proveLedger(
  ledger: Ledger,
  known: readonly string[],
): Promise<{ suspects: Suspects; counted: LedgerCount }> {
  const { cut } = ledger;
  const knownTransactions = idsOf(known, 'transaction');
  const knownAccounts = idsOf(known, 'account');
  const headers = await readHeaders(cut, null);
  const accounts = await readAccounts(cut, null);
  const counted = { transactions: headers.transactions, open: headers.open, accounts: accounts.accounts };
  if (!ledger.sound) return { suspects: null, counted };
  const looseEntries = known.filter((subject) => subject.startsWith('entry:')).length;
  const transactions = await suspectTransactions(ledger, headers, knownTransactions, looseEntries);
  const suspectAccounts = await suspectsOfAccounts(ledger, accounts.byAccount, knownAccounts);
  const reversals = await reversalsOf(cut);
  const whole = union([reversals?.transactions, transactions && (await withFamilies(cut, transactions))]);
  const suspects =
    whole === undefined || suspectAccounts === undefined
      ? null
      : { transactions: whole, accounts: suspectAccounts, records: null };
  return { suspects, counted };
}

async function suspectTransactions(
  { cut, books, legs }: Ledger,
  headers: Headers,
  known: string[],
  looseEntries: number,
): Promise<string[] | undefined> {
  const knownBooks = known.length > 0 ? await readBooks(cut, legs, { transactions: known }) : noBooks;
  const lists: (string[] | undefined)[] = [known];
  if (books.suspicious() - looseEntries > knownBooks.suspicious()) lists.push(await list(cut, statements.suspicious));
  if (books.zeros() > knownBooks.zeros()) lists.push(await list(cut, statements.zero));
  if (!balance(books, knownBooks)) lists.push(await list(cut, statements.unbalanced));
  const knownHeaders = known.length > 0 ? await readHeaders(cut, known) : noHeaders;
  if (!convert(books, knownBooks, headers.inJobs.minus(knownHeaders.inJobs)))
    lists.push(await list(cut, statements.jobs));
  const present = presence(books, knownBooks, headers.presence.minus(knownHeaders.presence));
  if (!present.inEach) lists.push(await list(cut, statements.empty));
  if (cut.params.entries_per_transaction === 2 && !present.twoInEach)
    lists.push(await list(cut, statements.wrongCount));
  return union(lists);
}

function balance(books: Books, known: Books): boolean {
  const knownSums = known.imbalances();
  return [...books.imbalances()].every(([place, amount]) => amount.equals(knownSums.get(place) ?? zero));
}

/** Whether the conversion of every job has one debit and one credit, in two currencies: the job knows how much. */
function convert(books: Books, known: Books, expected: Money): boolean {
  const places = ['debit', 'credit', 'USD', 'USDC'] as const;
  return places.every((place) => books.presenceInJobs(place).minus(known.presenceInJobs(place)).equals(expected));
}

/** If every transaction has exactly one debit, or exactly one credit, none is without entries. */
function presence(books: Books, known: Books, expected: Money) {
  const debits = books.presence('debit').minus(known.presence('debit'));
  const credits = books.presence('credit').minus(known.presence('credit'));
  return {
    inEach: debits.equals(expected) || credits.equals(expected),
    twoInEach: debits.plus(credits).equals(expected.times(2)),
  };
}

async function suspectsOfAccounts(
  { cut, books }: Ledger,
  expected: Money,
  known: string[],
): Promise<string[] | undefined> {
  const knownHeld = known.length > 0 ? await readHeld(cut, known) : zero;
  const knownExpected = known.length > 0 ? (await readAccounts(cut, known)).byAccount : zero;
  const agrees = books.byAccount().minus(knownHeld).equals(expected.minus(knownExpected));
  return union([
    known,
    await list(cut, statements.wrongAccounts),
    ...(agrees ? [] : [await list(cut, statements.drifted)]),
  ]);
}

interface Headers {
  transactions: number;
  open: number;
  /** What one entry in each plain or crossing transaction adds up to. */
  presence: Money;
  /** The same of the conversions of jobs. */
  inJobs: Money;
}

const noHeaders: Headers = { transactions: 0, open: 0, presence: zero, inJobs: zero };

async function readHeaders(cut: Cut, transactions: string[] | null): Promise<Headers> {
  const rows = await query<{ movement: string; transactions: string; presence: string | null }>(
    cut.transaction,
    compose(cut.source, statements.headers),
    bind({ ...cut.params, transactions }),
  );
  const count = (counted: typeof rows) => counted.reduce((all, row) => all + Number(row.transactions), 0);
  const presenceIn = (present: typeof rows) => sum(present.map((row) => money(row.presence ?? '0')));
  return {
    transactions: count(rows),
    open: count(rows.filter(({ movement }) => movement === 'open')),
    presence: presenceIn(rows.filter(({ movement }) => /^(plain|crossing)/.test(movement))),
    inJobs: presenceIn(rows.filter(({ movement }) => isJob(movement))),
  };
}

async function readAccounts(cut: Cut, accounts: string[] | null): Promise<{ accounts: number; byAccount: Money }> {
  const [row] = await query<{ accounts: string; by_account: string | null }>(
    cut.transaction,
    compose(cut.source, statements.accounts),
    bind({ ...cut.params, accounts }),
  );
  return { accounts: Number(row?.accounts ?? 0), byAccount: money(row?.by_account ?? '0') };
}

async function readHeld(cut: Cut, accounts: string[]): Promise<Money> {
  const text = compose(cut.source, statements.held);
  const [row] = await query<{ by_account: string | null }>(cut.transaction, text, bind({ ...cut.params, accounts }));
  return money(row?.by_account ?? '0');
}
