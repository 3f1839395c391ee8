import type { Transaction } from '../database/database.ts';
import { severities, type Severity } from '../kinds.ts';
import { amountOf, anyException, isUnknown, matches } from './filter.ts';
import { stands, stateOf, type ExceptionState } from './state.ts';
import type { Report } from '../reports.ts';

/** The ages into which exceptions are counted, from their first sighting on: each up to `days`, and older. */
export const ages = [
  { name: 'under_1_day', days: 1 },
  { name: 'under_7_days', days: 7 },
  { name: 'under_30_days', days: 30 },
  { name: 'older', days: null },
] as const;

export type Age = (typeof ages)[number]['name'];

/** The exceptions of one severity and currency. */
export type ExceptionTotal = Record<Age, number> & {
  severity: Severity;
  /** null: no source names it, or none of them is about money. */
  currency: string | null;
  /** Their money (`amountOf`) added up, as far as it is finite, exact; null where none of them is about money. */
  amount: string | null;
  /** How many of them are not in it: their amount is NaN or infinite. */
  unknown: number;
};

/** Open exceptions by severity, currency and age, the most severe first. */
export async function openTotals(transaction: Transaction, schema: string, now: Date): Promise<ExceptionTotal[]> {
  return totalsOf(
    transaction,
    now.toISOString(),
    transaction`
      select exception.severity, exception.currency, ${amountOf(transaction, 'exception')} as amount, exception.created_at
      from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
      where ${matches(transaction, schema, { ...anyException, status: 'open', at: now })}
    `,
  );
}

/** The open exceptions of one severity that somebody has. */
export interface Held {
  severity: Severity;
  /** See `holderOf`. */
  holder: string;
  count: number;
}

/** What of the open is somebody's or taken up, the most severe first. */
export async function heldExceptions(transaction: Transaction, schema: string, now: Date): Promise<Held[]> {
  const holder = transaction`coalesce(exception.assignee, exception.acknowledged_by)`;
  const rows = await transaction<(Omit<Held, 'count'> & { count: string })[]>`
    select exception.severity, ${holder} as holder, count(*) as count
    from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    where ${matches(transaction, schema, { ...anyException, status: 'open', at: now })} and ${holder} is not null
    group by exception.severity, holder
    order by array_position(${[...severities].reverse()}::text[], exception.severity), count(*) desc, holder
  `;
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}

/** The exceptions of one state and severity that are neither open nor over. */
export interface NotOpen {
  state: Extract<ExceptionState, 'snoozed' | 'accepted'>;
  severity: Severity;
  count: number;
  /** When the first of them is open again. RFC 3339 in UTC. */
  until: string;
}

/** What is snoozed or accepted, the most severe first. */
export async function notOpen(transaction: Transaction, schema: string, now: Date): Promise<NotOpen[]> {
  const rows = await transaction<(Omit<NotOpen, 'count'> & { count: string })[]>`
    select
      ${stateOf(transaction, now)} as state,
      exception.severity,
      count(*) as count,
      min(greatest(exception.snoozed_until, exception.accepted_until)) as until
    from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    where ${stands(transaction, 'snoozed', now)} or ${stands(transaction, 'accepted', now)}
    group by 1, exception.severity
    order by array_position(${[...severities].reverse()}::text[], exception.severity), 1 desc
  `;
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}

/** What a run found, counted as `openTotals` counts, as it found it and as old as it was then. */
export async function totalsOfRun(
  transaction: Transaction,
  schema: string,
  report: Pick<Report, 'id' | 'started_at'>,
): Promise<ExceptionTotal[]> {
  return totalsOf(
    transaction,
    report.started_at,
    transaction`
      select seen.severity, seen.currency, ${amountOf(transaction, 'seen')} as amount, seen.created_at
      from (
        select
          finding.severity, finding.currency, finding.difference, finding.metadata, exception.kind, exception.created_at
        from ${transaction(`${schema}.reconciliation_findings`)} as finding
        inner join ${transaction(`${schema}.reconciliation_exceptions`)} as exception
          on exception.id = finding.exception_id
        where finding.report_id = ${report.id}
      ) as seen
    `,
  );
}

async function totalsOf(
  transaction: Transaction,
  at: string,
  exceptions: ReturnType<typeof transaction>,
): Promise<ExceptionTotal[]> {
  const unknown = isUnknown(transaction, transaction`counted.amount`);
  const rows = await transaction<(Record<Age | 'unknown', string> & Omit<ExceptionTotal, Age | 'unknown'>)[]>`
    with
    counted as (
      select
        exception.severity, exception.currency, exception.amount, ${at}::timestamptz - exception.created_at as age
      from (${exceptions}) as exception
    )
    select
      counted.severity,
      counted.currency,
      case when count(counted.amount) > 0
        then trim_scale(coalesce(sum(counted.amount) filter (where not ${unknown}), 0)) end as amount,
      count(*) filter (where ${unknown}) as unknown,
      count(*) filter (where counted.age < interval '1 day') as under_1_day,
      count(*) filter (where counted.age >= interval '1 day' and counted.age < interval '7 days') as under_7_days,
      count(*) filter (where counted.age >= interval '7 days' and counted.age < interval '30 days') as under_30_days,
      count(*) filter (where counted.age >= interval '30 days') as older
    from counted
    group by counted.severity, counted.currency
    order by array_position(${[...severities].reverse()}::text[], counted.severity), counted.currency
  `;
  return rows.map(({ severity, currency, amount, unknown: left, ...counts }) => {
    const numbers = ages.map(({ name }) => [name, Number(counts[name])] as const);
    return {
      severity,
      currency,
      ...(Object.fromEntries(numbers) as Record<Age, number>),
      amount,
      unknown: Number(left),
    };
  });
}

/** How many that are, whatever their age. */
export function countOf(total: ExceptionTotal): number {
  return ages.reduce((count, { name }) => count + total[name], 0);
}
