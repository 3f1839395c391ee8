import { toText, money } from '../../src/money.ts';
import type { Sql } from '../support/ledger-rows.ts';
import type { Planted } from './faults.ts';

export interface Found {
  kind: string;
  subject: string;
  severity: string;
  difference: string | null;
}

/** What stands in recon's own tables as unresolved. */
export async function readFound(sql: Sql): Promise<Found[]> {
  return sql<Found[]>`
    select kind, affected_entity as subject, severity, difference::text as difference
    from reconciliation_exceptions
    where resolved_at is null
    order by created_at, kind, affected_entity`;
}

export interface Score {
  found: { planted: Planted; found: Found }[];
  missed: Planted[];
  extra: Found[];
}

/** A fault counts as found only with its kind, its subject and its amount, once. */
export function score(planted: Planted[], found: Found[]): Score {
  const rest = [...found];
  const result: Score = { found: [], missed: [], extra: rest };
  for (const fault of planted) {
    const at = rest.findIndex((candidate) => matches(fault, candidate));
    if (at === -1) result.missed.push(fault);
    else result.found.push({ planted: fault, found: rest.splice(at, 1)[0]! });
  }
  return result;
}

function matches(fault: Planted, { kind, subject, difference }: Found): boolean {
  return kind === fault.kind && subject === fault.subject && canonical(difference) === fault.difference;
}

function canonical(amount: string | null): string | null {
  return amount === null ? null : toText(money(amount));
}

export function isPerfect({ missed, extra }: Score): boolean {
  return missed.length === 0 && extra.length === 0;
}

/** One line per fault, then the sum. */
export function scoreTable(result: Score): string {
  const rows = [
    ...result.found.map(({ planted, found }) => [
      'found',
      planted.kind,
      short(planted.subject),
      found.severity,
      planted.what,
    ]),
    ...result.missed.map((fault) => ['MISSED', fault.kind, short(fault.subject), '', fault.what]),
    ...result.extra.map((found) => ['EXTRA', found.kind, short(found.subject), found.severity, 'was not planted']),
  ];
  const header = ['', 'Kind', 'Subject', 'Severity', 'What was planted'];
  const planted = result.found.length + result.missed.length;
  const sums = [
    `Planted: ${planted}   Found: ${result.found.length}   Missed: ${result.missed.length}`,
    `Found but not planted: ${result.extra.length}`,
  ];
  return `${columns([header, ...rows])}\n\n${sums.join('   ')}\n`;
}

/** As the screen shows ids: the first eight characters. */
function short(subject: string): string {
  const [type, id = ''] = subject.split(':');
  return `${type} ${id.slice(0, 8)}`;
}

function columns(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: string[]) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}
