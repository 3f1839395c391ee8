import type { CheckName } from '../checks/names.ts';
import type { Transaction } from '../database/database.ts';
import { severities, severitiesFrom, type Severity } from '../kinds.ts';
import { leftNothingOut } from '../schedule/answers.ts';
import type { Missed } from '../schedule/punctuality.ts';
import { verdictOf, type Report, type StoredCheck } from '../reports.ts';

/** What a run has to tell somebody who hears of exceptions from a certain severity on. Times are RFC 3339 in UTC. */
export interface News {
  environment: string;
  report: Pick<Report, 'id' | 'run_type'> & { ended_at: string };
  /** The checks of this run, those that prove nothing among them. */
  compared: CheckName[];
  /** No check that is on was left out, and nothing was narrowed. */
  isWhole: boolean;
  /** All that is told, added up. */
  groups: Group[];
  /** The ten largest of it, those that are cleared last. */
  largest: ToldException[];
  /** The checks that prove nothing. */
  incomplete: { check_type: CheckName; reason: string }[];
  /** Why the run ended without any result; null: it did not. */
  failure: string | null;
  /** Runs that were expected before this one, and did not come. */
  missed: Missed[];
}

export type Change = 'new' | 'escalated' | 'cleared';

export interface Group {
  change: Change;
  check_type: CheckName;
  severity: Severity;
  currency: string | null;
  count: number;
  /** Sum of the absolute differences; null where there is none that could be added up. */
  amount: string | null;
}

export interface ToldException {
  change: Change;
  id: string;
  check_type: CheckName;
  kind: string;
  fingerprint: string;
  severity: Severity;
  description: string;
  expected: string | null;
  actual: string | null;
  difference: string | null;
  currency: string | null;
}

/** How a run ended, as far as its report and its checks tell it. */
export interface Ending {
  report: Report;
  checks: readonly StoredCheck[];
}

/** The news of a run, from the rows that its transaction has stored so far. */
export async function readNews(
  transaction: Transaction,
  schema: string,
  { report, checks }: Ending,
  { environment, severity }: { environment: string; severity: Severity },
): Promise<News> {
  const told = toldOf(transaction, schema, report.id, severity);
  return {
    environment,
    report: { id: report.id, run_type: report.run_type, ended_at: report.completed_at ?? report.started_at },
    compared: checks.map(({ check_type: check }) => check),
    isWhole: leftNothingOut(report),
    groups: await readGroups(transaction, told),
    largest: await readLargest(transaction, told),
    incomplete: checks
      .filter((check) => verdictOf(check) === 'incomplete')
      .map(({ check_type, error_message: reason }) => ({ check_type, reason: reason ?? '' })),
    failure: checks.length === 0 ? report.error_message : null,
    missed: (report.metadata['missed'] as Missed[] | undefined) ?? [],
  };
}

/** Whether there is anything in it. */
export function isNews({ groups, incomplete, failure, missed }: News): boolean {
  return groups.length > 0 || incomplete.length > 0 || failure !== null || missed.length > 0;
}

/** How many exceptions became what. */
export function countOf({ groups }: News, ...changes: Change[]): number {
  return groups.filter(({ change }) => changes.includes(change)).reduce((all, { count }) => all + count, 0);
}

type Told = ReturnType<typeof toldOf>;

/** The table `told`: what this run made, and what it wrote into the logs of others. */
function toldOf(transaction: Transaction, schema: string, reportId: string, severity: Severity) {
  const exceptions = transaction(`${schema}.reconciliation_exceptions`);
  const loud = severitiesFrom(severity);
  return transaction`
    (
      select 'new' as change, created.*
      from ${exceptions} as created
      where created.report_id = ${reportId} and created.severity = any (${[...loud]}::text[])
      union all
      select distinct -- an acceptance that is over makes it somebody's matter again, as an escalation does
        case happened.event when 'acceptance_ended' then 'escalated' else happened.event end, changed.*
      from ${transaction(`${schema}.reconciliation_exception_events`)} as happened
      inner join ${exceptions} as changed on changed.id = happened.exception_id
      where
        happened.details ->> 'report_id' = ${reportId}
        and happened.event in ('escalated', 'cleared', 'acceptance_ended')
        and (happened.event = 'cleared' or changed.resolved_at is null)
        and changed.severity = any (${[...loud]}::text[])
    ) as told
  `;
}

async function readGroups(transaction: Transaction, told: Told): Promise<Group[]> {
  const rows = await transaction<(Omit<Group, 'count'> & { count: string })[]>`
    select
      told.change, told.check_type, told.severity, told.currency, count(*) as count,
      sum(abs(told.difference)) filter (
        where told.currency is not null and abs(told.difference) < 'infinity'
      )::text as amount
    from ${told}
    group by told.change, told.check_type, told.severity, told.currency
    order by
      array_position(${changes}::text[], told.change), array_position(${bySeverity}::text[], told.severity),
      told.check_type, told.currency
  `;
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}

async function readLargest(transaction: Transaction, told: Told): Promise<ToldException[]> {
  const rows = await transaction<ToldException[]>`
    select
      told.change, told.id, told.check_type, told.kind, told.fingerprint, told.severity, told.description,
      told.expected_value as expected, told.actual_value as actual, told.difference, told.currency
    from ${told}
    order by
      told.change = 'cleared', array_position(${bySeverity}::text[], told.severity),
      abs(told.difference) desc nulls last, told.fingerprint, told.id
    limit ${largestMax}
  `;
  return [...rows];
}

/** How many exceptions are told one by one. */
export const largestMax = 10;

const bySeverity = severities.toReversed();
const changes: Change[] = ['new', 'escalated', 'cleared'];
