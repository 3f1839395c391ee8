import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import { incompleteOrDone, type Fault, type Place } from '../fault.ts';
import type { Scene } from '../stage.ts';
import type { Rehearsal } from '../trial.ts';

const onTables = { at: 'statements', objects: tablesIn } as const;

export const ofLocks = {
  'lock lost': {
    what: 'pg_terminate_backend ends the session that holds the lock of all runs',
    at: 'moments',
    strike: async (_moment, { scene: { sql } }) => {
      const ended = await sql`
        select pg_terminate_backend(held.pid)
        from pg_locks as held
        inner join pg_database as own on own.oid = held.database and own.datname = current_database()
        where
          held.locktype = 'advisory'
          and (held.classid::bigint << 32) | held.objid::bigint = hashtextextended('recon run public', 0)`;
      return ended.length > 0;
    },
    ends: incompleteOrDone,
  },
  'lock taken': {
    what: 'somebody holds the lock of the alerts or of the metrics until the run has ended, or that of all runs for a second',
    at: 'statements',
    fits: ({ says }) => says.includes('advisory_xact_lock'),
    objects: () => ['run', 'alerts', 'metrics'],
    strike: async (_moment, { scene, run, on }) => {
      const name = `recon ${on} public`;
      const { free } = await hold(
        scene,
        (holder) => holder`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`,
      );
      const ended = once(run.child, 'exit');
      void (on === 'run' ? Promise.race([ended, sleep(1_000)]) : ended).then(free);
    },
    ends: [2],
  },
  'table locked': {
    what: 'somebody locks a table that a run names, one after the other, for half a second',
    ...onTables,
    strike: async (_moment, place) => {
      setTimeout(await lockTable(place), 500);
    },
    ends: [2],
  },
  'locked for good': {
    what: 'the same, for good; the run may take five seconds',
    ...onTables,
    env: { RECONCILIATION_RUN_TIMEOUT: '5s' },
    strike: (_moment, place) => lockForGood(place),
    ends: incompleteOrDone,
    says: /lock|deadline/,
  },
  'locked, SIGTERM': {
    what: 'the same, for good; after two seconds the process is told to stop',
    ...onTables,
    strike: (_moment, place) => {
      setTimeout(() => place.run.child.kill('SIGTERM'), 2_000);
      return lockForGood(place);
    },
    ends: [143, 2],
  },
  'locked, kill -9': {
    what: 'the same; after a second the process is killed, and the table is free after fifteen more',
    ...onTables,
    strike: async (_moment, place) => {
      const { child } = place.run;
      const free = await lockTable(place);
      setTimeout(() => child.kill('SIGKILL'), 1_000);
      child.once('exit', () => setTimeout(free, 15_000));
    },
    ends: ['SIGKILL', 2],
  },
  'rows locked': {
    what: 'the host locks all rows of one of its tables (`for update`) until the run has ended',
    ...onTables,
    objects: hostTablesIn,
    strike: async (_moment, { scene, run, on }) => {
      const { free } = await hold(scene, (holder) => holder`select from ${holder(on)} for update`);
      run.child.once('exit', free);
    },
    ends: [2],
  },
} satisfies Record<string, Fault>;

/** Returns what frees it. */
async function lockTable({ scene, on }: Place): Promise<() => void> {
  const { free } = await hold(scene, (holder) => holder`lock table ${holder(on)} in access exclusive mode`);
  return free;
}

async function lockForGood(place: Place): Promise<void> {
  place.run.child.once('exit', await lockTable(place));
}

/** The tables that a run names. */
function tablesIn({ tables, moments }: Rehearsal): string[] {
  return tables.filter((table) => {
    const name = new RegExp(`\\b${table}\\b`);
    return moments.some(({ kind, says }) => kind === 'statement' && name.test(says));
  });
}

/** Those that are not recon's own. */
function hostTablesIn(rehearsal: Rehearsal): string[] {
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
