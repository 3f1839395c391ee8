import { setMaxListeners } from 'node:events';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import pRetry, { type RetryContext } from 'p-retry';
import pThrottle from 'p-throttle';
import type { z } from 'zod';
import { Incomplete, type IncompleteExitCode } from '../incomplete.ts';
import { clockApartMaxMs, clockApartMs, middleOf } from './clock.ts';
import type { CustodianWorld } from './custodian.ts';
import {
  describeFailure,
  endpointOf,
  errorCode,
  excerptOf,
  quote,
  type RawAnswer,
  readAnswer,
  Refusal,
} from './answers.ts';
import { askedWaitMs, attemptsMax, backOffMs, isPassing, restMs, waitMaxMs } from './retries.ts';

export interface HttpOptions {
  /** As it is called in messages: `Circle`, `Alpaca`. */
  custodian: string;
  /** Where to look when it refuses: what proves who we are, and what says where it is asked. */
  variables: { keys: readonly string[]; addresses: readonly string[] };
  requestsPerSecond: number;
  /** For one attempt: connecting, the headers and the whole body. */
  requestTimeoutMs: number;
  /** Of one answer, unpacked; default 32 MiB: 1,000 accounts of Alpaca with everything in them are about 4. */
  bodyBytesMax?: number;
  /** Replaced by `[secret]` wherever a custodian repeats one in an answer. */
  secrets: readonly string[];
}

export interface HttpRequest {
  url: URL;
  headers: Record<string, string>;
  /** Sent as a form by POST; without it the request is a GET. */
  form?: URLSearchParams;
}

export interface HttpAnswer<T> {
  data: T;
  /** The `Link` header, empty if there is none. */
  link: string;
  /** Whether a cache says that it had the answer (`Age`, RFC 9111, 5.1). */
  kept: boolean;
}

/**
 * Lends `work` a client, and takes everything back when it ends: connections are closed and whatever is still under way
 * is stopped. Rejects with the signal's reason as soon as `world.signal` aborts.
 */
export async function withHttp<T>(
  options: HttpOptions,
  world: CustodianWorld,
  work: (http: Http) => Promise<T>,
): Promise<T> {
  world.signal.throwIfAborted();
  const over = new AbortController();
  // Every request under way listens to it, and that is as many as there are workers.
  setMaxListeners(0, over.signal);
  const stop = () => {
    over.abort(world.signal.reason);
  };
  world.signal.addEventListener('abort', stop, { once: true });
  const agents = { 'http:': new HttpAgent({ keepAlive: true }), 'https:': new HttpsAgent({ keepAlive: true }) };
  try {
    return await work(new Http(options, world, agents, over.signal));
  } catch (error) {
    world.signal.throwIfAborted();
    throw error;
  } finally {
    world.signal.removeEventListener('abort', stop);
    over.abort();
    for (const agent of Object.values(agents)) agent.destroy();
  }
}

type Agents = Record<'http:' | 'https:', HttpAgent | HttpsAgent>;

/** A read-only JSON client that is paced, retries what may pass, and gives a checked answer or throws `Incomplete`. */
export class Http {
  /** Requests sent so far, and how many of them were sent again. */
  requests = 0;
  retries = 0;
  /** How far the custodian's clock is from ours, by each answer that said a time. */
  readonly #apartMs: number[] = [];
  readonly #options: Required<HttpOptions>;
  readonly #world: CustodianWorld;
  readonly #agents: Agents;
  readonly #signal: AbortSignal;
  readonly #turn: () => Promise<void>;
  readonly #secrets: string[];
  /** Passes when the custodian may be asked again: everybody waits, not only who was told. */
  #quiet: Promise<unknown> = Promise.resolve();

  /** `signal` ends the reading; it is aborted when `world.signal` is. Use `withHttp`. */
  constructor(options: HttpOptions, world: CustodianWorld, agents: Agents, signal: AbortSignal) {
    this.#options = { bodyBytesMax: 32 * 1024 * 1024, ...options };
    this.#world = world;
    this.#agents = agents;
    this.#signal = signal;
    this.#secrets = [...options.secrets];
    // At even distances, never in a burst: a second at the custodian may begin anywhere in ours.
    this.#turn = pThrottle({ limit: 1, interval: 1000 / options.requestsPerSecond, signal })(() => Promise.resolve());
  }

  /**
   * How far the custodian's clock is from ours at least, negative where it is behind; null: no answer said a time. The
   * middle of what they said: one may be old, from a cache or a slow proxy, or come from a server whose clock is wrong.
   */
  get clockApartMs(): number | null {
    return middleOf(this.#apartMs) ?? null;
  }

  /** Keeps one more text out of messages: a token that was issued along the way. */
  hide(secret: string): void {
    this.#secrets.push(secret);
  }

  /** What a custodian said, fit for a message. Secrets of a few letters are left: they would blot out whole words. */
  withoutSecrets(text: string): string {
    return this.#secrets
      .filter((secret) => secret.length > 5)
      .reduce((left, secret) => left.replaceAll(secret, '[secret]'), text);
  }

  /**
   * Sends a request, again if need be, and checks the answer. Throws `Refusal` (77 for refused credentials, 78 for the
   * wrong environment) for an answer that would stay the same, `Incomplete` for everything else.
   */
  async send<T>(request: HttpRequest, schema: z.ZodType<T>): Promise<HttpAnswer<T>> {
    const endpoint = endpointOf(request.url, request.form ? 'POST' : 'GET');
    const answer = await this.#sendUntilAnswered(request, endpoint);
    const data = readAnswer(answer, schema, this.#options.custodian, endpoint);
    return { data, link: answer.headers.get('link') ?? '', kept: wasKept(answer) };
  }

  /**
   * Holds a time that the custodian says is now against our clock. Throws `Incomplete` where they are too far apart: what
   * is on its way is told by the times of both, and an answer out of a cache says nothing about now: one that was `kept`
   * may be fresh enough, but it does not tell what time it is.
   */
  holdClock(endpoint: string, theirs: string | null, askedAt: Date, kept: boolean): void {
    const now = this.#world.now();
    const apartMs = clockApartMs(theirs, askedAt, now);
    if (apartMs === undefined) return;
    if (Math.abs(apartMs) > clockApartMaxMs)
      throw this.#incomplete(
        `${endpoint} answered with the time ${quote(theirs ?? '', 40)} at ${now.toISOString()} by our clock; one of the two is wrong, or the answer is an old one out of a cache`,
      );
    if (!kept) this.#apartMs.push(apartMs);
  }

  async #sendUntilAnswered(request: HttpRequest, endpoint: string): Promise<RawAnswer> {
    try {
      return await pRetry(() => this.#attempt(request, endpoint), {
        retries: attemptsMax - 1,
        minTimeout: 0,
        signal: this.#signal,
        shouldRetry: ({ error }) => error instanceof PassingFault,
        onFailedAttempt: (context) => this.#waitFor(context, endpoint),
      });
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!(error instanceof PassingFault)) throw error;
      throw this.#incomplete(`${endpoint} ${error.message}; it was tried ${attemptsMax} times`, error.answer);
    }
  }

  async #attempt(request: HttpRequest, endpoint: string): Promise<RawAnswer> {
    await this.#quiet;
    await this.#turn();
    this.requests += 1;
    const askedAt = this.#world.now();
    const answer = await this.#exchange(request, endpoint);
    if (answer.status >= 200 && answer.status < 300) {
      this.holdClock(endpoint, answer.headers.get('date'), askedAt, wasKept(answer));
      this.#world.asking?.answered();
      this.#rest(restMs(answer, this.#world.now));
      return answer;
    }
    const said = `answered ${describeFailure(answer)}`;
    if (isPassing(answer.status)) throw new PassingFault(said, answer);
    if (answer.status >= 300 && answer.status < 400)
      throw this.#incomplete(
        `${endpoint} ${said}, a redirect, and redirects are not followed; check ${this.#options.variables.addresses.join(' and ')}`,
        answer,
      );
    throw this.#refusal(`${endpoint} ${said}`, answer);
  }

  /** One request and its whole body, within the time limit. */
  async #exchange({ url, headers, form }: HttpRequest, endpoint: string): Promise<RawAnswer> {
    const { requestTimeoutMs, bodyBytesMax } = this.#options;
    const deadline = new AbortController();
    const stop = () => {
      deadline.abort();
    };
    this.#signal.throwIfAborted();
    this.#signal.addEventListener('abort', stop, { once: true });
    const timer = setTimeout(stop, requestTimeoutMs);
    try {
      const response = await this.#world.fetch(url.href, {
        ...(form && { method: 'POST', body: form.toString() }),
        headers: { ...headers, accept: 'application/json', ...(form && { 'content-type': formType }) },
        agent: ({ protocol }) => this.#agents[protocol as keyof Agents],
        redirect: 'manual',
        size: bodyBytesMax,
        signal: deadline.signal,
      });
      return {
        status: response.status,
        headers: response.headers,
        text: await response.text(),
        hide: (shown) => this.withoutSecrets(shown),
      };
    } catch (error) {
      this.#signal.throwIfAborted();
      if (deadline.signal.aborted) throw new PassingFault(`gave no whole answer within ${requestTimeoutMs} ms`);
      throw this.#networkFault(error, endpoint);
    } finally {
      clearTimeout(timer);
      this.#signal.removeEventListener('abort', stop);
    }
  }

  #networkFault(error: unknown, endpoint: string): Error {
    const { custodian, variables, bodyBytesMax } = this.#options;
    const { code, type } = error as { code?: string; type?: string };
    if (code === 'ERR_INVALID_CHAR')
      return new Incomplete(
        `The credentials for ${custodian} (${variables.keys.join(', ')}) hold a character that no HTTP header can carry, such as a line break.`,
        77,
      );
    if (type === 'max-size') return this.#incomplete(`the answer to ${endpoint} is larger than ${bodyBytesMax} bytes`);
    return new PassingFault(`could not be sent or answered (${quote(code ?? type ?? 'network error', 40)})`);
  }

  /** Waits before the next attempt: as long as the custodian asks, the back-off where it is silent or says "now". */
  async #waitFor({ error, attemptNumber, retriesLeft }: RetryContext, endpoint: string): Promise<void> {
    if (!(error instanceof PassingFault) || retriesLeft === 0) return;
    const asked = error.answer && askedWaitMs(error.answer, this.#world.now());
    if (asked !== undefined && asked > waitMaxMs)
      throw this.#incomplete(
        `${endpoint} ${error.message} and asks to wait ${Math.ceil(asked / 1000)} s, longer than the ${waitMaxMs / 1000} s that a run waits`,
        error.answer,
      );
    const waitMs = asked !== undefined && asked > 0 ? asked : backOffMs(attemptNumber, this.#world.random);
    if (error.answer?.status === 429) this.#rest(waitMs);
    const trouble = `${endpoint} ${error.message}`;
    this.#world.asking?.retrying({ trouble, attempt: attemptNumber + 1, attemptsMax });
    await sleep(waitMs, undefined, { signal: this.#signal });
    this.retries += 1;
  }

  /** Keeps everybody from asking for so long. */
  #rest(milliseconds: number | undefined): void {
    if (milliseconds === undefined) return;
    this.#world.asking?.resting?.(milliseconds);
    const rest = sleep(milliseconds, undefined, { signal: this.#signal }).catch(() => undefined);
    this.#quiet = Promise.all([this.#quiet, rest]);
  }

  #refusal(said: string, answer: RawAnswer): Refusal {
    const { custodian, variables } = this.#options;
    const exitCode = exitCodeOf(answer);
    const [what, advice] = refusals[exitCode];
    const named = [...variables.keys, ...variables.addresses].join(', ').replace(/, (?=\w+$)/, ' and ');
    return new Refusal(`${custodian} ${what}`, said, advice(named), exitCode, answer);
  }

  #incomplete(what: string, answer?: RawAnswer): Incomplete {
    const excerpt = answer && excerptOf(answer);
    return new Incomplete(`${this.#options.custodian} could not be read: ${what}.`, 3, { excerpt });
  }
}

/** What a refusal is called, and what to do about it, where that lies with us. */
const refusals: Record<IncompleteExitCode, [what: string, advice: (variables: string) => string]> = {
  3: ['could not be read', () => ''],
  77: ['refused the credentials', (variables) => ` Check ${variables}.`],
  78: [
    'refused the environment',
    (variables) => ` Check ${variables}: they have to be of the environment of the books.`,
  ],
};

const formType = 'application/x-www-form-urlencoded';

/** Codes: Circle's 156006 is a TEST key on a mainnet or the reverse; the others are OAuth's (API-FACTS.md A.0, B.1). */
function exitCodeOf(answer: RawAnswer): IncompleteExitCode {
  const code = errorCode(answer);
  if (code === '156006') return 78;
  if (answer.status === 401 || answer.status === 403) return 77;
  return code === 'invalid_client' || code === 'unauthorized_client' ? 77 : 3;
}

function wasKept({ headers }: RawAnswer): boolean {
  return headers.get('age') !== null;
}

/** Something that may be over at the next attempt. Its message goes on after the name of the endpoint. */
class PassingFault extends Error {
  readonly answer: RawAnswer | undefined;

  constructor(message: string, answer?: RawAnswer) {
    super(message);
    this.answer = answer;
  }
}
