import type { Transaction } from '../database/database.ts';
import type { KindName } from '../kinds.ts';
import { findingTable, isAsAccepted } from './acceptance.ts';
import type { KeptFindings } from './kept-findings.ts';

/** The condition that somebody took the row `exception` up, put it aside or agreed to it: a machine leaves it alone. */
export function isTaken(transaction: Transaction, at: Date | string) {
  return transaction`
    (
      exception.assignee is not null
      or exception.acknowledged_by is not null
      or coalesce(greatest(exception.snoozed_until, exception.accepted_until) > ${at}::timestamptz, false)
    )
  `;
}

/** How many of the low findings of these kinds somebody has, by kind: those that are not stored, nobody has. */
export async function countTaken(
  transaction: Transaction,
  schema: string,
  findings: KeptFindings,
  { kinds, at }: { kinds: readonly KindName[]; at: Date },
): Promise<Map<KindName, number>> {
  const counts = new Map<KindName, number>();
  if (kinds.every((kind) => findings.countOf('low', kind) === 0)) return counts;
  for (const rows of findings.batches()) {
    const taken = await transaction<{ kind: KindName; count: number }[]>`
      select finding.kind, count(*)::integer as count
      from ${findingTable(transaction, rows)}
      inner join ${transaction(`${schema}.reconciliation_exceptions`)} as exception
        on exception.fingerprint = finding.fingerprint
      where
        exception.resolved_at is null
        and finding.severity = 'low'
        and finding.kind = any (${[...kinds]}::text[])
        and ${isTaken(transaction, at)}
        -- an acceptance is over with its amount
        and (
          exception.accepted_until is null
          or exception.assignee is not null
          or exception.acknowledged_by is not null
          or ${isAsAccepted(transaction, 'exception', 'finding')}
        )
      group by finding.kind
    `;
    for (const { kind, count } of taken) counts.set(kind, (counts.get(kind) ?? 0) + count);
  }
  return counts;
}
