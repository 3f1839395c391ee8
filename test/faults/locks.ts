import type postgres from 'postgres';
import type { Scene } from './stage.ts';
import type { Rehearsal } from './trial.ts';

/** The tables that a run names. */
export function tablesIn({ tables, moments }: Rehearsal): string[] {
  return tables.filter((table) => {
    const name = new RegExp(`\\b${table}\\b`);
    return moments.some(({ kind, says }) => kind === 'statement' && name.test(says));
  });
}

/** Those that are not recon's own. */
export function hostTablesIn(rehearsal: Rehearsal): string[] {
  return tablesIn(rehearsal).filter((table) => !table.startsWith('reconciliation_'));
}

/**
 * Takes a lock in a transaction of somebody else, or has that wait in line, behind the run, as `alter table` would.
 * Returns its session, and what gives the lock up.
 */
export async function hold(
  { sql }: Scene,
  lock: (holder: postgres.ReservedSql) => PromiseLike<unknown>,
): Promise<{ holder: postgres.ReservedSql; free: () => void }> {
  const holder = await sql.reserve();
  const [session] = await holder<{ pid: number }[]>`select pg_backend_pid() as pid`;
  await holder`begin`;
  const asked = { isSettled: false };
  const settle = () => {
    asked.isSettled = true;
  };
  const settled = lock(holder).then(settle, settle);
  while (!asked.isSettled && !(await waitsForLock(sql, session!.pid)));
  const giveUp = async () => {
    if (!asked.isSettled) await sql`select pg_cancel_backend(${session!.pid})`;
    await settled;
    await holder`rollback`;
    holder.release();
  };
  const free = () => void giveUp().catch(() => undefined); // where the scene is over, it is free
  return { holder, free };
}

async function waitsForLock(sql: postgres.Sql, session: number): Promise<boolean> {
  return (await sql`select from pg_stat_activity where pid = ${session} and wait_event_type = 'Lock'`).length > 0;
}
