import type { Transaction } from '../database/database.ts';
import { listReports, type Report, type RunType } from '../reports.ts';
import { answers } from './answers.ts';
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
  transaction: Transaction,
  schema: string,
  { enabled, schedule }: { enabled: boolean; schedule: Schedule },
  now: Date,
): Promise<ScheduledRuns[]> {
  const earliest = new Date(now.getTime() - lookBackMs);
  const { from, met } = await answersSince(transaction, schema, earliest);
  return Promise.all(
    scheduledTypes.map(async (type) => {
      const { reports } = await listReports(transaction, schema, { type, limit: 1 });
      const starts = met.filter((one) => countsFor[type].includes(one.run_type)).map((one) => new Date(one.at));
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

/** What met expected times since `earliest`, oldest first, and the moment since which some are: that of the very first run. */
async function answersSince(
  transaction: Transaction,
  schema: string,
  earliest: Date,
): Promise<{ from: Date | null; met: { run_type: RunType; at: string }[] }> {
  const [first] = await transaction<{ at: string }[]>`
    select greatest(min(report.started_at), ${earliest}::timestamptz) as at
    from ${transaction(`${schema}.reconciliation_reports`)} as report
    having count(*) > 0
  `;
  const met = await transaction<{ run_type: RunType; at: string }[]>`
    select answer.run_type, answer.at
    from ${answers(transaction, schema, 'begun')}
    where answer.at >= ${earliest}::timestamptz
    order by answer.at, answer.run_type
  `;
  return { from: first === undefined ? null : new Date(first.at), met: [...met] };
}
