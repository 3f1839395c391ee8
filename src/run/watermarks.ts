import type { Checkpoint, Coverage, Handover, Horizon, Window } from '../checks/check.ts';
import type { CheckName } from '../checks/names.ts';
import { inReadOnly, type Database, type Transaction } from '../database/database.ts';
import { clockTolerance } from './horizon.ts';

/** The cut of a run, as watermarks are held against it. */
export interface CutTimes extends Horizon {
  asOf: string;
  /** The same moment by the clock of this machine. */
  runAt: string;
  /** The mapping and the rules, `identityOf`. */
  source: string;
}

/**
 * From where to where each check verifies in a run. A watermark is gone by only if it was seen through the same mapping
 * and no clock jumped: rows that came while a clock was wrong may carry any time. Nor if the database was put back: what
 * was verified there may never have happened now.
 */
export async function windowsOf(
  database: Database,
  schema: string,
  times: CutTimes,
  options: { onlyChanges: boolean; compared: ReadonlyMap<string, number> },
): Promise<(check: CheckName) => Window> {
  const rows = await inReadOnly(database, (transaction) => readWatermarks(transaction, schema, times));
  const known = new Map(rows.map((row) => [row.check_type, row]));
  return (check) => {
    const row = known.get(check);
    const why = whyNot(row);
    const sound = why === null && row !== undefined;
    return {
      since: sound ? row.verified_through : null,
      until: sound ? row.next : times.through,
      onlyChanges: options.onlyChanges && sound,
      why: options.onlyChanges ? why : null,
      provenAsOf: row?.proven_as_of ?? null,
      waiting: row?.waiting ?? [],
      compared: options.compared.get(check),
      differing: (accounts) => inReadOnly(database, (transaction) => differing(transaction, schema, accounts)),
    };
  };
}

/** A row of reconciliation_watermarks, held against the cut. Times are RFC 3339 in UTC. */
interface KnownWatermark {
  check_type: CheckName;
  verified_through: string;
  /** The same, or the cut's horizon if it is later. */
  next: string;
  proven_as_of: string;
  same_mapping: boolean;
  clocks_agree: boolean;
  same_history: boolean;
  waiting: string[];
}

function whyNot(row: KnownWatermark | undefined): string | null {
  if (row === undefined) return 'nothing was verified before';
  if (!row.same_mapping) return 'the mapping or the rules have changed';
  if (!row.same_history) return 'the database was restored to an earlier moment, or another took its place';
  return row.clocks_agree ? null : 'a clock jumped since the last run';
}

async function readWatermarks(
  transaction: Transaction,
  schema: string,
  { asOf, through, runAt, source, history, transactions }: CutTimes,
): Promise<KnownWatermark[]> {
  return transaction<KnownWatermark[]>`
    select
      watermark.check_type, watermark.verified_through, watermark.proven_as_of,
      greatest(watermark.verified_through, ${through}::timestamptz) as next,
      watermark.source = ${source}::text as same_mapping,
      coalesce(watermark.history = ${history} and watermark.transactions <= ${transactions}::numeric, true) as same_history,
      -- both clocks went on, and by the same time
      ${asOf}::timestamptz >= watermark.as_of
      and (${asOf}::timestamptz - watermark.as_of) - (${runAt}::timestamptz - watermark.run_at)
        between -${clockTolerance}::interval and ${clockTolerance}::interval as clocks_agree,
      array(
        select waiting.subject_id
        from ${transaction(`${schema}.reconciliation_waiting`)} as waiting
        where waiting.check_type = watermark.check_type
        order by waiting.subject_id
      ) as waiting
    from ${transaction(`${schema}.reconciliation_watermarks`)} as watermark
    order by watermark.check_type
  `;
}

async function differing(transaction: Transaction, schema: string, accounts: readonly Checkpoint[]): Promise<string[]> {
  const rows = await transaction<{ account_id: string }[]>`
    select held.account_id
    from json_to_recordset(${JSON.stringify(accounts)}::text::json) as held (account_id uuid, balance numeric)
    left join ${transaction(`${schema}.reconciliation_checkpoints`)} as checkpoint
      on checkpoint.account_id = held.account_id
    where held.balance is distinct from checkpoint.balance
    order by held.account_id
  `;
  return rows.map((row) => row.account_id);
}

/** What a complete check leaves for the next run. */
export interface Verified {
  check: CheckName;
  reportId: string;
  window: Window;
  times: CutTimes;
  coverage: Coverage;
  handover: Handover;
}

/** Moves the watermark of a check on. Part of the transaction that ends the run, once its exceptions are stored. */
export async function storeVerified(transaction: Transaction, schema: string, verified: Verified): Promise<void> {
  await storeWatermark(transaction, schema, verified);
  await storeWaiting(transaction, schema, verified.check, verified.handover.waiting);
  if (verified.handover.checkpoints === undefined) return;
  for (const rows of verified.handover.checkpoints.batches()) await storeCheckpoints(transaction, schema, rows);
  await forgetDoubtful(transaction, schema);
}

async function storeWatermark(
  transaction: Transaction,
  schema: string,
  { check, reportId, window, times, coverage }: Verified,
): Promise<void> {
  await transaction`
    insert into ${transaction(`${schema}.reconciliation_watermarks`)} as stored (
      check_type, verified_through, as_of, run_at, proven_as_of, source, history, transactions, report_id, proven_report_id
    )
    values (
      ${check}, ${window.until}, ${times.asOf}, ${times.runAt}, ${times.asOf}, ${times.source}, ${times.history}, ${times.transactions}, ${reportId}, ${reportId}
    )
    on conflict (check_type) do update
    set
      verified_through = excluded.verified_through,
      as_of = excluded.as_of,
      run_at = excluded.run_at,
      source = excluded.source,
      history = excluded.history,
      transactions = excluded.transactions,
      report_id = excluded.report_id,
      proven_as_of = case when ${coverage} = 'everything' then excluded.proven_as_of else stored.proven_as_of end,
      proven_report_id =
        case when ${coverage} = 'everything' then excluded.proven_report_id else stored.proven_report_id end
  `;
}

async function storeWaiting(
  transaction: Transaction,
  schema: string,
  check: CheckName,
  waiting: readonly string[],
): Promise<void> {
  const table = transaction(`${schema}.reconciliation_waiting`);
  await transaction`
    delete from ${table} as stored
    where
      stored.check_type = ${check}
      and not exists (select from unnest(${[...waiting]}::uuid[]) as still (id) where still.id = stored.subject_id)
  `;
  await transaction`
    insert into ${table} (check_type, subject_id)
    select ${check}, waiting.id
    from unnest(${[...waiting]}::uuid[]) as waiting (id)
    on conflict do nothing
  `;
}

async function storeCheckpoints(transaction: Transaction, schema: string, rows: string): Promise<void> {
  await transaction`
    insert into ${transaction(`${schema}.reconciliation_checkpoints`)} as stored (account_id, balance)
    select checkpoint.account_id, checkpoint.balance
    from json_to_recordset(${rows}::text::json) as checkpoint (account_id uuid, balance numeric)
    on conflict (account_id) do update
    set balance = excluded.balance
    where stored.balance is distinct from excluded.balance
  `;
}

/** What an account is said to have held while something is wrong with it proves nothing. */
async function forgetDoubtful(transaction: Transaction, schema: string): Promise<void> {
  await transaction`
    delete from ${transaction(`${schema}.reconciliation_checkpoints`)} as checkpoint
    using ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    where
      exception.resolved_at is null
      and checkpoint.account_id
        = case when exception.affected_entity ~ '^account:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then substr(exception.affected_entity, 9)::uuid end
  `;
}
