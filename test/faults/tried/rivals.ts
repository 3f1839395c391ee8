import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import { incompleteOrDone, ofStatement, type Fault, type Place } from '../fault.ts';
import type { Moment, Statement } from '../moments.ts';
import type { Scene } from '../stage.ts';
import type { Rehearsal } from '../trial.ts';
import { hold } from './locks.ts';

export const ofRivals = {
  'real deadlock': {
    what: 'somebody locks a table that a run writes, and once it waits wants what its transaction has locked',
    at: 'statements',
    objects: tablesWrittenIn,
    strike: (_moment, place) => embrace(place),
    happened: deadlocked,
    ends: incompleteOrDone,
  },
  'rows rewritten': {
    what: 'somebody rewrites the rows of the table that the statement writes, and commits when it waits for them; transactions are serializable by default',
    at: 'statements',
    fits: writes,
    before: serializableByDefault,
    strike: ofStatement((statement, { scene }) => overtake(statement, scene)),
    ends: [2],
  },
} satisfies Record<string, Fault>;

/** Whether a statement writes into a table. */
function writes({ kind, says }: Moment): boolean {
  return kind === 'statement' && tableOf(says) !== undefined;
}

function tableOf(says: string): string | undefined {
  return /(?:insert into|delete from|(?<!for )update) (?:"public"\.)?"?((?:reconciliation|ledger|conversion)_\w+)/.exec(
    says,
  )?.[1];
}

/** The tables that a run writes. */
function tablesWrittenIn({ moments }: Rehearsal): string[] {
  return [...new Set(moments.filter(writes).map(({ says }) => tableOf(says)!))].toSorted();
}

/**
 * Takes a table, and when a session of the run waits for it asks for what that has locked itself: the server ends the
 * run's, which has waited for longer.
 */
async function embrace({ scene, run, on: table }: Place): Promise<void> {
  const { holder, free } = await hold(scene, async (rival) => {
    await rival`set local deadlock_timeout = '1h'`;
    await rival`lock table ${rival(table)} in access exclusive mode`;
  });
  const want = async () => {
    const key = await lockOfWhoWaits(scene.sql, run.child);
    if (key !== undefined) await holder`select pg_advisory_xact_lock(${key}::bigint)`;
  };
  void want()
    .catch(() => undefined)
    .finally(free);
}

/** A lock that a waiting session of the run holds, once there is one; undefined: it holds none, or the run has ended. */
async function lockOfWhoWaits(sql: postgres.Sql, child: ChildProcess): Promise<string | undefined> {
  while (child.exitCode === null) {
    const [waiting] = await sql<{ key: string | null }[]>`
      select ((held.classid::bigint << 32) | held.objid::bigint)::text as key
      from pg_stat_activity as activity
      left join pg_locks as held on held.pid = activity.pid and held.locktype = 'advisory' and held.granted
      where
        activity.datname = current_database()
        and activity.application_name = 'recon'
        and activity.wait_event_type = 'Lock'
      limit 1`;
    if (waiting !== undefined) return waiting.key ?? undefined;
    await sleep(10);
  }
  return undefined;
}

/** Whether the server saw a deadlock; it says so a moment after the session has ended. */
async function deadlocked({ sql }: Scene): Promise<boolean> {
  const [row] = await sql<{ deadlocks: string }[]>`
    select deadlocks from pg_stat_database where datname = current_database()`;
  return Number(row?.deadlocks) > 0;
}

/** What a run must not rely on: each of its transactions says how it is isolated. */
async function serializableByDefault({ sql }: Scene): Promise<void> {
  await sql`
    do $$ begin
      execute format('alter database %I set default_transaction_isolation = serializable', current_database());
    end $$`;
}

/** Writes every row of the table anew, and commits when the statement waits for one of them. False: it may not. */
async function overtake({ says, session }: Statement, { sql }: Scene): Promise<boolean> {
  const table = tableOf(says)!;
  const [column] = await sql<{ name: string }[]>`
    select attname as name from pg_attribute where attrelid = ${table}::regclass and attnum > 0 order by attnum limit 1`;
  if (session === undefined || column === undefined) return false;
  const rival = await sql.reserve();
  await rival`begin isolation level read committed`;
  await rival`set local lock_timeout = '100ms'`; // what the run itself has locked
  const written = await rival`update ${rival(table)} set ${rival(column.name)} = ${rival(column.name)}`.then(
    ({ count }) => count,
    () => 0, // nor may it where a trigger keeps what is written once
  );
  if (written === 0) {
    await rival`rollback`;
    rival.release();
    return false;
  }
  const commit = async () => {
    await whenItWaits(sql, session);
    await rival`commit`;
    rival.release();
  };
  void commit().catch(() => undefined); // the scene is over
  return true;
}

/** Resolves when a session waits for a lock, or after a while in which it did not. */
async function whenItWaits(sql: postgres.Sql, session: number): Promise<void> {
  const patience = performance.now() + 500;
  while (performance.now() < patience) {
    const waiting = await sql`
      select from pg_stat_activity where pid = ${session} and wait_event_type = 'Lock'`;
    if (waiting.length > 0) return;
  }
}
