import type { CheckName } from '../../src/checks/names.ts';
import type { Host } from './host-tables.ts';
import { judgeLedger, type Moment } from './ledger.ts';
import { judgeRecords, type RecordKind } from './records.ts';
import type { Verdict } from './verdict.ts';

const minuteUs = 60_000_000;

/** The checks of records, and when what is not final is stuck, in microseconds. */
export const recordChecks: Partial<Record<CheckName, { kind: RecordKind; deadline: number }>> = {
  deposits: { kind: 'deposit', deadline: 24 * 60 * minuteUs },
  conversion_jobs: { kind: 'conversion_job', deadline: 24 * 60 * minuteUs },
  withdrawals: { kind: 'withdrawal', deadline: 72 * 60 * minuteUs },
};

/** A cut at that time, with the grace period that is the default. */
export function momentOf(asOf: Date): Moment {
  return { asOf: asOf.getTime() * 1000, grace: 5 * minuteUs };
}

/** What one check of the database has to say about these books. */
export function judge(check: CheckName, host: Host, moment: Moment): Verdict[] {
  const records = recordChecks[check];
  return records ? judgeRecords(host, records.kind, moment, records.deadline) : judgeLedger(host, moment);
}
