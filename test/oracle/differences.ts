import type { Comparison, Finding } from '../../src/checks/check.ts';
import type { CheckName } from '../../src/checks/names.ts';
import { cutAt } from '../support/run-check.ts';
import type { Host } from './host-tables.ts';
import { ledgerTotals, recordTotals, type Totals } from './totals.ts';
import { judge, momentOf, recordChecks } from './truth.ts';
import { line, report } from './verdict.ts';

/** What a check has to say about books: by subject, each way in which it may say it, and both sides by currency. */
export interface Truth {
  findings: Map<string, Set<string>>;
  totals: Totals;
}

const moment = momentOf(cutAt);

/** What the oracle says. */
export function truthOf(check: CheckName, tables: Host): Truth {
  const records = recordChecks[check];
  return {
    findings: report(judge(check, tables, moment)),
    totals: records ? recordTotals(tables, records.kind, moment, records.deadline) : ledgerTotals(tables),
  };
}

/** Where a check says something else. */
export function differences(
  check: CheckName,
  { findings, ...sides }: Pick<Comparison, 'totals' | 'details'> & { findings: Finding[] },
  truth: Truth,
): string[] {
  return [...compareFindings(findings, truth.findings), ...compareTotals(check, totalsOf(check, sides), truth.totals)];
}

function compareFindings(findings: Finding[], expected: Map<string, Set<string>>): string[] {
  const found = new Map(findings.map((finding) => [`${finding.check} ${finding.subject}`, lineOf(finding)]));
  const subjects = new Set([...found.keys(), ...expected.keys()]);
  return [...subjects]
    .filter((subject) => expected.get(subject)?.has(found.get(subject) ?? '') !== true)
    .map(
      (subject) =>
        `${subject}\n  SQL:    ${found.get(subject) ?? 'nothing'}\n  oracle: ${[...(expected.get(subject) ?? ['nothing'])].join(' or ')}`,
    );
}

/** All that the oracle knows of a finding. */
function lineOf(finding: Finding): string {
  const also = (finding.metadata['also'] ?? []) as string[];
  return line({ ...finding, user: finding.affectedUserId }, finding.severity, also);
}

function totalsOf(check: CheckName, { totals, details }: Pick<Comparison, 'totals' | 'details'>): Totals {
  const ofMoney = check === 'ledger_consistency' ? totals.slice(1) : totals; // its first row counts transactions
  return Object.fromEntries(
    ofMoney.map((row) => {
      const { not_compared: count = 0, not_compared_amount: amount = '0' } = notCompared(details, row.currency);
      return [
        row.currency ?? 'none',
        `${row.expected} / ${row.actual}, ${row.awaited} ${row.awaitedAmount}, ${row.inFlight} ${row.inFlightAmount}, ${count} ${amount}`,
      ];
    }),
  );
}

function notCompared(details: Comparison['details'], currency: string | null) {
  return (details[currency ?? 'all'] ?? {}) as { not_compared?: number; not_compared_amount?: string };
}

/** A currency in which nothing was compared may be left out. */
function compareTotals(check: CheckName, found: Totals, expected: Totals): string[] {
  const nothing = '0 / 0, 0 0, 0 0, 0 0';
  return [...new Set([...Object.keys(found), ...Object.keys(expected)])]
    .filter((currency) => (found[currency] ?? nothing) !== (expected[currency] ?? nothing))
    .map(
      (currency) =>
        `${check} totals of ${currency}\n  SQL:    ${found[currency] ?? 'nothing'}\n  oracle: ${expected[currency] ?? 'nothing'}`,
    );
}
