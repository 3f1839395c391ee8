import { hostname } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type nodeFetch from 'node-fetch';

/** What `fetch` looks like to us: node-fetch's, because it takes a keep-alive `agent`. */
export type Fetch = typeof nodeFetch;

/** A stream that may be a terminal. */
export type Output = Writable & { isTTY?: boolean; columns?: number };

/** Characters to a line of a stream, as far as it knows: a terminal that nobody told its size says 0. */
export function widthOf({ columns = 0 }: Pick<Output, 'columns'>): number {
  return columns > 0 ? columns : 80;
}

/**
 * Everything outside the program. `bin/recon.js` passes the real one; a test passes its own, and it is, with the base
 * URLs of the custodians, the only seam.
 */
export interface World {
  /** Environment variables; `--env-file` is laid under it by the command that reads it. */
  env: Readonly<Record<string, string | undefined>>;
  /** The path that `--env-file` names, as it was typed. */
  envFile?: string;
  stdin: Readable & { isTTY?: boolean };
  stdout: Output;
  stderr: Output;
  /** The name of this machine: the log says from where a person acted. */
  host: string;
  /** The clock of this machine. The time that checks compare with is `asOf`, never this. */
  now: () => Date;
  /** Uniform in [0, 1): jitter. */
  random: () => number;
  fetch: Fetch;
  /** Aborted with a `SignalInterrupt` as its reason when SIGTERM or SIGINT arrives. */
  signal: AbortSignal;
  /** Fixes the moment of the cut. Absent in production, where the source database's clock is asked. */
  asOf?: Date;
}

/** Why the signal of the world was aborted. */
export class SignalInterrupt extends Error {
  override readonly name = 'SignalInterrupt';
  readonly exitCode: 130 | 143;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`interrupted by ${signal}`);
    this.exitCode = signal === 'SIGINT' ? 130 : 143;
  }
}

/** How long a step that cannot be aborted (a row that somebody else has locked) may go on after a signal. */
const patienceMs = 7_000;

/** The process that we run in. A second signal ends it at once. */
export function realWorld(): World {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      const interrupt = new SignalInterrupt(signal);
      process.once(signal, () => process.exit(interrupt.exitCode));
      setTimeout(() => process.exit(interrupt.exitCode), patienceMs).unref();
      controller.abort(interrupt);
    });
  outliveOutput(process.stdout, process.stderr);
  const env = { ...process.env }; // with what is hidden: a wish for TLS in it has to be told
  hideFromDriver(process.env);
  return {
    env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    host: hostname(),
    now: () => new Date(),
    random: Math.random,
    fetch: async (...request) => (await import('node-fetch')).default(...request),
    signal: controller.signal,
  };
}

/**
 * The driver of PostgreSQL reads the process's environment behind our back: `PG` and the name of any option of its own, of
 * which one (PGTARGETSESSIONATTRS) cannot be given another value. Where and how we connect stands in the URL alone.
 */
export function hideFromDriver(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(env)) if (name.startsWith('PG')) Reflect.deleteProperty(env, name);
}

/** The streams that did not take what was written, and the code of why. */
const cutShort = new WeakMap<Output, string>();

/**
 * A stream that cannot be written is no reason to break off: a reader that went away (`recon … | head`) wants no more,
 * and a log on a full disk must not cost the run. Whether a result was lost is asked in the end.
 */
export function outliveOutput(...streams: Output[]): void {
  for (const stream of streams)
    stream.on('error', ({ code = 'error' }: NodeJS.ErrnoException) => {
      if (code !== 'EPIPE' && !cutShort.has(stream)) cutShort.set(stream, code);
    });
}

/** Why something that was written did not arrive although somebody wanted it, once all of it was written. */
export async function whyCutShort(stream: Output): Promise<string | undefined> {
  await nextTurn(); // an error is told a moment after the write
  return cutShort.get(stream);
}
