import type { Transaction } from '../database/database.ts';
import { stands } from '../exceptions/state.ts';
import { severitiesFrom, type Severity } from '../kinds.ts';
import type { TargetName } from './target.ts';

/** Somebody who is told. */
export interface Listener {
  /** The lowest severity that it hears of. */
  severity: Severity;
  /** What it has been told so far; null: nothing yet. */
  past: Past | null;
}

/** Places in the log of events. */
export interface Past {
  /** The last event when it was told for the first time. */
  since: string;
  /** The last event when it was told last. */
  through: string;
}

/**
 * The table `told`: exceptions with their `change` since this listener was told last, by runs that told it or did not, and
 * by people. Who has been told nothing yet hears of all that is open, of what this run made as new.
 */
export function toldTo(
  transaction: Transaction,
  schema: string,
  { severity, past }: Listener,
  { at, reportId }: { at: string; reportId: string | null },
) {
  const loud = [...severitiesFrom(severity)];
  const isLoud = transaction`exception.severity = any (${loud}::text[])`;
  const isPending = transaction`(${stands(transaction, 'open', new Date(at))})`;
  if (past !== null) return happenedSince(transaction, schema, past, { loud, isLoud, isPending });
  return transaction`
    (
      select case when exception.report_id = ${reportId}::uuid then 'new' else 'standing' end as change, exception.*
      from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
      where ${isLoud} and ${isPending}
    ) as told
  `;
}

type Condition = ReturnType<typeof stands>;

function happenedSince(
  transaction: Transaction,
  schema: string,
  past: Past,
  { loud, isLoud, isPending }: { loud: string[]; isLoud: Condition; isPending: Condition },
) {
  return transaction`
    (
      select
        case
          when exception.resolved_at is not null then case when happened.replaced then 'replaced' else 'cleared' end
          when happened.created then 'new'
          when happened.escalated then 'escalated'
          else 'reopened'
        end as change,
        exception.*
      from (${eventsSince(transaction, schema, past)}) as happened
      inner join ${transaction(`${schema}.reconciliation_exceptions`)} as exception on exception.id = happened.exception_id
      where
        case
          when exception.resolved_at is null then ${isLoud} and ${isPending}
          -- who never heard of it need not hear that it is over; who may have, does, also where it became small before
          else
            (happened.cleared or happened.replaced)
            and not happened.created
            and (${isLoud} or ${wasLoud(transaction, schema, past, loud)})
        end
    ) as told
  `;
}

/** What happened to each exception since the listener was told last. */
function eventsSince(transaction: Transaction, schema: string, { through }: Past) {
  return transaction`
    select
      event.exception_id,
      bool_or(event.event in ('created', 'returned')) as created,
      bool_or(event.event = 'escalated') as escalated,
      bool_or(event.event = 'became') as replaced,
      bool_or(event.event = 'cleared') as cleared
    from ${transaction(`${schema}.reconciliation_exception_events`)} as event
    where event.sequence > ${through}::bigint and event.event in ${transaction(toldEvents)}
    group by event.exception_id
  `;
}

/** Whether an exception was loud once, since the listener was told for the first time. */
function wasLoud(transaction: Transaction, schema: string, { since }: Past, loud: string[]) {
  return transaction`
    exists (
      select from ${transaction(`${schema}.reconciliation_exception_events`)} as eased
      where
        eased.exception_id = exception.id
        and eased.sequence > ${since}::bigint
        and eased.event = 'eased'
        and eased.details ->> 'from' = any (${loud}::text[])
    )
  `;
}

/** The events of the log that are told. */
const toldEvents = [
  'created',
  'returned',
  'escalated',
  'reopened',
  'acceptance_ended',
  'snooze_ended',
  'became',
  'cleared',
];

/** What this target has been told so far; null: nothing yet. */
export async function toldSoFar(transaction: Transaction, schema: string, target: TargetName): Promise<Past | null> {
  const [past] = await transaction<Past[]>`
    select told.since, told.through
    from ${transaction(`${schema}.reconciliation_told`)} as told
    where told.target = ${target}
  `;
  return past ?? null;
}

/** Remembers that this target has been told everything. Only to be called by who holds the lock of exceptions. */
export async function markTold(transaction: Transaction, schema: string, target: TargetName): Promise<void> {
  await transaction`
    insert into ${transaction(`${schema}.reconciliation_told`)} as stored (target, since, through)
    select ${target}, coalesce(max(event.sequence), 0), coalesce(max(event.sequence), 0)
    from ${transaction(`${schema}.reconciliation_exception_events`)} as event
    on conflict (target) do update set through = greatest(stored.through, excluded.through)
  `;
}
