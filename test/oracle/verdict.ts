import { Exact, groupBy, larger, type Amount } from './host-tables.ts';

/** What the oracle says about one subject, written by somebody who never saw the SQL. */
export interface Verdict {
  check: string;
  kind: string;
  subject: string;
  expected: Amount | null;
  actual: Amount | null;
  stake: Amount | null;
  currency: string | null;
  user: string | null;
}

/** The kinds in order of rank, with the lowest severity that each may have. */
const ranks: [kind: string, floor: number, isCount?: 'count'][] = [
  ['orphaned_entry', 2],
  ['invalid_amount', 3],
  ['empty_transaction', 2],
  ['one_sided_transaction', 2],
  ['currency_mismatch', 2],
  ['unbalanced_transaction', 2],
  ['wrong_entry_count', 2, 'count'],
  ['broken_reversal', 2],
  ['posted_while_unposted', 1],
  ['zero_amount', 0],
  ['balance_drift', 0],
  ['negative_balance', 2],
  ['duplicate_account', 1, 'count'],
  ['unknown_status', 1],
  ['invalid_record', 1],
  ['duplicate_posting', 2],
  ['wrong_account', 2],
  ['posted_for_failed', 2],
  ['reversed_for_settled', 2],
  ['missing_in_ledger', 0],
  ['amount_mismatch', 0],
  ['unlinked', 0],
  ['stuck', 0],
  ['missing_in_source', 1],
];
const severities = ['low', 'medium', 'high', 'critical'];

/** One line per subject: what is reported about it, and the kinds that stand behind. */
export function report(verdicts: Verdict[]): Map<string, Set<string>> {
  const subjects = groupBy(verdicts, ({ check, subject }) => `${check} ${subject}`);
  return new Map(
    Array.from(subjects, ([subject, ofSubject]) => {
      const kinds = [...new Set(ofSubject.map(({ kind }) => kind))].sort((left, right) => rankOf(left) - rankOf(right));
      const first = ofSubject.filter(({ kind }) => kind === kinds[0]);
      // rows that share an id share a subject: any of them may be shown
      const severity = severities[Math.max(...ofSubject.map((verdict) => severities.indexOf(severityOf(verdict))))]!;
      return [subject, new Set(first.map((verdict) => line(verdict, severity, kinds.slice(1))))];
    }),
  );
}

/** The same form for what the SQL found. */
export function line(
  finding: { kind: string; expected: unknown; actual: unknown; currency: string | null; user: string | null },
  severity: string,
  also: string[],
): string {
  const { kind, expected, actual, currency, user } = finding;
  const behind = [...new Set(also)].sort().join('+');
  return `${severity} ${kind} ${text(expected)} / ${text(actual)} ${currency ?? '-'} of ${user ?? '-'} also ${behind}`;
}

function text(amount: unknown): string {
  if (amount === null) return '-';
  const exact = new Exact(amount as string);
  return exact.isZero() ? '0' : exact.toFixed();
}

function rankOf(kind: string): number {
  return ranks.findIndex(([name]) => name === kind);
}

function severityOf({ kind, expected, actual, stake }: Verdict): string {
  const [, floor, isCount] = ranks[rankOf(kind)]!;
  const difference = expected === null || actual === null || isCount ? new Exact(0) : actual.minus(expected).abs();
  const atStake = larger(difference, stake?.abs() ?? new Exact(0));
  const byAmount = ['1', '100', '1000'].filter((limit) => !atStake.lte(limit)).length;
  return severities[Math.min(Math.max(byAmount, floor), kind === 'stuck' ? 1 : 3)]!;
}
