import type { Transaction } from '../database/database.ts';

/** What became of the corrections of a time: the success rate of what runs and people tried. */
export interface CorrectionFigures {
  /** corrected + refused + failed. */
  tried: number;
  corrected: number;
  refused: number;
  failed: number;
  /** How many exceptions are open still whose correction failed. */
  failed_open: number;
  /** Of those corrected, how many were found again, though nobody undid them. */
  came_back: number;
  /** Proposals that wait for a second person. */
  proposed: number;
}

/** The condition that a row named `exception` is the return of one that was corrected, and not undone. */
export function cameBack(transaction: Transaction, schema: string) {
  const corrections = transaction(`${schema}.reconciliation_corrections`);
  return transaction`
    exists (
      select
      from ${corrections} as correction
      where
        correction.exception_id = exception.previous_exception_id
        and correction.state = 'applied'
        and correction.undoes is null
        and not exists (
          select from ${corrections} as undoing where undoing.undoes = correction.id and undoing.state = 'applied'
        )
    )
  `;
}

/** Of one run, or of all that ended since a time. */
export async function correctionFigures(
  transaction: Transaction,
  schema: string,
  { reportId, since }: { reportId?: string; since?: Date },
): Promise<CorrectionFigures> {
  const [figures] = await transaction<CorrectionFigures[]>`
    select
      count(*) filter (where correction.state in ('applied', 'refused', 'failed'))::integer as tried,
      count(*) filter (where correction.state = 'applied')::integer as corrected,
      count(*) filter (where correction.state = 'refused')::integer as refused,
      count(*) filter (where correction.state = 'failed')::integer as failed,
      count(distinct correction.exception_id) filter (
        where correction.state = 'failed' and exists (
          select
          from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
          where exception.id = correction.exception_id and exception.resolved_at is null
        )
      )::integer as failed_open,
      count(*) filter (
        where correction.state = 'applied' and exists (
          select
          from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
          where exception.previous_exception_id = correction.exception_id and ${cameBack(transaction, schema)}
        )
      )::integer as came_back,
      count(*) filter (where correction.state = 'proposed')::integer as proposed
    from ${transaction(`${schema}.reconciliation_corrections`)} as correction
    where
      correction.undoes is null
      and (${reportId ?? null}::uuid is null or correction.report_id = ${reportId ?? null})
      and (${since ?? null}::timestamptz is null or coalesce(correction.ended_at, ${since ?? null}) >= ${since ?? null})
  `;
  if (figures === undefined) throw new Error('The database did not count.');
  return figures;
}

/** What became of the attempts to take a correction back. */
export interface UndoingFigures {
  undone: number;
  undo_refused: number;
  undo_failed: number;
  /** Corrections that were to be taken back, and still stand. */
  not_undone: number;
  /** Corrections that were taken back, and no complete run has looked since: what they corrected is likely wrong again. */
  undone_unseen: number;
}

/** The condition that a whole, complete check has begun since `undoing`, which takes back a correction of `exception`. */
function isSeen(transaction: Transaction, schema: string) {
  return transaction`
    exists (
      select
      from ${transaction(`${schema}.reconciliation_checks`)} as looked
      inner join ${transaction(`${schema}.reconciliation_reports`)} as report on report.id = looked.report_id
      where
        looked.check_type = exception.check_type
        and looked.status = 'completed'
        and looked.created_at > undoing.ended_at -- follows from the next one, and has an index
        and report.started_at > undoing.ended_at
        and not report.metadata ? 'narrowed_to'
    )
  `;
}

/** When the correction of an exception was taken back, and whether a run has looked since. */
export interface Undone {
  /** RFC 3339 in UTC. */
  at: string;
  is_seen: boolean;
}

/** null: none was taken back. */
export async function undoneOf(transaction: Transaction, schema: string, exceptionId: string): Promise<Undone | null> {
  const [undone] = await transaction<Undone[]>`
    select undoing.ended_at as at, ${isSeen(transaction, schema)} as is_seen
    from ${transaction(`${schema}.reconciliation_corrections`)} as undoing
    inner join ${transaction(`${schema}.reconciliation_exceptions`)} as exception on exception.id = undoing.exception_id
    where undoing.exception_id = ${exceptionId} and undoing.undoes is not null and undoing.state = 'applied'
    order by undoing.ended_at desc, undoing.id
    limit 1
  `;
  return undone ?? null;
}

/** Of all undoings since a time. */
export async function undoingFigures(transaction: Transaction, schema: string, since: Date): Promise<UndoingFigures> {
  const [figures] = await transaction<UndoingFigures[]>`
    select
      count(*) filter (where undoing.state = 'applied')::integer as undone,
      count(*) filter (where undoing.state = 'refused')::integer as undo_refused,
      count(*) filter (where undoing.state = 'failed')::integer as undo_failed,
      count(distinct undoing.undoes) filter (
        where not exists (
          select
          from ${transaction(`${schema}.reconciliation_corrections`)} as done
          where done.undoes = undoing.undoes and done.state = 'applied'
        )
      )::integer as not_undone,
      count(*) filter (where undoing.state = 'applied' and not ${isSeen(transaction, schema)})::integer as undone_unseen
    from ${transaction(`${schema}.reconciliation_corrections`)} as undoing
    inner join ${transaction(`${schema}.reconciliation_exceptions`)} as exception on exception.id = undoing.exception_id
    where undoing.undoes is not null and undoing.ended_at >= ${since}
  `;
  if (figures === undefined) throw new Error('The database did not count.');
  return figures;
}
