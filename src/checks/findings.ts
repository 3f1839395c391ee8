import type { Config } from '../config.ts';
import { stream } from '../database.ts';
import { kindNamed, rankOf, type Kind, type KindName } from '../kinds.ts';
import { money, toText, type Money } from '../money.ts';
import { bind, compose, type Statement } from '../source.ts';
import type { Cut, Finding } from './check.ts';
import type { CheckName } from './names.ts';
import { severityOf } from './severity.ts';

/** What every `*.findings.sql` returns, ordered by subject: one row per kind that a subject shows. */
export interface FindingRow {
  kind: string;
  subject: string;
  expected_value: string | null;
  actual_value: string | null;
  /** The amount at stake where it is not the difference. */
  stake: string | null;
  currency: string | null;
  affected_user_id: string | null;
  metadata: Record<string, unknown>;
}

/** A check that finds more stops here, marked truncated: whatever broke, broke everything. */
const findingsLimit = 1_000_000;

/** Runs a check's findings and keeps one per subject: the kind of the lowest rank, the others in its metadata. */
export async function searchFindings(
  cut: Cut,
  check: CheckName,
  statement: Statement,
): Promise<{ findings: Finding[]; truncated: boolean }> {
  const subjects = new Map<string, FindingRow>();
  const statementText = compose(cut.source, statement);
  for await (const rows of stream<FindingRow>(cut.transaction, statementText, bind(cut.params))) {
    for (const row of rows) subjects.set(row.subject, moreImportant(subjects.get(row.subject), row));
    if (subjects.size >= findingsLimit) break;
  }
  const findings = [...subjects.values()].map((row) => toFinding(check, row, cut.config));
  return { findings, truncated: subjects.size >= findingsLimit };
}

/** One fault may show itself in several ways: the kind that stands first in the table, the others in its metadata. */
function moreImportant(known: FindingRow | undefined, row: FindingRow): FindingRow {
  if (known === undefined || known.kind === row.kind) return known ?? row;
  const [first, second] =
    rankOf(kindNamed(known.kind).name) < rankOf(kindNamed(row.kind).name) ? [known, row] : [row, known];
  const also = [...alsoOf(first), second.kind, ...alsoOf(second)].toSorted();
  return { ...first, metadata: { ...first.metadata, also } };
}

function alsoOf(row: FindingRow): string[] {
  return (row.metadata['also'] as string[] | undefined) ?? [];
}

/** A row of findings with its severity, difference and sentence. */
export function toFinding(check: CheckName, row: FindingRow, config: Config): Finding {
  const kind = kindNamed(row.kind);
  const expected = row.expected_value === null ? null : money(row.expected_value);
  const actual = row.actual_value === null ? null : money(row.actual_value);
  const difference = expected !== null && actual !== null ? actual.minus(expected) : null;
  const stake = row.stake === null ? null : money(row.stake);
  return {
    check,
    kind: kind.name,
    subject: row.subject,
    severity: severityOf(kind, difference, stake, config.severityUpTo),
    description: describe(kind, row.subject, expected, actual, row.currency),
    expected: expected && toText(expected),
    actual: actual && toText(actual),
    difference: difference && toText(difference),
    currency: kind.unit === 'count' ? null : row.currency,
    affectedUserId: row.affected_user_id,
    metadata: { ...row.metadata, ...(stake !== null && { stake: toText(stake) }) },
  };
}

/** `deposit 0b1f… is settled, but was never posted: amount of the record 100 USDC, zero 0 USDC` … for a person. */
function describe(
  kind: Kind & { name: KindName },
  subject: string,
  expected: Money | null,
  actual: Money | null,
  currency: string | null,
): string {
  const unit = kind.unit === 'count' || currency === null ? '' : ` ${currency}`;
  const sides = [
    expected !== null && kind.expected !== null && expectation(kind.expected, `${toText(expected)}${unit}`),
    actual !== null && kind.actual !== null && kind.actual !== 'zero' && `${kind.actual} ${toText(actual)}${unit}`,
  ].filter((side) => side !== false);
  return `${subject.replace(':', ' ')} ${kind.meaning}${sides.length > 0 ? `: ${sides.join(', ')}` : ''}`;
}

/** `zero` and the like need no number beside them; an actual `zero` is told by the kind's meaning. */
function expectation(label: string, value: string): string {
  return ['zero', 'one account', 'two entries'].includes(label) ? `should be ${label}` : `${label} ${value}`;
}
