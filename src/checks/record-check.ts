import type { Config } from '../config.ts';
import { toInterval } from '../duration.ts';
import type { KindName } from '../kinds.ts';
import type { Relation } from '../source.ts';
import { money, toText, zero } from '../money.ts';
import { ledgerOf } from './books.ts';
import type { Check } from './check.ts';
import { databaseCheck } from './database-check.ts';
import type { CheckName } from './names.ts';
import { changedRecords, recordChangeStatements, waitingRecords } from './record-changes.ts';
import { proveRecords, recordProofStatements, searchesOfRecords, type RecordProof } from './record-proof.ts';
import { settledTotals, type Totals } from './totals.ts';

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
  const relations = [name, 'ledger_accounts', 'ledger_transactions', 'ledger_entries', 'record_legs'] as const;
  const records = { name: 'records', file: `${name}.records.sql` };
  const proofs = { ...recordProofStatements(name, records), ...recordChangeStatements(name, records) };
  return databaseCheck({
    name,
    summary,
    ...(narrowsBy !== undefined && { narrowsBy }),
    kinds: recordKinds.filter((kind) => namesTransaction || kind !== 'unlinked'),
    relations,
    layers: [
      { name: 'postings', file: 'postings.sql', shared: true },
      records,
      { name: 'comparison', file: 'record.comparison.sql' },
    ],
    stem: 'record',
    params: (config) => ({ record_kind: recordKind, deadline: toInterval(deadlineMs(config)) }),
    proofs,
    ways: {
      async prove(cut) {
        const ledger = await ledgerOf(cut);
        const proof = await proveRecords(ledger, proofs, recordKind, cut.known[name] ?? []);
        return {
          cut: ledger.cut,
          suspects: proof.suspects,
          totals: async (read) => withProven(await read(proof.suspects), proof),
        };
      },
      searches: async (cut) => searchesOfRecords(await ledgerOf(cut), proofs, recordKind, cut.known[name] ?? []),
      async change(cut, window) {
        const suspects = await changedRecords(cut, window, proofs, recordKind, cut.known[name] ?? []);
        return { cut, suspects, totals: (read) => read(suspects) };
      },
      handOver: (cut, _window, suspects) => waitingRecords(cut, proofs, suspects),
    },
  });
}

/** What the proof covers agrees: both sides are what was posted. */
function withProven(ofSuspects: Totals, { records, proven }: RecordProof): Totals {
  const totals = new Map(ofSuspects.totals.map((row) => [row.currency, row]));
  for (const [currency, amount] of proven) {
    const known = totals.get(currency) ?? settledTotals(currency, zero, zero);
    const [expected, actual] = [money(known.expected).plus(amount), money(known.actual).plus(amount)];
    totals.set(currency, { ...known, expected: toText(expected), actual: toText(actual) });
  }
  const byName = [...totals.values()].sort((left, right) => ((left.currency ?? '') < (right.currency ?? '') ? -1 : 1));
  return { ...ofSuspects, compared: records, totals: byName };
}
