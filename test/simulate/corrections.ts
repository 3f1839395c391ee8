import assert from 'node:assert/strict';
import type postgres from 'postgres';
import { correct, type ModelRow } from '../exceptions/life-model.ts';
import { Exact, same, totalOrZero, type Host as Books } from '../oracle/host-tables.ts';
import { idIn } from './host.ts';
import type { Lives, Living } from './lives.ts';

/** What a run may put right by itself. */
const correctable = ['balance_drift', 'unlinked'];

/** What recon has on record as corrections, held against the books before and after a run. */
export class Corrections {
  readonly #known = new Set<string>();

  /**
   * A run writes into the books only what it has on record, and that only where it may: what is low, of the two kinds, and
   * touched by nothing else. Returns what it corrected.
   */
  async compare(
    sql: postgres.Sql,
    { before, after, lives, now }: { before: Books; after: Books; lives: Lives; now: Date },
  ): Promise<Living[]> {
    const corrected: Living[] = [];
    const expected = structuredClone(before);
    for (const { id, fingerprint, state } of await this.#new(sql)) {
      const living = lives.byFingerprint(fingerprint);
      if (state === 'applied') {
        expectAllowed(living, lives, before);
        (living.row.kind === 'unlinked' ? link : setBalance)(expected, idIn(living.row.subject), after);
        correct(living.row, now.getTime(), id);
        corrected.push(living);
      } else living.row.events.push(`correction_${state}`);
    }
    assert.deepEqual(inOrder(after), inOrder(expected), 'the books after a run');
    return corrected;
  }

  async #new(sql: postgres.Sql): Promise<{ id: string; fingerprint: string; state: string }[]> {
    const rows = await sql<{ id: string; fingerprint: string; state: string }[]>`
      select correction.id, exception.fingerprint, correction.state
      from reconciliation_corrections as correction
      inner join reconciliation_exceptions as exception on exception.id = correction.exception_id
      where correction.id <> all (${[...this.#known]}::uuid[])
      order by exception.fingerprint collate "C"`;
    for (const { id } of rows) this.#known.add(id);
    return rows;
  }
}

function expectAllowed({ row }: Living, lives: Lives, books: Books): void {
  const { kind, severity, subject } = row;
  assert.ok(severity === 'low' && correctable.includes(kind), `${severity} ${kind} of ${subject} was corrected`);
  const others = lives.unresolved().filter((one) => one.row !== row && touches(one.row, row, books));
  assert.deepEqual(
    others.map((other) => other.row.subject),
    [],
    `what else touches ${subject}, which was corrected`,
  );
}

/** The balance becomes what the entries add up to. */
function setBalance(books: Books, id: string, after: Books): void {
  const account = books.accounts.find((one) => one.id === id)!;
  const sideOf = (side: string) =>
    totalOrZero(
      books.entries
        .filter(({ account_id: on, entry_type: type }) => on === id && type === side)
        .map(({ amount }) => amount),
    );
  const written = after.accounts.find((one) => one.id === id)!.balance;
  assert.ok(same(new Exact(written!), sideOf('debit').minus(sideOf('credit'))), `the balance ${written} of ${id}`);
  account.balance = written; // however many zeros it ends with
}

/** The job names the one transaction that names it. */
function link(books: Books, id: string): void {
  const naming = books.headers.filter(({ reference_id: reference }) => reference === id);
  assert.equal(naming.length, 1, `the transactions that name ${id}`);
  books.jobs.find((job) => job.id === id)!.ledger_transaction_id = naming[0]!.id;
}

/** Whether what another exception is about has to do with what is corrected. */
function touches(other: ModelRow, corrected: ModelRow, books: Books): boolean {
  if (other.subject === corrected.subject) return true;
  const id = idIn(corrected.subject);
  if (corrected.kind === 'unlinked')
    return books.headers.some(
      ({ id: transaction, reference_id: reference }) =>
        reference === id && other.subject === `transaction:${transaction}`,
    );
  if (other.user !== null && other.user === corrected.user) return true;
  const transactions = books.entries.filter(({ account_id: on }) => on === id).map(({ transaction_id: of }) => of);
  return transactions.some((transaction) => other.subject === `transaction:${transaction}`);
}

/** PostgreSQL gives the rows in no order. */
function inOrder(books: Books): Record<string, string[]> {
  const tables = Object.entries(books) as [string, object[]][];
  return Object.fromEntries(tables.map(([table, rows]) => [table, rows.map((row) => JSON.stringify(row)).toSorted()]));
}
