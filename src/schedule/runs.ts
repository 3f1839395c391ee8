import type { Database } from '../database/database.ts';
import { listReports, type Report } from '../reports.ts';
import { countsFor, punctualityOf, scheduledTypes, type Schedule, type ScheduledType } from './schedule.ts';

/** How the runs of one type keep to the schedule. Times are RFC 3339 in UTC. */
export interface ScheduledRuns {
  run_type: ScheduledType;
  /** The newest run of this type, whatever became of it; null: there was none. */
  last_report: Report | null;
  /** When the next one is or was expected; null: nothing is expected, before the first run or where runs are switched off. */
  due: string | null;
  /** It is late if it has not begun by then. */
  deadline: string | null;
  overdue: boolean;
  /** Expected times of the last 30 days to which no run came, oldest first. */
  missed: string[];
}

/** How far back missed runs are told. */
const lookBackMs = 30 * 86_400_000;

/** How the hourly and the daily runs keep to the schedule: which were missed, and whether one is late now. */
export async function scheduledRuns(
  database: Database,
  schema: string,
  { enabled, schedule }: { enabled: boolean; schedule: Schedule },
  now: Date,
): Promise<ScheduledRuns[]> {
  const earliest = new Date(now.getTime() - lookBackMs);
  const { from, runs } = await runsThatCount(database, schema, earliest);
  return Promise.all(
    scheduledTypes.map(async (type) => {
      const { reports } = await listReports(database, schema, { type, limit: 1 });
      const starts = runs
        .filter((run) => countsFor[type].includes(run.run_type))
        .map((run) => new Date(run.started_at));
      const expected = enabled && from !== null ? punctualityOf(type, schedule, { from, starts, now }) : undefined;
      return {
        run_type: type,
        last_report: reports[0] ?? null,
        due: expected?.due.toISOString() ?? null,
        deadline: expected?.deadline.toISOString() ?? null,
        overdue: expected?.overdue ?? false,
        missed: expected?.missed.map((slot) => slot.toISOString()) ?? [],
      };
    }),
  );
}

/** The runs since `earliest`, oldest first, and the moment since which some are expected: that of the very first run. */
async function runsThatCount(
  database: Database,
  schema: string,
  earliest: Date,
): Promise<{ from: Date | null; runs: Pick<Report, 'run_type' | 'started_at'>[] }> {
  const reports = database(`${schema}.reconciliation_reports`);
  const [first] = await database<{ at: string }[]>`
    select greatest(min(report.created_at), ${earliest}::timestamptz) as at
    from ${reports} as report
    having count(*) > 0
  `;
  const runs = await database<Pick<Report, 'run_type' | 'started_at'>[]>`
    select report.run_type, report.started_at
    from ${reports} as report
    where
      report.created_at >= ${earliest}::timestamptz
      -- one that ended without a verdict was interrupted: it is as if it had not been
      and (report.status <> 'failed' or report.metadata ? 'verdict')
      and not report.metadata ? 'not_in_this_run' -- some of the checks are not the run that is expected
    order by report.started_at, report.id
  `;
  return { from: first === undefined ? null : new Date(first.at), runs: [...runs] };
}
