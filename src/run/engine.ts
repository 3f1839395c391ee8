import type { CheckName } from '../checks/names.ts';
import type { Config } from '../config.ts';
import type { Retry } from '../custodians/custodian.ts';
import { everything, type CutOptions, type Scope } from './cut.ts';
import type { Missed } from '../schedule/punctuality.ts';
import type { Report, RunType } from '../reports.ts';
import type { CheckOutcome } from './outcome.ts';
import type { RunResult } from './result.ts';
import { runTimeoutMs } from './timeout.ts';
import { createMask, type Mask } from '../secrets.ts';
import type { Source } from '../source.ts';
import type { World } from '../world.ts';

export interface RunOptions {
  type: RunType;
  /** The checks to run, of those that are on. */
  checks: readonly CheckName[];
  scope: Scope;
  dryRun: boolean;
  waitMs: number;
  /** Take a shrunken source for the truth this once. */
  acceptFewer: boolean;
  /** Let each check of the database look at books with known faults as well. */
  canary: boolean;
}

/** Told what happens while it happens; none of it is a result. */
export interface RunListener {
  /** Another run holds the lock, and this one waits for it, for so long at most; `holder` says whose it is. */
  waiting(holder: string, waitMs: number): void;
  /** Begins with 0. */
  reading(check: CheckName, read: number): void;
  /** The custodian did not answer, and is asked again, so long at most; undefined: it has answered. */
  retrying(check: CheckName, retry: Retry | undefined, forMs: number): void;
  comparing(check: CheckName): void;
  finished(outcome: CheckOutcome): void;
  /** Nothing is stored before all of it is. */
  storing(stored: number, all: number): void;
  /** The run has the lock and its report. */
  began(report: Report): void;
  /** All of it is stored. */
  ended(report: Report, found: RunResult['found']): void;
  /** It ended without a result. */
  failed(report: Report, error: unknown): void;
  /** Runs that were expected before this one did not come. */
  missed(missed: readonly Missed[]): void;
  /** Something beside the result went wrong, and the run goes on: an `event` for the log, and what it was. */
  trouble(event: string, error: unknown): void;
}

export interface Engine {
  config: Config;
  options: RunOptions;
  world: World;
  listener: RunListener;
  source: Source;
  mask: Mask;
  /** Aborted by a signal of the operating system or by the run's deadline. */
  signal: AbortSignal;
  /** Aborted when half of the run's time is over: a slow custodian must not keep the books from being looked at. */
  custodianSignal: AbortSignal;
  custodianTimeoutMs: number;
}

/** The deadline runs from here: waiting for the lock does not count. */
export function startEngine(
  config: Config,
  options: RunOptions,
  world: World,
  listener: RunListener,
  source: Source,
): Engine {
  const timeoutMs = runTimeoutMs(config, options.type);
  const signal = deadlineAfter(timeoutMs, world.signal);
  const custodianTimeoutMs = timeoutMs / 2;
  const custodianSignal = deadlineAfter(custodianTimeoutMs, signal);
  const mask = createMask(world.env);
  return { config, options, world, listener, source, signal, custodianSignal, custodianTimeoutMs, mask };
}

/** A signal that goes off with the other one, or after that time. */
export function deadlineAfter(milliseconds: number, signal: AbortSignal): AbortSignal {
  const deadline = AbortSignal.timeout(Math.ceil(milliseconds));
  deadline.addEventListener('abort', () => undefined); // `any` holds it weakly: collected, it would never go off
  return AbortSignal.any([signal, deadline]);
}

export function cutOptionsOf(
  { config, source, options, world, signal }: Engine,
  known: CutOptions['known'],
): CutOptions {
  const seed = String(Math.floor(world.random() * Number.MAX_SAFE_INTEGER));
  return { config, source, scope: options.scope, asOf: world.asOf, seed, known, signal };
}

export function isWhole(scope: Scope): boolean {
  return scope.since === everything.since && scope.until === everything.until && scope.userId === everything.userId;
}
