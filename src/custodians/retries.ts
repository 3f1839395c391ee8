import type { RawAnswer } from './answers.ts';

/** How often one request is sent at most: the first time and the retries. */
export const attemptsMax = 6;

/** The longest that a custodian may ask us to wait: its windows are a minute at most (API-FACTS.md B.2), and slack. */
export const waitMaxMs = 65_000;

const passingStatuses = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Whether the same request may well succeed later. 501 is not among them: it means "never" (API-FACTS.md A.0). */
export function isPassing(status: number): boolean {
  return passingStatuses.has(status);
}

/**
 * How long the answer asks us to wait, in milliseconds; undefined if it does not say. `Retry-After` counts for every
 * status, in seconds or as an HTTP date; Alpaca's `X-RateLimit-Reset` (unix seconds, and a second on top as Alpaca
 * advises) only for 429, because every answer carries it. Times are counted from the answer's own `Date`, because our
 * clocks need not agree, or from `now` where it has none.
 */
export function askedWaitMs(answer: Pick<RawAnswer, 'status' | 'headers'>, now: Date): number | undefined {
  const retryAfter = answer.headers.get('retry-after')?.trim();
  if (retryAfter !== undefined) return retryAfterMs(retryAfter, timeOf(answer, now));
  return answer.status === 429 ? untilResetMs(answer, now) : undefined;
}

function timeOf({ headers }: Pick<RawAnswer, 'headers'>, now: Date): Date {
  const date = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(date) ? now : new Date(date);
}

function untilResetMs(answer: Pick<RawAnswer, 'headers'>, now: Date): number | undefined {
  const reset = wholeNumber(answer.headers.get('x-ratelimit-reset'));
  if (reset === undefined) return undefined;
  const wait = reset * 1000 + 1000 - timeOf(answer, now).getTime();
  // Further away than any window is long: one of the two clocks is wrong, so the back-off decides.
  return wait > 0 && wait <= waitMaxMs ? wait : undefined;
}

/**
 * How long nobody should ask after this answer, in milliseconds: until the window is over, where less than a tenth of
 * what the custodian allows in it is left (`X-RateLimit-*`, API-FACTS.md B.2). The rest belongs to whoever else shares
 * the limit: at Alpaca the customers' own trading. Undefined: go on.
 */
export function restMs(answer: RawAnswer, now: () => Date): number | undefined {
  const limit = wholeNumber(answer.headers.get('x-ratelimit-limit'));
  const remaining = wholeNumber(answer.headers.get('x-ratelimit-remaining'));
  if (limit === undefined || remaining === undefined || remaining * 10 >= limit) return undefined;
  return untilResetMs(answer, now());
}

function wholeNumber(text: string | null): number | undefined {
  return text !== null && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}

function retryAfterMs(value: string, now: Date): number | undefined {
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime());
}

/** Exponential back-off with full jitter: up to 0.5 s after the first attempt, doubling, never above 30 s. */
export function backOffMs(attempt: number, random: () => number): number {
  return random() * Math.min(30_000, 500 * 2 ** (attempt - 1));
}
