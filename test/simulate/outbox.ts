import assert from 'node:assert/strict';
import type postgres from 'postgres';
import { severities } from '../../src/kinds.ts';
import { fingerprintOf } from '../exceptions/life-model.ts';
import { Exact, groupBy } from '../oracle/host-tables.ts';
import type { Hook } from './arena.ts';
import type { Lives } from './lives.ts';
import { Hearer, type News } from './news.ts';

/** How many exceptions an alert tells one by one. */
const toldOneByOne = 10;

/** What recon tells the webhook, held against what there was to tell. */
export class Outbox {
  readonly #hearer = new Hearer();
  readonly #known = new Set<string>();

  /** Holds the alerts since the last time against what was news. Returns whether there was any. */
  async compare(sql: postgres.Sql, lives: Lives, now: Date): Promise<boolean> {
    const alerts = await sql<Alert[]>`
      select alert.id, alert.report_id, alert.body -> 'data' -> 'totals' as totals, alert.body -> 'data' -> 'exceptions' as exceptions
      from reconciliation_alerts as alert
      where alert.id <> all (${[...this.#known]}::uuid[])`;
    for (const { id } of alerts) this.#known.add(id);
    const news = this.#hearer.hear(lives.all(), now.getTime());
    const telling = alerts.filter(({ totals }) => totals.length > 0);
    assert.equal(telling.length, news.length > 0 ? 1 : 0, 'in how many alerts it is told');
    for (const { report_id: report, totals, exceptions } of telling) {
      assert.deepEqual(totals.map(toTotal).toSorted(), totalsOf(news).map(toTotal).toSorted(), 'what is told');
      expectLargest(
        exceptions,
        news.map((one) => toTold(one, lives, report, now)),
      );
    }
    return news.length > 0;
  }
}

/** In the end everything has arrived, as it stands in the outbox, under one id each. */
export async function expectArrived(sql: postgres.Sql, { heard }: Hook): Promise<void> {
  const alerts = await sql<{ id: string; state: string; body: unknown }[]>`
    select id, state, body from reconciliation_alerts order by number`;
  assert.deepEqual(
    alerts.filter(({ state }) => state !== 'delivered'),
    [],
    'alerts that were not delivered',
  );
  // what arrived when its run was cut off arrives again
  const arrived = new Map(heard.map(({ id }) => [id, new Set<string>()] as const));
  for (const { id, body } of heard) arrived.get(id)!.add(JSON.stringify(sorted(JSON.parse(body))));
  const wanted = new Map(alerts.map(({ id, body }) => [id, new Set([JSON.stringify(sorted(body))])]));
  assert.deepEqual(arrived, wanted, 'what the webhook heard');
}

interface Alert {
  id: string;
  report_id: string | null;
  totals: Total[];
  exceptions: Told[];
}

interface Total {
  change: string;
  check_type: string;
  severity: string;
  currency: string | null;
  count: number;
  amount: string | null;
}

/** An exception in an alert. */
type Told = Record<'id' | 'change' | 'severity', string> &
  Record<'difference', string | null> &
  Record<string, unknown>;

function toTotal({ change, check_type: check, severity, currency, count, amount }: Total): string {
  return `${change} ${check} ${severity} ${currency}: ${count}, ${amount === null ? 'no amount' : new Exact(amount).toFixed()}`;
}

function totalsOf(news: readonly News[]): Total[] {
  const labels = ({ change, check, row }: News) => ({
    change,
    check_type: check,
    severity: row.severity,
    currency: row.currency === 'USDC' || row.currency === 'USD' ? row.currency : null,
  });
  return Array.from(
    groupBy(news, (one) => JSON.stringify(labels(one))),
    ([, group]) => ({ ...labels(group[0]!), count: group.length, amount: amountOf(group) }),
  );
}

/** Null where nothing can be added up. */
function amountOf(group: readonly News[]): string | null {
  const amounts = group.flatMap(({ row: { currency, difference } }) =>
    difference === null || (currency !== 'USDC' && currency !== 'USD') ? [] : [new Exact(difference).abs()],
  );
  return amounts.length === 0 ? null : amounts.reduce((sum, amount) => sum.plus(amount)).toFixed();
}

/** As an alert has to tell it, but for its words. */
function toTold({ check, row, change }: News, lives: Lives, report: string | null, now: Date): Told {
  return {
    change,
    id: lives.idOf(row),
    report_id: report ?? row.lastReport,
    check_type: check,
    kind: row.kind,
    fingerprint: fingerprintOf(check, row),
    severity: row.severity,
    expected: row.expected,
    actual: row.actual,
    difference: row.difference,
    currency: row.currency,
    timestamp: now.toISOString(),
  };
}

/** The ten that matter most are told one by one, as they stand. Of those that matter as much it may be any. */
function expectLargest(shown: readonly Told[], news: readonly Told[]): void {
  const byWeight = news.toSorted((left, right) => compareWeights(weightOf(left), weightOf(right)));
  assert.deepEqual(shown.map(weightOf), byWeight.slice(0, toldOneByOne).map(weightOf), 'which are told one by one');
  const known = new Map(news.map((one) => [one.id, one]));
  assert.equal(new Set(shown.map(({ id }) => id)).size, shown.length, 'how many are told one by one');
  for (const { description, ...one } of shown) {
    assert.deepEqual(one, known.get(one.id), `the exception ${one.id} in an alert`);
    assert.ok(String(description).length > 0, `the words about ${one.id}`);
  }
}

/** What is over comes last; then by severity; then the larger difference, none at the end. */
function weightOf({ change, severity, difference }: Told): [number, number, string] {
  const isOver = change === 'replaced' || change === 'cleared';
  const rank = severities.findIndex((name) => name === severity);
  return [isOver ? 1 : 0, -rank, difference === null ? '-1' : new Exact(difference).abs().toFixed()];
}

function compareWeights([over, rank, amount]: [number, number, string], other: [number, number, string]): number {
  return over - other[0] || rank - other[1] || new Exact(other[2]).comparedTo(amount);
}

/** With its keys in order: jsonb keeps none. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
