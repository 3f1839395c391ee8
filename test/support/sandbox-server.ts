import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';

/** A request as a sandbox sees it. `headers` are lower-case; `body` is whole. */
export interface SandboxRequest {
  method: string;
  url: URL;
  headers: Record<string, string | undefined>;
  body: string;
}

export interface SandboxAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
  /** Sends only so many characters of the body, and then… */
  sendOnly?: number;
  /** …either never ends (`hang`) or closes the connection (`cut`). */
  then?: 'hang' | 'cut';
  /** Takes the request, and never answers. */
  silent?: true;
}

/** What goes wrong on purpose. The first one that fits a request and is not used up decides about it. */
export interface Fault {
  /** Compared with the path and the query, as in `/v1/w3s/wallets?order=ASC`. */
  path: RegExp;
  /** How many fitting requests pass untouched before it begins; default 0. */
  skip?: number;
  /** How many requests it spoils; default: all. */
  times?: number;
  /** `real()` is what the sandbox would have answered. */
  respond: (real: () => SandboxAnswer, request: SandboxRequest) => SandboxAnswer;
}

/** At most `requests` in any `windowMs` (a sliding window); `undefined` for no limit. */
export type RateLimit = { requests: number; windowMs: number } | undefined;

export interface SandboxServer {
  /** `http://127.0.0.1:<port>`. */
  url: string;
  /** Faults that tests add and take away while the server runs. */
  faults: Fault[];
  /** Every request that arrived, in order, `method path?query`. */
  log: string[];
  /** From now on every answer has a `Date`, by that clock. At first none has: the times of a test need not go together. */
  dateBy: (clock: () => Date) => void;
  /** How many connections were opened so far: 1 for a client that keeps them alive and sends one at a time. */
  connections: () => number;
  /** Changes the rate limit. */
  limit: (rateLimit: RateLimit) => void;
  /** Stops listening and ends every connection at once, also those that wait for an answer. */
  close: () => Promise<void>;
}

export interface ServerOptions {
  /** Default: any free one. */
  port?: number | undefined;
  rateLimit: RateLimit;
  handle: (request: SandboxRequest) => SandboxAnswer;
  /** The answer to one request too many; `resetAt` is when the next one is allowed (unix milliseconds). */
  tooMany: () => SandboxAnswer;
  /** Added to every answer. */
  headers: (request: SandboxRequest, window: { used: number; resetAt: number }) => Record<string, string>;
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): SandboxAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

export async function startServer(options: ServerOptions): Promise<SandboxServer> {
  const faults: Fault[] = [];
  const log: string[] = [];
  const window = new SlidingWindow(options.rateLimit);
  let clock: (() => Date) | undefined;
  let connections = 0;

  function answer(request: SandboxRequest): SandboxAnswer {
    const used = window.take();
    const real = () => (used.allowed ? options.handle(request) : options.tooMany());
    const fault = dueFault(faults, request);
    const given = fault ? fault.respond(real, request) : real();
    const date = clock && { date: clock().toUTCString() };
    return { ...given, headers: { ...date, ...options.headers(request, used), ...given.headers } };
  }

  const server = createServer((incoming, outgoing) => {
    void receive(incoming)
      .then((request) => {
        log.push(`${request.method} ${request.url.pathname}${request.url.search}`);
        send(outgoing, answer(request));
      })
      .catch((error: unknown) => outgoing.destroy(error as Error));
  });
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    log,
    connections: () => connections,
    dateBy: (other) => {
      clock = other;
    },
    limit: (rateLimit) => {
      window.limit = rateLimit;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function receive(incoming: IncomingMessage): Promise<SandboxRequest> {
  const host = incoming.headers.host ?? '127.0.0.1';
  return {
    method: incoming.method ?? 'GET',
    url: new URL(incoming.url ?? '/', `http://${host}`),
    headers: incoming.headers as Record<string, string | undefined>,
    body: await readText(incoming),
  };
}

function send(outgoing: ServerResponse, { status, headers, body, sendOnly, then, silent }: SandboxAnswer): void {
  if (silent) return;
  outgoing.sendDate = false; // it would be the real time
  outgoing.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  if (then === undefined) outgoing.end(sendOnly === undefined ? body : body.slice(0, sendOnly));
  else outgoing.write(body.slice(0, sendOnly), () => then === 'cut' && outgoing.destroy());
}

/** Counts as it looks: `skip` and `times` are used up by the requests that fit. */
function dueFault(faults: Fault[], { url }: SandboxRequest): Fault | undefined {
  for (const fault of faults) {
    if (!fault.path.test(url.pathname + url.search)) continue;
    if (fault.skip !== undefined && fault.skip > 0) {
      fault.skip -= 1;
      continue;
    }
    if (fault.times === 0) continue;
    if (fault.times !== undefined) fault.times -= 1;
    return fault;
  }
  return undefined;
}

class SlidingWindow {
  limit: RateLimit;
  #times: number[] = [];

  constructor(limit: RateLimit) {
    this.limit = limit;
  }

  take(): { allowed: boolean; used: number; resetAt: number } {
    const now = Date.now();
    const { requests, windowMs } = this.limit ?? { requests: Infinity, windowMs: 0 };
    this.#times = this.#times.filter((time) => time > now - windowMs);
    const allowed = this.#times.length < requests;
    if (allowed) this.#times.push(now);
    return { allowed, used: this.#times.length, resetAt: (this.#times[0] ?? now) + windowMs };
  }
}

/** The faults that any HTTP server can have. Each is given where it happens, and how often. */
type Where = Pick<Fault, 'path' | 'skip' | 'times'>;

/** For `dateBy`. */
export function minutesBefore(now: Date, minutes: number): Date {
  return new Date(now.getTime() - 60_000 * minutes);
}

/** 429, with a `Retry-After` (seconds or an HTTP date) or without. */
export function tooManyRequests(where: Where, retryAfter?: string): Fault {
  const headers: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
  return { ...where, respond: () => json(429, { code: 429, message: 'Too many requests.' }, headers) };
}

/** What a gateway says when the server behind it is away: a page for people. */
export function htmlError(where: Where, status: 500 | 502 | 503): Fault {
  const body = `<html><head><title>${status}</title></head>\n<body><h1>${status} Bad Gateway</h1></body></html>`;
  return { ...where, respond: () => ({ status, headers: { 'content-type': 'text/html' }, body }) };
}

/** Any answer in place of the real one. */
export function answers(where: Where, answer: Partial<SandboxAnswer> & { status: number }): Fault {
  return { ...where, respond: () => ({ headers: {}, body: '', ...answer }) };
}

/** The headers and the beginning of the real body, and then nothing more. */
export function slowBody(where: Where): Fault {
  return { ...where, respond: (real) => ({ ...real(), sendOnly: 10, then: 'hang' }) };
}

/** The connection closes in the middle of the real body. */
export function cutConnection(where: Where): Fault {
  return { ...where, respond: (real) => ({ ...real(), sendOnly: 10, then: 'cut' }) };
}

/** A body that is sent whole, and is only the first half of the JSON. */
export function truncatedJson(where: Where): Fault {
  return {
    ...where,
    respond: (real) => {
      const { body, ...rest } = real();
      return { ...rest, body: body.slice(0, Math.floor(body.length / 2)) };
    },
  };
}

/** The real answer with its JSON body changed by `change`, which may also change it in place. */
export function changedJson(where: Where, change: (body: never) => unknown): Fault {
  return {
    ...where,
    respond: (real) => {
      const answer = real();
      const body = JSON.parse(answer.body) as never;
      return { ...answer, body: JSON.stringify(change(body) ?? body) };
    },
  };
}

/** The real answer with other headers; an empty value takes one away. */
export function changedHeaders(
  where: Where,
  change: (headers: Record<string, string>) => Record<string, string>,
): Fault {
  return {
    ...where,
    respond: (real) => {
      const answer = real();
      return { ...answer, headers: change(answer.headers) };
    },
  };
}
