import { query } from '../database/database.ts';
import { money, sum, zero, type Money } from '../money.ts';
import { bind, compose, type Layer, type Relation, type Statement } from '../source.ts';
import { familiesOf, recordsOf } from './bookings.ts';
import { noBooks, placeOf, readBooks, type Books, type Ledger } from './books.ts';
import type { Cut } from './check.ts';
import { addsNothing, idsOf, list, union, type Suspects } from './proof.ts';
import { reversalsOf, reversalStatements } from './reversals.ts';

/** The statements of the proof of one table of records, and of the lists that it asks for. */
export function recordProofStatements(table: Relation, records: Layer) {
  const ledger = ['ledger_accounts', 'ledger_transactions', 'ledger_entries', 'record_legs'] as const;
  const judged = [table, 'ledger_transactions', 'ledger_entries'] as const;
  const postings = { name: 'postings', file: 'postings.sql', shared: true } as const;
  const due = { name: 'due', file: 'record.due.sql' };
  return {
    proof: { relations: judged, layers: [records, due], file: 'record.proof.sql' },
    open: { relations: judged, layers: [records, due], file: 'record.open.sql' },
    suspects: { relations: [table, ...ledger], layers: [postings, records], file: 'record.suspects.sql' },
    unique: { relations: [table], layers: [records], file: 'record.unique.sql' },
    twice: { relations: [table], layers: [records], file: 'record.twice.sql' },
    ...reversalStatements,
    nameless: { relations: ['ledger_transactions'], layers: [], file: 'nameless.sql' },
  } satisfies Record<string, Statement>;
}

type Statements = ReturnType<typeof recordProofStatements>;

/** What the proof of a table of records shows. */
export interface RecordProof {
  suspects: Suspects;
  records: number;
  /** What is booked for the records that the proof covers, by currency: proven equal to what was due. */
  proven: Map<string, Money>;
}

/**
 * Proves that the certain records are posted in full by sums, and lists what is left to be looked at: records that are
 * not certain, those that are known to be wrong, and where a sum is off whatever put it off.
 */
export async function proveRecords(
  ledger: Ledger,
  statements: Statements,
  recordKind: string,
  known: readonly string[],
): Promise<RecordProof> {
  const { cut, books } = ledger;
  const due = await readWholeDue(cut, statements, recordKind);
  const unproven = { suspects: null, records: due.records, proven: new Map<string, Money>() };
  const weighed = await weigh(ledger, statements, recordKind, known);
  if (weighed === undefined) return unproven;
  const { open, openBooks, agrees } = weighed;
  const records = union([open, agrees ? [] : await list(cut, statements.suspects)]);
  const transactions = books.nameless(recordKind) > 0 ? await list(cut, statements.nameless) : [];
  if (records === undefined || transactions === undefined) return unproven;
  const partBooks = records.length === open.length ? openBooks : await readPart(ledger, records);
  return {
    suspects: { records, transactions, accounts: null },
    records: due.records,
    proven: byCurrency(without(books.posted(recordKind), partBooks.posted(recordKind))),
  };
}

/** The list that the proof asks for if a sum is off that what is known does not put off. */
export async function searchesOfRecords(
  ledger: Ledger,
  statements: Statements,
  recordKind: string,
  known: readonly string[],
): Promise<'suspects'[]> {
  const weighed = await weigh(ledger, statements, recordKind, known);
  return weighed === undefined || weighed.agrees ? [] : ['suspects'];
}

/** What the sums of the records say. */
interface Weighed {
  /** The records that they do not cover. */
  open: string[];
  openBooks: Books;
  /** Whether those of all others agree. */
  agrees: boolean;
}

/** Undefined where the sums prove nothing, or would cover too little. */
async function weigh(
  ledger: Ledger,
  statements: Statements,
  recordKind: string,
  known: readonly string[],
): Promise<Weighed | undefined> {
  const { cut, books } = ledger;
  if (!ledger.sound) return undefined;
  const due = await readWholeDue(cut, statements, recordKind);
  const uncertain = await uncertainRecords(cut, statements, recordKind);
  const transactions = idsOf(known, 'transaction');
  const booked = await cut.shared.once(familiesOf, () => familiesOf(cut, transactions), transactions.join());
  const open = union([uncertain, idsOf(known, recordKind), booked && recordsOf(booked.bookings, recordKind)]);
  if (open === undefined) return undefined;
  const openBooks = await readPart(ledger, open);
  const openDue = open.length > 0 ? await readDue(cut, statements.proof, open) : noDue;
  const agrees = agree(
    without(books.byRecord(recordKind), openBooks.byRecord(recordKind)),
    without(due.weighed, openDue.weighed),
  );
  return { open, openBooks, agrees };
}

/** What is due for all records. Read once in a snapshot, because it does not depend on what is known. */
async function readWholeDue(cut: Cut, statements: Statements, recordKind: string): Promise<Due> {
  return cut.shared.once(readWholeDue, () => readDue(cut, statements.proof, null), recordKind);
}

/** The records that no sum can prove; undefined where they are too many for a list. Read once in a snapshot, as well. */
async function uncertainRecords(cut: Cut, statements: Statements, recordKind: string): Promise<string[] | undefined> {
  const read = async () => {
    const reversals = await reversalsOf(cut);
    return union([
      await list(cut, statements.open),
      (await addsNothing(cut, statements.unique)) ? [] : await list(cut, statements.twice),
      reversals && recordsOf(reversals.bookings, recordKind),
    ]);
  };
  return cut.shared.once(uncertainRecords, read, recordKind);
}

async function readPart({ cut, legs }: Ledger, records: string[]): Promise<Books> {
  return records.length > 0 ? readBooks(cut, legs, { records }) : noBooks;
}

interface Due {
  records: number;
  weighed: Map<string, Money>;
}

const noDue: Due = { records: 0, weighed: new Map() };

async function readDue(cut: Cut, statement: Statement, records: string[] | null): Promise<Due> {
  const rows = await query<{
    source_currency: string | null;
    destination_currency: string | null;
    settled: boolean;
    records: string;
    source: string;
    destination: string;
  }>(cut.transaction, compose(cut.source, statement), bind({ ...cut.params, records }));
  const weighed = new Map<string, Money>();
  const add = (place: string, amount: string) => weighed.set(place, (weighed.get(place) ?? zero).plus(money(amount)));
  for (const row of rows.filter(({ settled }) => settled)) {
    add(placeOf('source', row.source_currency), row.source);
    add(placeOf('destination', row.destination_currency), row.destination);
  }
  return { records: rows.reduce((all, row) => all + Number(row.records), 0), weighed };
}

function without(all: Map<string, Money>, part: Map<string, Money>): Map<string, Money> {
  const rest = new Map(all);
  for (const [place, amount] of part) rest.set(place, (rest.get(place) ?? zero).minus(amount));
  return rest;
}

/** Where the records name no currency, the postings of all currencies together are what they are held against. */
function agree(posted: Map<string, Money>, due: Map<string, Money>): boolean {
  const unnamed = [...due].filter(([place, amount]) => place.endsWith(' ') && !amount.isZero());
  const places = new Set([...posted.keys(), ...due.keys()]);
  if (unnamed.length > 0) return ['source', 'destination'].every((leg) => total(posted, leg).equals(total(due, leg)));
  return [...places].every((place) => (posted.get(place) ?? zero).equals(due.get(place) ?? zero));
}

function total(sums: Map<string, Money>, leg: string): Money {
  return sum([...sums].filter(([place]) => place.startsWith(leg)).map(([, amount]) => amount));
}

function byCurrency(sums: Map<string, Money>): Map<string, Money> {
  const currencies = new Map<string, Money>();
  for (const [place, amount] of sums) {
    const currency = place.slice(place.indexOf(' ') + 1);
    currencies.set(currency, (currencies.get(currency) ?? zero).plus(amount));
  }
  return currencies;
}
