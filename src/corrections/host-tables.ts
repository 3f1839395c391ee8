import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { query, type Transaction } from '../database/database.ts';
import { toJsonb } from '../database/jsonb.ts';
import { money, toText } from '../money.ts';
import type { Source } from '../source.ts';
import { Failure, Refusal } from './refusal.ts';

/** The tables of the host that a correction locks or writes; each has its statements in the folder of the mapping. */
export const hostTables = [
  'ledger_accounts',
  'ledger_transactions',
  'ledger_entries',
  'conversion_jobs',
  'deposits',
  'withdrawals',
] as const;
export type HostTable = (typeof hostTables)[number];

type Values = Readonly<Record<string, string | null>>;

/** One row of the host that is written. */
export interface HostRow {
  table: HostTable;
  id: string;
  /** Only the columns that change; null: the row is new. */
  before: Values | null;
  after: Values;
}

/** By how much a row of an account moves its balance: exact decimal text. */
export function movedBy({ before, after }: Pick<HostRow, 'before' | 'after'>): string {
  return toText(money(after['balance'] ?? 'NaN').minus(money(before?.['balance'] ?? 'NaN')));
}

/** Locks rows in the order of their ids, until the transaction ends. Throws a Refusal where one is gone, or stands twice. */
export async function lockRows(
  transaction: Transaction,
  source: Source,
  table: HostTable,
  ids: readonly string[],
): Promise<void> {
  const locked = await query(transaction, statement(source, `${table}.lock`), [[...ids]]);
  if (locked.length !== new Set(ids).size)
    throw new Refusal(`${table} has ${locked.length} rows where ${new Set(ids).size} were meant.`);
}

/** Writes one row. Throws a Failure if it is no longer what was read, or PostgreSQL's own error if the host refuses. */
export async function writeRow(transaction: Transaction, source: Source, row: HostRow, at: string): Promise<void> {
  const { table, id, before, after } = row;
  const text = statement(source, `${table}.${deedOf(row)}`);
  const rows = await query(transaction, text, [id, before && toJsonb(before), toJsonb(after), at]);
  if (rows.length !== 1) throw new Failure(`The row ${id} of ${table} was not written as it was planned.`);
}

/** One entry by which the host books a record; its amount is the caller's. */
export interface EntryDue {
  user_id: string | null;
  transaction_type: string;
  reference_type: string;
  account_id: string;
  account_user_id: string | null;
  entry_type: 'debit' | 'credit';
  currency: string;
}

/** The entries by which this host books a record. */
export async function entriesDue(
  transaction: Transaction,
  source: Source,
  recordKind: string,
  recordId: string,
): Promise<EntryDue[]> {
  return query<EntryDue>(transaction, statement(source, entriesDueName), [recordKind, recordId]);
}

const entriesDueName = 'entries_due';

/** What writes a row. */
export function deedOf({ before }: Pick<HostRow, 'before'>): 'insert' | 'update' {
  return before === null ? 'insert' : 'update';
}

/**
 * Lets PostgreSQL plan every statement of the mapping’s folder, and executes none: it throws where the role lacks a right,
 * or the statement is wrong. Returns how many there are.
 */
export async function planAll(transaction: Transaction, source: Source): Promise<number> {
  const folder = join(source.folder, 'corrections');
  const files = existsSync(folder) ? readdirSync(folder).sort() : [];
  for (const file of files) await planStatement(transaction, source, file.replace(/\.sql$/, ''));
  return files.length;
}

/** The same of one: `<table>.lock`, `.insert` or `.update`, `entries_due`. Throws a Refusal if the mapping has none. */
export function planStatement(transaction: Transaction, source: Source, name: string): Promise<object[]> {
  const parameters = parametersOf(name).map(() => null);
  return query(transaction, `explain ${statement(source, name)}`, parameters);
}

/** What each statement is given, as the columns of a CTE. */
function parametersOf(name: string): readonly string[] {
  if (name.endsWith('.lock')) return ['uuid[] as ids'];
  if (name === entriesDueName) return ['text as record_kind', 'uuid as record_id'];
  return ['uuid as id', 'text::jsonb as before', 'text::jsonb as after', 'timestamptz as at'];
}

function cteOf(name: string): string {
  return name.endsWith('.lock') ? 'asked' : name === entriesDueName ? 'params' : 'written';
}

/** A mapping says how its host is written to, or that it is not. Throws a Refusal for the latter. */
function statement({ folder }: Source, name: string): string {
  const file = join(folder, 'corrections', `${name}.sql`);
  if (!existsSync(file)) throw new Refusal(`The mapping has no corrections/${name}.sql: this host is not written to.`);
  const given = parametersOf(name).map((parameter, index) => `$${index + 1}::${parameter}`);
  return `with ${cteOf(name)} as (select ${given.join(', ')})\n${readFileSync(file, 'utf8')}`;
}
