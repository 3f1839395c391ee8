import type { RunType } from '../reports.ts';

/** When runs are expected, as RECONCILIATION_HOURLY_INTERVAL and RECONCILIATION_DAILY_RUN_TIME tell it. */
export interface Schedule {
  hourlyIntervalMs: number;
  /** HH:MM in UTC. */
  dailyRunTime: string;
}

export type ScheduledType = Exclude<RunType, 'manual'>;
export const scheduledTypes = ['hourly', 'daily'] as const satisfies readonly ScheduledType[];

/** How punctual the runs of one type are. */
export interface Punctuality {
  /** The first time after the last run at which one was or is expected. */
  due: Date;
  /** A run that has not begun by then is late. */
  deadline: Date;
  overdue: boolean;
  /** Expected times to which no run had begun by their deadline, oldest first. */
  missed: Date[];
}

const dayMs = 86_400_000;

/** Schedulers have their own minute, machines are slow to start, and a daily run waits for an hourly one. */
const patienceMs = 30 * 60_000;

/**
 * Holds the runs of one type against the schedule. `from`: the moment from which it is to be kept, such as the very first
 * run or the beginning of the time that is looked at. `starts`: when the runs since then began that count, oldest first
 * (`countsFor`). An hourly run is expected one interval after the last one, because its minute is the scheduler's.
 */
export function punctualityOf(
  type: ScheduledType,
  schedule: Schedule,
  { from, starts, now }: { from: Date; starts: readonly Date[]; now: Date },
): Punctuality {
  const { dueAfter, patience } = expectationsOf(type, schedule);
  const missed: Date[] = [];
  let due = dueAfter(from.getTime());
  const missUntil = (moment: number) => {
    for (let slot = due; slot + patience < moment; slot = dueAfter(slot)) missed.push(new Date(slot));
  };
  for (const start of starts) {
    missUntil(start.getTime());
    due = dueAfter(start.getTime());
  }
  missUntil(now.getTime());
  const deadline = due + patience;
  return { due: new Date(due), deadline: new Date(deadline), overdue: deadline < now.getTime(), missed };
}

/** The types of run that meet an expectation: a daily run proves more than the hourly one that it keeps from running. */
export const countsFor: Record<ScheduledType, readonly RunType[]> = { hourly: ['hourly', 'daily'], daily: ['daily'] };

interface Expectations {
  /** The first expected time after a run, or after an expected time, in milliseconds since 1970. */
  dueAfter: (moment: number) => number;
  patience: number;
}

function expectationsOf(type: ScheduledType, { hourlyIntervalMs, dailyRunTime }: Schedule): Expectations {
  if (type === 'hourly')
    return { dueAfter: (moment) => moment + hourlyIntervalMs, patience: Math.min(patienceMs, hourlyIntervalMs / 2) };
  const timeOfDay = Date.parse(`1970-01-01T${dailyRunTime}:00Z`);
  return {
    // a run that begins a little early is that day's: the clocks of two machines differ
    dueAfter: (moment) => (Math.floor((moment + patienceMs - timeOfDay) / dayMs) + 1) * dayMs + timeOfDay,
    patience: patienceMs,
  };
}
