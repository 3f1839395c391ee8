import type { Transaction } from '../database/database.ts';
import { histograms, type CounterName, type HistogramName, type Labels } from './families.ts';

/** What is added to one total. */
export interface Increment {
  metric: string;
  labels: Labels;
  amount: number;
}

/** Something was counted. */
export function counted(metric: CounterName, labels: Labels, amount = 1): Increment {
  return { metric, labels, amount };
}

/** Something took so long: the buckets that it falls into, which are cumulative, the sum and the number. */
export function observed(metric: HistogramName, labels: Labels, milliseconds: number): Increment[] {
  const seconds = milliseconds / 1000;
  const buckets = [...histograms[metric].buckets, Infinity].filter((bound) => seconds <= bound);
  return [
    ...buckets.map((bound) => ({ metric: `${metric}_bucket`, labels: { ...labels, le: boundText(bound) }, amount: 1 })),
    { metric: `${metric}_sum`, labels, amount: seconds },
    { metric: `${metric}_count`, labels, amount: 1 },
  ];
}

/** The label `le` of a bucket, as Prometheus writes it. */
export function boundText(bound: number): string {
  return bound === Infinity ? '+Inf' : String(bound);
}

/** Adds to the totals, as a part of the transaction in which it happened. */
export async function addToTotals(
  transaction: Transaction,
  schema: string,
  increments: readonly Increment[],
): Promise<void> {
  // rows are locked in one order, so that two who add at the same time wait for each other and no more
  await transaction`
    insert into ${transaction(`${schema}.reconciliation_totals`)} as stored (metric, labels, total)
    select added.metric, added.labels, sum(added.amount)
    from json_to_recordset(${JSON.stringify(increments)}::text::json) as added (
      metric text, labels jsonb, amount numeric
    )
    group by added.metric, added.labels
    order by added.metric, added.labels
    on conflict (metric, labels) do update set total = stored.total + excluded.total
  `;
}

/** Asks for a total by the names of its metric and labels; `0` where nothing was counted yet. */
export type Totals = (metric: string, labels: Labels) => string;

/** Reads every total. */
export async function readTotals(transaction: Transaction, schema: string): Promise<Totals> {
  const rows = await transaction<{ metric: string; labels: Labels; total: string }[]>`
    select stored.metric, stored.labels, stored.total
    from ${transaction(`${schema}.reconciliation_totals`)} as stored
    order by stored.metric, stored.labels
  `;
  const totals = new Map(rows.map(({ metric, labels, total }) => [keyOf(metric, labels), total]));
  return (metric, labels) => totals.get(keyOf(metric, labels)) ?? '0';
}

function keyOf(metric: string, labels: Labels): string {
  return JSON.stringify([metric, Object.entries(labels).toSorted(([left], [right]) => (left < right ? -1 : 1))]);
}
