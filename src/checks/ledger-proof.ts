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
type List = keyof typeof statements;

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
  const { headers, accounts } = await readWhole(cut);
  const counted = { transactions: headers.transactions, open: headers.open, accounts: accounts.accounts };
  if (!ledger.sound) return { suspects: null, counted };
  const transactions = await listAll(cut, idsOf(known, 'transaction'), await offTransactions(ledger, headers, known));
  const suspectAccounts = await listAll(cut, idsOf(known, 'account'), [
    'wrongAccounts',
    ...(await offAccounts(ledger, accounts, known)),
  ]);
  const reversals = await reversalsOf(cut);
  const whole = union([reversals?.transactions, transactions && (await withFamilies(cut, transactions))]);
  const suspects =
    whole === undefined || suspectAccounts === undefined
      ? null
      : { transactions: whole, accounts: suspectAccounts, records: null };
  return { suspects, counted };
}

/** The lists that the proof asks for because a sum is off that what is known does not put off. */
export async function searchesOfLedger(ledger: Ledger, known: readonly string[]): Promise<List[]> {
  const { headers, accounts } = await readWhole(ledger.cut);
  return [...(await offTransactions(ledger, headers, known)), ...(await offAccounts(ledger, accounts, known))];
}

async function listAll(cut: Cut, known: string[], lists: readonly List[]): Promise<string[] | undefined> {
  const listed: (string[] | undefined)[] = [known];
  for (const name of lists) listed.push(await list(cut, statements[name]));
  return union(listed);
}

/** For each sum over the transactions that is off, the list of what may have put it off. */
async function offTransactions(
  { cut, books, legs }: Ledger,
  headers: Headers,
  known: readonly string[],
): Promise<List[]> {
  const transactions = idsOf(known, 'transaction');
  const knownBooks = transactions.length > 0 ? await readBooks(cut, legs, { transactions }) : noBooks;
  const knownHeaders = transactions.length > 0 ? await readHeaders(cut, transactions) : noHeaders;
  const present = presence(books, knownBooks, headers.presence.minus(knownHeaders.presence));
  const sums: [agrees: boolean, List][] = [
    [books.suspicious() <= knownBooks.suspicious(), 'suspicious'],
    [books.zeros() <= knownBooks.zeros(), 'zero'],
    [balance(books, knownBooks), 'unbalanced'],
    [convert(books, knownBooks, headers.inJobs.minus(knownHeaders.inJobs)), 'jobs'],
    [present.inEach, 'empty'],
    [present.twoInEach || cut.params.entries_per_transaction !== 2, 'wrongCount'],
  ];
  return sums.filter(([agrees]) => !agrees).map(([, name]) => name);
}

/** The same of the sum over the accounts. */
async function offAccounts({ cut, books }: Ledger, { byAccount }: Accounts, known: readonly string[]): Promise<List[]> {
  const accounts = idsOf(known, 'account');
  const knownHeld = accounts.length > 0 ? await readHeld(cut, accounts) : zero;
  const knownExpected = accounts.length > 0 ? (await readAccounts(cut, accounts)).byAccount : zero;
  const agrees = books.byAccount().minus(knownHeld).equals(byAccount.minus(knownExpected));
  return agrees ? [] : ['drifted'];
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

interface Headers {
  transactions: number;
  open: number;
  /** What one entry in each plain or crossing transaction adds up to. */
  presence: Money;
  /** The same of the conversions of jobs. */
  inJobs: Money;
}

interface Accounts {
  accounts: number;
  /** What the entries must add up to, weighted by account. */
  byAccount: Money;
}

const noHeaders: Headers = { transactions: 0, open: 0, presence: zero, inJobs: zero };

/** The other side of the sums, over everything. Read once in a snapshot. */
async function readWhole(cut: Cut): Promise<{ headers: Headers; accounts: Accounts }> {
  return cut.shared.once(readWhole, async () => ({
    headers: await readHeaders(cut, null),
    accounts: await readAccounts(cut, null),
  }));
}

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

async function readAccounts(cut: Cut, accounts: string[] | null): Promise<Accounts> {
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
