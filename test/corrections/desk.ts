import type postgres from 'postgres';
import type { Word } from '../../src/corrections/proposals.ts';
import type { Desk as CorrectionDesk } from '../../src/corrections/transaction.ts';
import type { Database } from '../../src/database/database.ts';
import { openSource } from '../../src/source.ts';
import { testDatabase } from '../support/database.ts';
import { LedgerBuilder, type User } from '../support/ledger.ts';
import { configOf, cutAt } from '../support/run-check.ts';
import { operatorOf, type Operator } from '../support/world.ts';

/** Books in order, and somebody who runs recon over them with corrections switched on. */
export interface Desk extends Operator {
  url: string;
  sql: postgres.Sql;
  ledger: LedgerBuilder;
  ada: User;
  bob: User;
  save: () => Promise<void>;
  /** Every exception, in the order of their fingerprints. */
  exceptions: () => Promise<StoredException[]>;
  /** Every correction, in the order in which they were made. */
  corrections: () => Promise<StoredCorrection[]>;
  /** What a correction could write to. */
  books: () => Promise<Books>;
  /** Lets the stored balance of an account drift. */
  drift: (accountId: string, by: string) => Promise<void>;
}

interface StoredException {
  id: string;
  kind: string;
  auto_corrected: boolean;
  correction_action: string | null;
  resolved_by: string | null;
  resolved_at: Date | null;
  previous_exception_id: string | null;
}

interface StoredCorrection {
  id: string;
  exception_id: string;
  correction: string;
  state: string;
  reason: string | null;
  amount: string;
  rows_written: unknown[];
}

interface Books {
  accounts: { id: string; balance: string }[];
  jobs: { id: string; ledger_transaction_id: string | null }[];
  transactions: Record<string, unknown>[];
  entries: Record<string, unknown>[];
}

export async function desk(env: Record<string, string> = {}): Promise<Desk> {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now: cutAt, seed: 7 });
  const [ada, bob] = [ledger.user(), ledger.user()];
  for (const user of [ada, bob]) {
    ledger.deposit(user, '100');
    ledger.investment(user, '20');
  }
  await ledger.save(sql);
  return {
    ...operatorOf(url, { RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY: 'true', ...env }),
    url,
    sql,
    ledger,
    ada,
    bob,
    save: () => ledger.save(sql),
    exceptions: () => sql`select * from reconciliation_exceptions order by fingerprint collate "C", created_at`,
    // the clock of the database stands still in tests, that of the machine moves on from run to run
    corrections: () => sql`
      select correction.*
      from reconciliation_corrections as correction
      left join reconciliation_reports as report on report.id = correction.report_id
      order by report.started_at, correction.correction, correction.id`,
    books: () => booksIn(sql),
    drift: async (accountId, by) => {
      await sql`update ledger_accounts set balance = balance + ${by}::numeric where id = ${accountId}`;
    },
  };
}

async function booksIn(sql: postgres.Sql): Promise<Books> {
  return {
    accounts: [...(await sql<Books['accounts']>`select id, balance from ledger_accounts order by id`)],
    jobs: [...(await sql<Books['jobs']>`select id, ledger_transaction_id from conversion_jobs order by id`)],
    transactions: [...(await sql`select * from ledger_transactions order by id`)],
    entries: [...(await sql`select * from ledger_entries order by id`)],
  };
}

/** What the commands of two people work with, at the moment of the cut or, without one, now. */
export function deskOf(database: Database, at?: Date): CorrectionDesk {
  const signal = new AbortController().signal;
  return {
    database,
    schema: 'public',
    config: configOf(),
    source: openSource('stack_service'),
    world: { random: () => 0.5, signal, host: 'desk-7', ...(at && { asOf: at }) },
    mask: (text) => text,
  };
}

/** Somebody who says something without a note. */
export function wordOf(by: string): Word {
  return { by, host: 'desk-7', note: null };
}
