import type { Config } from '../config.ts';
import type { Database } from '../database/database.ts';
import type { Source } from '../source.ts';
import type { World } from '../world.ts';

/** What was found about one thing. `message` and `next` may hold text of a database or an API, as it came. */
export interface Diagnosis {
  /** What was looked at: `database`, `rights`, `circle`. */
  topic: string;
  /** A warning leaves runs possible and makes them worth less; a problem makes a run incomplete or impossible. */
  verdict: 'ok' | 'warning' | 'problem';
  message: string;
  /** What to do; null where there is nothing to be done. */
  next: string | null;
}

/** What an examination may ask. It only reads. */
export interface Patient {
  config: Config;
  source: Source;
  world: World;
}

/** The same with the database that DATABASE_URL names. */
export interface DatabasePatient extends Patient {
  database: Database;
}

/** One thing to look at. What it throws for the operator becomes a problem of its topic. */
export interface Examination<P extends Patient = Patient> {
  readonly topic: string;
  /** The topic without a problem in which this one can be looked at; absent: whatever connects. */
  readonly after?: string;
  readonly examine: (patient: P) => Promise<readonly Opinion[]>;
}

/** A diagnosis whose topic is that of its examination. */
export type Opinion = Omit<Diagnosis, 'topic'>;

export function ok(message: string): Opinion {
  return { verdict: 'ok', message, next: null };
}

export function warning(message: string, next: string | null): Opinion {
  return { verdict: 'warning', message, next };
}

export function problem(message: string, next: string | null): Opinion {
  return { verdict: 'problem', message, next };
}

/** The first three of a list; `all`: how many there are, where it holds no more than the first. */
export function some(first: readonly string[], { all = first.length, separator = ', ' } = {}): string {
  return [...first.slice(0, 3), ...(all > 3 ? ['…'] : [])].join(separator);
}
