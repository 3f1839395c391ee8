import { setTimeout as sleep } from 'node:timers/promises';

/** Codes after which PostgreSQL itself ends the session: the connection closes a moment later. */
const endsSession = new Set(['57P01', '57P02', '57P03', '25P03', '25P04']);

/** How long the news that a session was ended may take to arrive. */
const newsMs = 2_000;

/**
 * Keeps a transaction from being spoken to once its connection is gone. The driver sends its own `rollback` there and
 * then breaks in a callback that nobody can catch. So the body of a lost transaction never settles; the driver's
 * `begin` rejects on its own when the connection closes, and that is the only answer that anybody gets.
 */
export class Lifeline {
  #lost = false;
  readonly #cut = new AbortController();

  /** To be called when `begin` has settled: either the body is over, or the connection is. */
  cut(): void {
    this.#lost = true;
    this.#cut.abort();
  }

  /** Aborted by then. */
  get over(): AbortSignal {
    return this.#cut.signal;
  }

  /** The same transaction, silent once the connection is lost. */
  guard<T extends object>(transaction: T): T {
    return new Proxy(transaction, {
      apply: (target, self, args): unknown =>
        this.#lost ? never() : Reflect.apply(target as () => unknown, self, args),
      get: (target, name): unknown => {
        const value: unknown = Reflect.get(target, name);
        return this.#lost && typeof value === 'function' ? never : value;
      },
    });
  }

  /** What `body` answers or throws; nothing at all once the connection is lost. */
  async hold<T>(body: () => Promise<T>): Promise<T> {
    try {
      const answer = await body();
      return this.#lost ? await never() : answer; // or the driver would send its `commit`
    } catch (error) {
      await sleep(isEndOfSession(error) ? newsMs : 0, undefined, { signal: this.#cut.signal }).catch(() => undefined);
      if (this.#lost) return never();
      throw error;
    }
  }
}

function isEndOfSession(error: unknown): boolean {
  return error instanceof Error && 'code' in error && endsSession.has(String(error.code));
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
