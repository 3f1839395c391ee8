import type { Transaction } from '../database/database.ts';
import type { Report } from '../reports.ts';
import type { KindCount } from './automatic.ts';

/** What a report says about corrections: in its metadata, absent where they are switched off. */
export interface ReportedCorrections {
  /** Why the run corrected nothing, or nothing more. */
  not_made?: string;
  /** Found too often to be corrected; absent where it was known from the beginning that nothing is corrected. */
  held_back?: KindCount[];
  /** Of a dry run: what it would try, if it were none. */
  would_try?: KindCount[];
  tried?: number;
  corrected?: number;
  refused?: number;
  failed?: number;
}

export function correctionsIn({ metadata }: Pick<Report, 'metadata'>): ReportedCorrections | undefined {
  return metadata['corrections'] as ReportedCorrections | undefined;
}

/** Why a run did not correct all that it meant to; undefined: it did, or meant to correct nothing. */
export function whyBrokenOff(corrections: ReportedCorrections): string | undefined {
  const { held_back: heldBack, would_try: wouldTry, not_made: why, tried } = corrections;
  if (heldBack === undefined || wouldTry !== undefined) return undefined;
  return why ?? (tried === undefined ? 'they were interrupted, or are still being made' : undefined);
}

/** The corrections of a run that broke off. */
export interface BrokenOff {
  report_id: string;
  reason: string;
}

/** Of the last run since a time that stored what it found and meant to correct; null: it did, or there was none. */
export async function lastBrokenOff(transaction: Transaction, schema: string, since: Date): Promise<BrokenOff | null> {
  const [last] = await transaction<Pick<Report, 'id' | 'metadata'>[]>`
    select report.id, report.metadata
    from ${transaction(`${schema}.reconciliation_reports`)} as report
    where
      report.created_at >= ${since}
      and report.status = 'completed'
      and report.metadata -> 'corrections' ? 'held_back'
    order by report.created_at desc, report.id
    limit 1
  `;
  const reason = last && whyBrokenOff(correctionsIn(last) ?? {});
  return last === undefined || reason === undefined ? null : { report_id: last.id, reason };
}
