import type { Config } from '../config.ts';
import { stream } from '../database/database.ts';
import { kindNamed, rankOf, type Kind, type KindName, type Severity } from '../kinds.ts';
import { larger, money, toText, type Money } from '../money.ts';
import { bind, compose, type Statement } from '../source.ts';
import type { Cut, Finding, Found } from './check.ts';
import type { CheckName } from './names.ts';
import { atStake, severityOf, worse } from './severity.ts';

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

/**
 * Runs a check's findings and hands over one per subject: the kind of the lowest rank, the others in its metadata, the
 * worst severity. As soon as the next row is of another subject, one is done: nothing is kept.
 */
export async function searchFindings(
  cut: Pick<Cut, 'transaction' | 'source' | 'config' | 'params'>,
  check: CheckName,
  statement: Statement,
  found: Found,
  limit = findingsLimit,
): Promise<{ truncated: boolean }> {
  const rows = stream<FindingRow>(cut.transaction, ordered(compose(cut.source, statement)), bind(cut.params));
  let subjects = 0;
  for await (const finding of onePerSubject(findingsOf(rows, check, cut.config))) {
    found(finding);
    subjects += 1;
    if (subjects === limit) return { truncated: true };
  }
  return { truncated: false };
}

/**
 * By code point, so that the order can be checked here, whatever the collation of the database; and by all the rest,
 * so that of two copies of a record the same one is told every time, whatever the plan.
 */
function ordered(statement: string): string {
  return `${statement}\norder by answer.subject collate "C", answer`;
}

async function* findingsOf(rows: AsyncIterable<FindingRow>, check: CheckName, config: Config): AsyncGenerator<Finding> {
  for await (const row of rows) yield toFinding(check, row, config);
}

/** What a subject shows, as far as it was read. */
interface Shown {
  /** Of the kind that stands first in the table. */
  first: Finding;
  severity: Severity;
  stake: Money;
  /** What the other findings come to, by kind; null where none of that kind tells an amount. */
  behind: Map<KindName, Money | null>;
}

/** Merges the findings of each subject. Throws if one comes back after another: it would be told twice. */
export async function* onePerSubject(findings: AsyncIterable<Finding>): AsyncGenerator<Finding> {
  let current: Shown | undefined;
  for await (const finding of findings) {
    if (current !== undefined && finding.subject < current.first.subject)
      throw new Error(`The rows of a check are not in the order of their subjects: ${finding.subject} came too late.`);
    if (current !== undefined && finding.subject !== current.first.subject) yield merged(current);
    current = finding.subject === current?.first.subject ? withAnother(current, finding) : alone(finding);
  }
  if (current !== undefined) yield merged(current);
}

function alone(first: Finding): Shown {
  return { first, severity: first.severity, stake: atStakeIn(first), behind: new Map() };
}

/** Rows that share an id share a subject: there may be any number of them, so they are added up as they come. */
function withAnother({ first: known, severity, stake, behind }: Shown, other: Finding): Shown {
  const [first, second] = rankOf(known.kind) <= rankOf(other.kind) ? [known, other] : [other, known];
  behind.set(second.kind, plus(behind.get(second.kind) ?? null, amountIn(second)));
  return { first, severity: worse(severity, other.severity), stake: larger(stake, atStakeIn(other)), behind };
}

function plus(left: Money | null, right: Money | null): Money | null {
  return left === null || right === null ? (left ?? right) : left.plus(right);
}

/**
 * One fault may show itself in several ways: the kind that stands first in the table is told, the others are in its
 * metadata with what they come to, and it is as severe as the worst of them. One cent of drift must not hide an
 * overdraft, nor that it grows.
 */
function merged({ first, severity, stake, behind }: Shown): Finding {
  if (behind.size === 0) return first;
  const also = [...behind.keys()].filter((kind) => kind !== first.kind).toSorted();
  const amounts = Array.from(behind, ([kind, amount]) => [kind, amount && toText(amount)] as const);
  return {
    ...first,
    severity,
    metadata: {
      ...first.metadata,
      ...(also.length > 0 && { also }),
      also_amounts: Object.fromEntries(amounts),
      ...(!stake.equals(atStakeIn(first)) && { stake: toText(stake) }),
    },
  };
}

/** The difference, else what is at stake. */
function amountIn({ difference, metadata }: Finding): Money | null {
  const amount = difference ?? (metadata['stake'] as string | undefined);
  return amount === undefined ? null : money(amount);
}

/** The money that the severity of a finding comes from. */
function atStakeIn({ kind, difference, metadata }: Finding): Money {
  const stake = metadata['stake'] as string | undefined;
  return atStake(
    kindNamed(kind),
    difference === null ? null : money(difference),
    stake === undefined ? null : money(stake),
  );
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
    description: describe(kind, row, expected, actual),
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
  row: FindingRow,
  expected: Money | null,
  actual: Money | null,
): string {
  const { subject, currency } = row;
  const unit = kind.unit === 'count' || currency === null ? '' : ` ${currency}`;
  const sides = [
    expected !== null && kind.expected !== null && expectation(kind.expected, `${toText(expected)}${unit}`),
    kind.actual !== null && kind.actual !== 'zero' && reality(kind.actual, expected, actual, unit),
  ].filter((side) => side !== false);
  const meaning = whereAstray(row) ?? kind.meaning;
  return `${subject.replace(':', ' ')} ${meaning}${sides.length > 0 ? `: ${sides.join(', ')}` : ''}`;
}

/** Without what is null. */
interface Astray {
  user_id?: string;
  currency?: string;
  amount: string;
}

/** Of what should be there and is null, that is said: left out it would read as if nobody had looked. */
function reality(label: string, expected: Money | null, actual: Money | null, unit: string): string | false {
  if (actual !== null) return `${label} ${toText(actual)}${unit}`;
  return expected !== null && `${label} null`;
}

/** So many of them a sentence names; the metadata have all. */
const astrayNamed = 3;

/** Of `wrong_account`, which of the two it is, how much, and to whom: whoever reads an alert has nothing else. */
function whereAstray({ kind, affected_user_id: owner, metadata }: FindingRow): string | undefined {
  const astray = metadata['astray'] as Astray[] | undefined;
  if (kind !== 'wrong_account' || astray === undefined) return undefined;
  const isOthers = ({ user_id: user }: Astray) => owner !== null && user !== undefined && user !== owner;
  const named = astray.slice(0, astrayNamed).map((one) => {
    const amount = `${toText(money(one.amount))} ${one.currency ?? 'without currency'}`;
    return isOthers(one) ? `${amount} to ${String(one.user_id)}` : amount;
  });
  const more = astray.length > astrayNamed ? ` and ${astray.length - astrayNamed} more` : '';
  return `is posted ${astray.some(isOthers) ? 'to another user' : 'in another currency'}: ${named.join(', ')}${more}`;
}

/** `zero` and the like need no number beside them; an actual `zero` is told by the kind's meaning. */
function expectation(label: string, value: string): string {
  return ['zero', 'one account', 'two entries'].includes(label) ? `should be ${label}` : `${label} ${value}`;
}
