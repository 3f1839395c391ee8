import { readFile } from 'node:fs/promises';
import type { Sql } from 'postgres';
import type { LedgerSize, Shape } from './shapes.ts';

/** What the session that fills needs; the checks and the queries that are measured see none of it. */
const session = `
  set maintenance_work_mem = '1GB';
  set work_mem = '256MB';
  set synchronize_seqscans = off; -- entries are stored in the order of their transactions
  set jit = off;
`;

/** Fills the host's empty tables, and leaves its schema as it was. `sql` must be one connection. */
export async function fill(sql: Sql, { entries, shape }: LedgerSize): Promise<void> {
  await sql.unsafe(session);
  await sql`select set_config('bench.entries', ${String(entries)}, false), set_config('bench.shape', ${shape}, false)`;
  for (const step of stepsOf(shape)) await sql.unsafe(await readStep(step));
  await sql.unsafe('vacuum (freeze, analyze)'); // as autovacuum leaves a table that has stood for a while
}

function stepsOf(shape: Shape): string[] {
  const faults = shape === 'known-exceptions' ? ['faults'] : [];
  return ['prepare', 'keys.remove', 'plan', 'ledger', 'records', 'keys.restore', ...faults, 'finish'];
}

/** Every file that decides what a filled ledger looks like, one after the other. */
export async function readFill(shape: Shape): Promise<string> {
  return [await readHost(), ...(await Promise.all(stepsOf(shape).map(readStep)))].join('\n');
}

/** The schema of the first host. */
export function readHost(): Promise<string> {
  return readFile(new URL('../support/host.sql', import.meta.url), 'utf8');
}

/** What was under way when a kept ledger was filled is under way now. */
export async function freshen(sql: Sql): Promise<void> {
  await sql.unsafe(await readStep('freshen'));
}

/** Books `count` new deposits and withdrawals, with times of the last five minutes. */
export async function applyChanges(sql: Sql, count: number): Promise<void> {
  await sql`select set_config('bench.changes', ${String(count)}, false)`;
  await sql.unsafe(await readStep('changes.apply'));
}

/** Takes back what `applyChanges` did, if it did. */
export async function removeChanges(sql: Sql, count: number): Promise<void> {
  await sql`select set_config('bench.changes', ${String(count)}, false)`;
  await sql.unsafe(await readStep('changes.remove'));
  await sql.unsafe('vacuum ledger_accounts, ledger_transactions, ledger_entries, deposits, withdrawals');
}

function readStep(step: string): Promise<string> {
  return readFile(new URL(`./${step}.sql`, import.meta.url), 'utf8');
}
