import type { Transaction } from '../database/database.ts';
import type { Severity } from '../kinds.ts';
import { money, toText } from '../money.ts';
import { amountOf, isUnknown, matches, type ExceptionFilter } from './filter.ts';
import { stateOf, type ExceptionState } from './state.ts';

/** How many exceptions of one state, severity and currency there are. */
export interface Total {
  state: ExceptionState;
  severity: Severity;
  currency: string | null;
  count: number;
  /** Their amounts (`amountOf`) added up, as far as they are finite: exact decimal text. */
  amount: string;
  /** How many of them are not in it: their amount is NaN or infinite. */
  unknown: number;
}

/** The matching exceptions, counted and added up; how each stands is judged at the moment of the filter. */
export async function totalsOf(transaction: Transaction, schema: string, filter: ExceptionFilter): Promise<Total[]> {
  const amount = amountOf(transaction, 'exception');
  const unknown = isUnknown(transaction, amount);
  const rows = await transaction<(Omit<Total, 'count' | 'unknown'> & { count: string; unknown: string })[]>`
    select
      ${stateOf(transaction, filter.at)} as state,
      exception.severity, exception.currency, count(*) as count,
      coalesce(sum(${amount}) filter (where not ${unknown}), 0) as amount,
      count(*) filter (where ${unknown}) as unknown
    from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    where ${matches(transaction, schema, filter)}
    group by 1, exception.severity, exception.currency
    order by 1, exception.severity, exception.currency
  `;
  return rows.map((row) => ({
    ...row,
    count: Number(row.count),
    amount: toText(money(row.amount)),
    unknown: Number(row.unknown),
  }));
}
