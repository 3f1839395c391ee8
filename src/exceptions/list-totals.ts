import type { Database } from '../database/database.ts';
import type { Severity } from '../kinds.ts';
import { money, toText } from '../money.ts';
import { amountOf, matches, type ExceptionFilter } from './filter.ts';
import { stateOf, type ExceptionState } from './state.ts';

/** How many exceptions of one state, severity and currency there are. */
export interface Total {
  state: ExceptionState;
  severity: Severity;
  currency: string | null;
  count: number;
  /** Their amounts (`amountOf`) added up: exact decimal text. */
  amount: string;
}

/** The matching exceptions, counted and added up; how each stands is judged at the moment of the filter. */
export async function totalsOf(database: Database, schema: string, filter: ExceptionFilter): Promise<Total[]> {
  const rows = await database<(Omit<Total, 'count'> & { count: string })[]>`
    select
      ${stateOf(database, filter.at)} as state,
      exception.severity, exception.currency, count(*) as count,
      coalesce(sum(${amountOf(database, 'exception')}), 0) as amount
    from ${database(`${schema}.reconciliation_exceptions`)} as exception
    where ${matches(database, schema, filter)}
    group by 1, exception.severity, exception.currency
    order by 1, exception.severity, exception.currency
  `;
  return rows.map((row) => ({ ...row, count: Number(row.count), amount: toText(money(row.amount)) }));
}
