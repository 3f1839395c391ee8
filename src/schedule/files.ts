import { readFileSync } from 'node:fs';
import type { Config } from '../config.ts';
import { OperatorError } from '../operator-error.ts';
import { defaultWaitMs, runTimeoutMs } from '../run/timeout.ts';
import { shipped } from '../shipped.ts';
import type { Schedule, ScheduledType } from './schedule.ts';

/** crontab.example with the times of this schedule. Throws an OperatorError (78) where cron has no words for them. */
export function crontabOf(schedule: Schedule): string {
  const times = timesOf(schedule);
  return read('crontab.example', schedule).replace(
    /^(?:\S+ ){5}(.*--type (hourly|daily) .*)$/gm,
    (_line, command: string, type: ScheduledType) => `${times[type]} ${command}`,
  );
}

/** The two CronJobs of deploy/kubernetes/base with the times of this schedule and deadline. Throws like `crontabOf`. */
export function cronJobsOf({ schedule, ...config }: Pick<Config, 'schedule' | 'runTimeoutMs'>): string {
  const times = timesOf(schedule);
  const types = ['hourly', 'daily'] as const;
  return types
    .map((type) =>
      read(`deploy/kubernetes/base/${type}.yaml`, schedule)
        .replace(/^ {2}schedule: .*$/m, `  schedule: ${quote(times[type])}`)
        .replace(/(?<=activeDeadlineSeconds: )\d+/, String(Math.ceil(jobDeadlineMs(config, type) / 1_000))),
    )
    .join('---\n');
}

/** A Job tries a run twice (backoffLimit), each of which leaves a report at its own deadline; and ten minutes to start both. */
function jobDeadlineMs(config: Pick<Config, 'runTimeoutMs'>, type: ScheduledType): number {
  return 2 * (defaultWaitMs[type] + runTimeoutMs(config, type)) + 600_000;
}

function quote(time: string): string {
  return `'${time}'`;
}

/** What the files say of the times is true of an hour and more. */
function read(file: string, { hourlyIntervalMs }: Schedule): string {
  const text = readFileSync(shipped(file), 'utf8');
  return hourlyIntervalMs < 3_600_000 ? text.replace(farApart, often) : text;
}

const farApart = 'at least 37 minutes after the daily run, so that neither finds the other at work.';
const often = 'so often that it may find the daily run at work: it ends with exit code 4, the next one catches up.';

/** Minute, hour, day, month and weekday, as cron and Kubernetes write them; in UTC. */
function timesOf({ hourlyIntervalMs, dailyRunTime }: Schedule): Record<ScheduledType, string> {
  const [hour = 0, minute = 0] = dailyRunTime.split(':').map(Number);
  return { hourly: every(hourlyIntervalMs / 60_000, minute + afterDaily), daily: `${minute} ${hour} * * *` };
}

/** Minutes from the daily run to the next hourly one: each has ended before the other begins, and the daily is longer. */
const afterDaily = 37;

function every(minutes: number, start: number): string {
  if (!writable.includes(minutes))
    throw new OperatorError(
      78,
      `RECONCILIATION_HOURLY_INTERVAL=${minutes} cannot be written as a line of cron.`,
      `Give one of ${writable.join(', ')}; or write the schedule by hand: runs may be ${minutes} minutes apart all the same.`,
    );
  const first = start % Math.min(minutes, 60);
  if (minutes < 60) return `${first}-59/${minutes} * * * *`;
  if (minutes === 60) return `${first} * * * *`;
  return minutes === 1440 ? `${first} 0 * * *` : `${first} */${minutes / 60} * * *`;
}

/** Minutes that divide an hour, and hours that divide a day: cron begins anew with each of both. */
const writable = Array.from({ length: 1440 }, (_, at) => at + 1).filter((minutes) =>
  minutes < 60 ? 60 % minutes === 0 : minutes % 60 === 0 && 1440 % minutes === 0,
);
