import type { CheckName } from '../checks/names.ts';
import type { KindCount } from '../corrections/automatic.ts';
import type { Transaction } from '../database/database.ts';
import { severities, type Severity } from '../kinds.ts';
import { leftNothingOut } from '../schedule/answers.ts';
import type { Missed } from '../schedule/punctuality.ts';
import type { Report } from '../reports.ts';
import { verdictOf, type StoredCheck } from '../stored-checks.ts';
import { cut } from '../cut.ts';
import { toldTo, type Listener } from './told.ts';

/** What there is to tell somebody who hears of exceptions from a certain severity on. */
export interface News {
  environment: string;
  /** RFC 3339 in UTC. */
  at: string;
  /** Of the run that tells it; null: people have done something. */
  report: Pick<Report, 'id' | 'run_type'> | null;
  /** The checks of this run, those that prove nothing among them. */
  compared: CheckName[];
  /** No check that is on was left out, and nothing was narrowed. */
  isWhole: boolean;
  /** All that is told, added up. */
  groups: Group[];
  /** The ten largest of it, those that are over last. */
  largest: ToldException[];
  /** The checks that prove nothing. */
  incomplete: { check_type: CheckName; reason: string }[];
  /** Why the run ended without any result; null: it did not. */
  failure: string | null;
  /** Runs that were expected before this one, and did not come. */
  missed: Missed[];
  /** Kinds that were found too often to be corrected; null: the run does not correct, so it cannot tell. */
  heldBack: KindCount[] | null;
}

/**
 * What became of an exception since somebody was last told. `reopened`: somebody's matter again, because a person said
 * so, or its snooze or acceptance is over. `standing`: it was there before there was anybody to tell. `replaced`: the same
 * subject is wrong in another way, and another exception says so.
 */
export type Change = (typeof changes)[number];
const overChanges = ['replaced', 'cleared'] as const;
export const changes = ['new', 'escalated', 'reopened', 'standing', ...overChanges] as const;

/** Whether nobody has to do anything about it any more. */
export function isOver({ change }: { change: Change }): boolean {
  return (overChanges as readonly Change[]).includes(change);
}

export interface Group {
  change: Change;
  /** A check of recon, or what the first version called one. */
  check_type: string;
  severity: Severity;
  /** Null: none, or one that the books do not know. */
  currency: 'USD' | 'USDC' | null;
  count: number;
  /** Sum of the absolute differences; null where there is none that could be added up. */
  amount: string | null;
}

export interface ToldException {
  change: Change;
  id: string;
  /** The report that saw it last. */
  report_id: string;
  check_type: string;
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

/** On what occasion something is told: a run that ended, or what people did. */
export interface Occasion {
  environment: string;
  /** RFC 3339 in UTC. */
  at: string;
  ending: Ending | null;
}

/** What is news to a listener, from the rows that this transaction and those before it have stored. */
export async function readNews(
  transaction: Transaction,
  schema: string,
  { environment, at, ending }: Occasion,
  listener: Listener,
): Promise<News> {
  const told = toldTo(transaction, schema, listener, { at, reportId: ending?.report.id ?? null });
  return {
    environment,
    at,
    ...(ending === null ? nothingEnded : newsOfEnding(ending)),
    groups: await readGroups(transaction, told),
    largest: await readLargest(transaction, told),
  };
}

type NewsOfEnding = Omit<News, 'environment' | 'at' | 'groups' | 'largest'>;

function newsOfEnding({ report, checks }: Ending): NewsOfEnding {
  const { missed, corrections } = report.metadata as {
    missed?: Missed[];
    corrections?: { held_back?: KindCount[] };
  };
  return {
    report: { id: report.id, run_type: report.run_type },
    compared: checks.map(({ check_type: check }) => check),
    isWhole: leftNothingOut(report),
    incomplete: checks
      .filter((check) => verdictOf(check) === 'incomplete')
      .map(({ check_type, error_message: reason }) => ({ check_type, reason: reason ?? '' })),
    failure: checks.length === 0 ? report.error_message : null,
    missed: missed ?? [],
    heldBack: corrections?.held_back ?? null,
  };
}

const nothingEnded: NewsOfEnding = {
  report: null,
  compared: [],
  isWhole: false,
  incomplete: [],
  failure: null,
  missed: [],
  heldBack: null,
};

/** Whether there is anything in it. */
export function isNews({ groups, incomplete, failure, missed, heldBack }: News): boolean {
  return [groups, incomplete, missed, heldBack ?? []].some(({ length }) => length > 0) || failure !== null;
}

/** How many exceptions became what. */
export function countOf({ groups }: News, ...changes: Change[]): number {
  return groups.filter(({ change }) => changes.includes(change)).reduce((all, { count }) => all + count, 0);
}

type Told = ReturnType<typeof toldTo>;

/** Of a currency that the books do not know nothing is added up: its name may be anything. */
async function readGroups(transaction: Transaction, told: Told): Promise<Group[]> {
  const rows = await transaction<(Omit<Group, 'count'> & { count: string })[]>`
    select
      told.change, told.check_type, told.severity, known.currency, count(*) as count,
      sum(abs(told.difference)) filter (
        where known.currency is not null and abs(told.difference) < 'infinity'
      )::text as amount
    from ${told}
    cross join lateral (
      select case when told.currency in ('USD', 'USDC') then told.currency end as currency
    ) as known
    group by told.change, told.check_type, told.severity, known.currency
    order by
      array_position(${[...changes]}::text[], told.change), array_position(${bySeverity}::text[], told.severity),
      told.check_type, known.currency
  `;
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}

/** What comes from the host's books is cut to what no target minds. */
async function readLargest(transaction: Transaction, told: Told): Promise<ToldException[]> {
  const rows = await transaction<ToldException[]>`
    select
      told.change, told.id, told.last_report_id as report_id, told.check_type, told.kind, told.fingerprint, told.severity, told.description,
      told.expected_value::text as expected, told.actual_value::text as actual, told.difference::text, told.currency
    from ${told}
    order by
      told.change in ${transaction([...overChanges])}, array_position(${bySeverity}::text[], told.severity),
      abs(told.difference) desc nulls last, told.fingerprint, told.id
    limit ${largestMax}
  `;
  const short = (text: string | null) => text && cut(text, 100);
  return rows.map(({ expected, actual, difference, currency, ...row }) => ({
    ...row,
    description: cut(row.description, 500),
    expected: short(expected),
    actual: short(actual),
    difference: short(difference),
    currency: currency && cut(currency, 12),
  }));
}

/** How many exceptions are told one by one. */
export const largestMax = 10;

const bySeverity = severities.toReversed();
