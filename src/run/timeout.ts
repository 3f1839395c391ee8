import type { Config } from '../config.ts';
import { lockTimeoutMaxMs } from '../database/database.ts';
import type { RunType } from '../reports.ts';

/** Where RECONCILIATION_RUN_TIMEOUT is not set. */
export const defaultTimeoutMs: Record<RunType, number> = { hourly: 600_000, daily: 3_600_000, manual: 3_600_000 };

/** Where `--wait` is not given: how long a run waits for another one to end. */
export const defaultWaitMs: Record<RunType, number> = { hourly: 0, daily: 900_000, manual: 0 };

/** How long a run may take: its deadline, counted from when it holds the lock. */
export function runTimeoutMs(config: Pick<Config, 'runTimeoutMs'>, type: RunType): number {
  return config.runTimeoutMs ?? defaultTimeoutMs[type];
}

/** How long a run waits for one lock of somebody else. */
export function lockTimeoutMs({ runTimeoutMs: timeoutMs = Infinity }: Pick<Config, 'runTimeoutMs'>): number {
  return Math.min(timeoutMs, lockTimeoutMaxMs);
}

/** How long it waits to change exceptions: a million of them are stored in a minute and a half, and its result is at stake. */
export function exceptionsWaitMs({ runTimeoutMs: timeoutMs = Infinity }: Pick<Config, 'runTimeoutMs'>): number {
  return Math.min(timeoutMs, 300_000);
}
