import { createHash } from 'node:crypto';
import { fingerprintOf, type Finding } from '../checks/check.ts';
import type { CheckName } from '../checks/names.ts';
import type { Severity } from '../kinds.ts';
import { money, toText } from '../money.ts';
import { isUuid } from '../uuid.ts';

/**
 * A finding with a life: a row of reconciliation_exceptions. Amounts are exact decimal text, a value that does not
 * exist is null; times are RFC 3339 in UTC.
 */
export interface StoredException {
  /** null only in a dry run, which stores nothing. */
  id: string | null;
  report_id: string | null;
  check_id: string | null;
  check_type: CheckName;
  kind: string;
  fingerprint: string;
  severity: Severity;
  description: string;
  expected_value: string | null;
  actual_value: string | null;
  difference: string | null;
  currency: string | null;
  affected_user_id: string | null;
  /** null only in rows older than recon. */
  affected_entity: string | null;
  auto_corrected: boolean;
  correction_action: string | null;
  resolved_at: string | null;
  resolved_by: string | null;
  resolution_notes: string | null;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  assignee: string | null;
  snoozed_until: string | null;
  /** Known and agreed until then, at these amounts. */
  accepted_until: string | null;
  last_report_id: string | null;
  last_seen_at: string;
  occurrences: number;
  /** The exception that this one is the return of. */
  previous_exception_id: string | null;
  metadata: Record<string, unknown>;
  created_at: string;
}

/** What is at stake where there are no two sides to subtract: exact decimal text. */
export function stakeOf(metadata: StoredException['metadata']): string | undefined {
  const { stake } = metadata;
  return typeof stake === 'string' ? stake : undefined;
}

/** What of the metadata tells amounts, beside the columns: the largest, and those behind the kind that is told. */
export const amountsInMetadata = ['stake', 'also', 'also_amounts', 'astray'] as const;

/**
 * Another word as soon as the amounts are others, in the sense of `isAsAccepted`: what a spreadsheet makes of an amount
 * cannot tell. It begins with a letter, so that no spreadsheet takes it for a number.
 */
export function versionOf(exception: StoredException): string {
  const { difference, expected_value: expected, actual_value: actual, currency, metadata } = exception;
  // 100 and 100.00 are the same
  const amounts = (difference === null ? [expected, actual] : [difference]).map((amount) =>
    amount === null ? null : toText(money(amount)),
  );
  const beside = amountsInMetadata.map((name) => metadata[name] ?? null);
  const hash = createHash('sha256').update(JSON.stringify([...amounts, currency, ...beside]));
  return `v${hash.digest('hex').slice(0, 12)}`;
}

/** Whether a text could be of `versionOf`. */
export function isVersion(text: string): boolean {
  return /^v[0-9a-f]{12}$/.test(text);
}

/** The columns of an exception that come from what was found. */
export type FindingColumns = Pick<
  StoredException,
  | 'check_type'
  | 'kind'
  | 'fingerprint'
  | 'severity'
  | 'description'
  | 'expected_value'
  | 'actual_value'
  | 'difference'
  | 'currency'
  | 'affected_user_id'
  | 'affected_entity'
  | 'metadata'
>;

/** What a finding says, in the columns of its exception. */
export function columnsOf(finding: Finding): FindingColumns {
  return {
    check_type: finding.check,
    kind: finding.kind,
    fingerprint: fingerprintOf(finding),
    severity: finding.severity,
    description: finding.description,
    expected_value: finding.expected,
    actual_value: finding.actual,
    difference: finding.difference,
    currency: finding.currency,
    affected_user_id: finding.affectedUserId,
    affected_entity: finding.subject,
    metadata: finding.metadata,
  };
}

/** An entry of the append-only log of an exception. */
export interface ExceptionEvent {
  event: string;
  actor: string;
  note: string | null;
  details: Record<string, unknown>;
  /** The machine on which a person did it; null for `system`. */
  host: string | null;
  created_at: string;
}

/** The exception as one run saw it. */
export interface Sighting {
  report_id: string;
  severity: Severity;
  expected_value: string | null;
  actual_value: string | null;
  difference: string | null;
  /** What was at stake, where there is no difference. */
  stake: string | null;
  seen_at: string;
}

/** The exception that took the place of one that was resolved. */
export interface Successor {
  id: string;
  kind: string;
  /** The same kind came back; else a run found this kind at the subject instead. */
  is_return: boolean;
}

/** `deposit:<id>` in its parts; no id where it is none of the host's (a custodian, a row older than recon). */
export function subjectOf(affectedEntity: string | null): { type: string; id: string | undefined } {
  const [type = '', name = ''] = (affectedEntity ?? '').split(':');
  return { type, id: isUuid(name) ? name : undefined };
}

/** Whose it is, else who took it up; null: nobody has it. */
export function holderOf(exception: Pick<StoredException, 'assignee' | 'acknowledged_by'>): string | null {
  return exception.assignee ?? exception.acknowledged_by;
}

/** Whether it is of a custodian as a whole: it has no record of its own. */
export function isOfCustodian({ affected_entity: subject }: Pick<StoredException, 'affected_entity'>): boolean {
  return subjectOf(subject).type === 'custodian';
}
