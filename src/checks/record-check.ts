import type { Config } from '../config.ts';
import { toInterval } from '../duration.ts';
import type { KindName } from '../kinds.ts';
import type { Relation } from '../source.ts';
import type { Check } from './check.ts';
import { databaseCheck } from './database-check.ts';
import type { CheckName } from './names.ts';

const recordKinds = [
  'unknown_status',
  'invalid_record',
  'duplicate_posting',
  'wrong_account',
  'posted_for_failed',
  'reversed_for_settled',
  'missing_in_ledger',
  'amount_mismatch',
  'unlinked',
  'stuck',
  'missing_in_source',
] as const satisfies readonly KindName[];

/**
 * A check that holds the records of one operational table against their postings. `<check>.records.sql` says what the
 * ledger should show for each record; comparison, findings and totals are the same for all.
 */
export function recordCheck(definition: {
  name: CheckName & Relation;
  recordKind: 'deposit' | 'withdrawal' | 'conversion_job';
  summary: string;
  narrowsBy?: Check['narrowsBy'];
  deadlineMs: (config: Config) => number;
  /** Whether its records name the transaction that books them. */
  namesTransaction: boolean;
}): Check {
  const { name, recordKind, summary, narrowsBy, deadlineMs, namesTransaction } = definition;
  return databaseCheck({
    name,
    summary,
    ...(narrowsBy !== undefined && { narrowsBy }),
    kinds: recordKinds.filter((kind) => namesTransaction || kind !== 'unlinked'),
    relations: [name, 'ledger_accounts', 'ledger_transactions', 'ledger_entries'],
    layers: [
      { name: 'postings', file: 'postings.sql' },
      { name: 'records', file: `${name}.records.sql` },
      { name: 'comparison', file: 'record.comparison.sql' },
    ],
    stem: 'record',
    params: (config) => ({ record_kind: recordKind, deadline: toInterval(deadlineMs(config)) }),
  });
}
