import { Readable, Writable } from 'node:stream';
import nodeFetch from 'node-fetch';
import { main } from '../../src/main.ts';
import { SignalInterrupt, type World } from '../../src/world.ts';
import { cutAt } from './run-check.ts';

/** A stream that keeps what was written. */
export class Captured extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number;

  constructor(isTTY: boolean, columns = 120) {
    super();
    this.isTTY = isTTY;
    this.columns = columns;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

export interface WorldOptions {
  /** The whole environment: nothing of the real one is seen. */
  env?: Record<string, string>;
  /** The clock of the machine; it stands still. Default: the moment of the cut. */
  now?: Date;
  /** The moment of the cut; null asks the database's clock, as in production. */
  asOf?: Date | null;
  /** Whether stdout and stderr are terminals. */
  terminal?: boolean;
  /** Characters to a line of it. */
  columns?: number;
}

export interface TestWorld extends World {
  stdout: Captured;
  stderr: Captured;
  /** What the operating system would send. */
  interrupt: (signal: 'SIGINT' | 'SIGTERM') => void;
}

/** A world with streams in memory, a clock that stands still, no jitter, and the real network. */
export function testWorld({
  env = {},
  now = cutAt,
  asOf = cutAt,
  terminal = false,
  columns,
}: WorldOptions = {}): TestWorld {
  const controller = new AbortController();
  return {
    env,
    stdin: Readable.from([]),
    stdout: new Captured(terminal, columns),
    stderr: new Captured(terminal, columns),
    now: () => now,
    random: () => 0,
    fetch: nodeFetch,
    signal: controller.signal,
    ...(asOf !== null && { asOf }),
    interrupt: (signal) => {
      controller.abort(new SignalInterrupt(signal));
    },
  };
}

export interface Outcome {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Types one command line in a world of its own. */
export async function recon(argv: readonly string[], options: WorldOptions = {}): Promise<Outcome> {
  return reconIn(testWorld(options), argv);
}

/** Types one command line in that world. */
export async function reconIn(world: TestWorld, argv: readonly string[]): Promise<Outcome> {
  const exitCode = await main(argv, world);
  return { exitCode, stdout: world.stdout.text, stderr: world.stderr.text };
}

/** The checks that need no custodian, for RECONCILIATION_CHECKS. */
export const withoutCustodians = 'ledger_consistency,deposits,conversion_jobs,withdrawals';

/** `-o json` of `recon run`, as a script reads it. */
export interface RunDocument {
  version: number;
  report: Record<string, unknown> & { id: string; metadata: Record<string, unknown> };
  checks: (Record<string, unknown> & { check_type: string; metadata: Record<string, unknown> })[];
  exceptions: (Record<string, unknown> & { id: string; kind: string; affected_entity: string })[];
}

export interface Operator {
  /** Types one command line, a minute after the one before. */
  types: (argv: readonly string[], options?: WorldOptions) => Promise<Outcome>;
  /** `recon run` with these flags and `-o json`, parsed; fails the test where stdout is not that document. */
  runs: (flags?: readonly string[], options?: WorldOptions) => Promise<RunDocument & { exitCode: number }>;
}

/** Somebody at work on the database at `url`, with the checks that need no custodian unless `env` says otherwise. */
export function operatorOf(url: string, env: Record<string, string> = {}): Operator {
  const own = { DATABASE_URL: url, RECONCILIATION_CHECKS: withoutCustodians, USER: 'ada', LOG_LEVEL: 'silent', ...env };
  let minutes = 0;
  const types: Operator['types'] = (argv, options = {}) => {
    const now = new Date(cutAt.getTime() + 60_000 * minutes++);
    return recon(argv, { now, ...options, env: { ...own, ...options.env } });
  };
  return {
    types,
    runs: async (flags = [], options) => {
      const { exitCode, stdout, stderr } = await types(['run', ...flags, '-o', 'json'], options);
      if (stdout === '') throw new Error(`recon run printed nothing:\n${stderr}`);
      return { ...(JSON.parse(stdout) as RunDocument), exitCode };
    },
  };
}
