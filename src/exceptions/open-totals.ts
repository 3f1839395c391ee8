import type { Database } from '../database.ts';
import { severities, type Severity } from '../kinds.ts';

/** The ages into which open exceptions are counted, from their first sighting on: each up to `days`, and older. */
export const ages = [
  { name: 'under_1_day', days: 1 },
  { name: 'under_7_days', days: 7 },
  { name: 'under_30_days', days: 30 },
  { name: 'older', days: null },
] as const;

export type Age = (typeof ages)[number]['name'];

/** The open exceptions of one severity and currency. */
export type OpenTotal = Record<Age, number> & {
  severity: Severity;
  /** null: no money is compared, or no source names its currency. */
  currency: string | null;
  /** Sum of |difference|, exact; null without a currency, and where none of them has a difference. */
  amount: string | null;
};

/** Open exceptions by severity, currency and age, the most severe first. */
export async function openTotals(database: Database, schema: string, now: Date): Promise<OpenTotal[]> {
  const rows = await database<(Record<Age, string> & Omit<OpenTotal, Age>)[]>`
    with
    open_exception as (
      select
        exception.severity, exception.currency, exception.difference,
        ${now}::timestamptz - exception.created_at as age
      from ${database(`${schema}.reconciliation_exceptions`)} as exception
      where exception.resolved_at is null
    )
    select
      open_exception.severity,
      open_exception.currency,
      case when open_exception.currency is not null then trim_scale(sum(abs(open_exception.difference))) end as amount,
      count(*) filter (where open_exception.age < interval '1 day') as under_1_day,
      count(*) filter (where open_exception.age >= interval '1 day' and open_exception.age < interval '7 days')
      as under_7_days,
      count(*) filter (where open_exception.age >= interval '7 days' and open_exception.age < interval '30 days')
      as under_30_days,
      count(*) filter (where open_exception.age >= interval '30 days') as older
    from open_exception
    group by open_exception.severity, open_exception.currency
    order by array_position(${[...severities].reverse()}::text[], open_exception.severity), open_exception.currency
  `;
  return rows.map(({ severity, currency, amount, ...counts }) => {
    const numbers = ages.map(({ name }) => [name, Number(counts[name])] as const);
    return { severity, currency, ...(Object.fromEntries(numbers) as Record<Age, number>), amount };
  });
}

/** How many that are, whatever their age. */
export function countOf(total: OpenTotal): number {
  return ages.reduce((count, { name }) => count + total[name], 0);
}
