import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { CustodianWorld } from '../../src/custodians/custodian.ts';
import { type Http, type HttpOptions, withHttp } from '../../src/custodians/http.ts';
import { linkPages } from '../../src/custodians/link-pages.ts';
import {
  answers,
  cutConnection,
  type Fault,
  htmlError,
  json,
  type RateLimit,
  type SandboxAnswer,
  type SandboxRequest,
  type SandboxServer,
  slowBody,
  startServer,
  tooManyRequests,
  truncatedJson,
} from '../support/sandbox-server.ts';
import { custodianWorld, incompleteness } from './custodian-world.ts';

const path = /^\/money/;
const usual = {
  custodian: 'Circle',
  variables: { keys: ['CIRCLE_API_KEY'], addresses: ['CIRCLE_BASE_URL'] },
  requestsPerSecond: 10_000,
  requestTimeoutMs: 30_000,
  secrets: ['5up3r-53cr37'],
};

let server: SandboxServer;
afterEach(() => server.close());

async function serving(
  faults: Fault[] = [],
  rateLimit?: RateLimit,
  handle: (request: SandboxRequest) => SandboxAnswer = () => json(200, { money: '1' }),
) {
  const tooMany = () => json(429, { message: 'slow down' });
  server = await startServer({ rateLimit, handle, tooMany, headers: () => ({ 'x-request-id': 'r-1' }) });
  server.faults.push(...faults);
}

const schema = z.object({ money: z.string() });

function using<T>(
  work: (http: Http) => Promise<T>,
  options: Partial<HttpOptions> = {},
  world: Partial<CustodianWorld> = {},
) {
  return withHttp({ ...usual, ...options }, custodianWorld(world), work);
}

function ask(options: Partial<HttpOptions> = {}, world: Partial<CustodianWorld> = {}) {
  const url = new URL(`${server.url}/money?amount=all`);
  return using(
    async (http) => ({ ...(await http.send({ url, headers: {} }, schema)), retries: http.retries }),
    options,
    world,
  );
}

/** The real fetch, which writes down when each request left. */
function noting(sent: number[]): CustodianWorld['fetch'] {
  const { fetch } = custodianWorld();
  return (...request: Parameters<typeof fetch>) => {
    sent.push(performance.now());
    return fetch(...request);
  };
}

describe('what may pass is tried again', () => {
  it.each([408, 425, 429, 500, 502, 503, 504])('%i', async (status) => {
    await serving([answers({ path, times: 2 }, { status, body: 'busy' })]);
    expect(await ask()).toMatchObject({ data: { money: '1' }, retries: 2 });
  });

  it('a connection that breaks off in the middle of an answer', async () => {
    await serving([cutConnection({ path, times: 2 })]);
    expect(await ask()).toMatchObject({ retries: 2 });
  });

  it('an answer that does not come to its end in time', async () => {
    await serving([slowBody({ path, times: 1 })]);
    expect(await ask({ requestTimeoutMs: 1_000 })).toMatchObject({ data: { money: '1' } });
    expect(server.log.length).toBeGreaterThan(1);
  });

  it('six times in all; then the last answer is the reason', async () => {
    await serving([htmlError({ path }, 502)]);
    const { reason, exitCode } = await incompleteness(ask());
    expect(reason).toBe(
      'Circle could not be read: GET sandbox/money answered 502 with a body that is not JSON (request id r-1); it was tried 6 times. It begins: "<html><head><title>502</title></head>\\u000a<body><h1>502 Bad Gateway</h1></body></html>"',
    );
    expect(exitCode).toBe(3);
    expect(server.log).toHaveLength(6);
  });

  it('until nobody listens any more', async () => {
    await serving();
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const url = new URL(`http://127.0.0.1:${(gone.address() as AddressInfo).port}/money`);
    await new Promise((resolve) => gone.close(resolve));
    const { reason } = await incompleteness(using((http) => http.send({ url, headers: {} }, schema)));
    expect(reason).toBe(
      'Circle could not be read: GET sandbox/money could not be sent or answered (ECONNREFUSED); it was tried 6 times.',
    );
  });
});

describe('how far the clock of a custodian is from ours', () => {
  const now = new Date('2026-11-22T10:00:00Z');
  const date = (minutesAgo: number) => ({ date: new Date(now.getTime() - minutesAgo * 60_000).toUTCString() });

  it.each([
    ['all agree', [date(2), date(2), date(2)], -119_001],
    ['one of three is old', [date(0), date(4), date(0)], 0],
    ['one of two is old', [date(4), date(0)], 0],
    ['one of three comes from a server whose clock is wrong', [date(2), date(-4), date(2)], -119_001],
    ['a cache kept those that are old', [{ ...date(4), age: '240' }, date(0), { ...date(4), age: '240' }], 0],
    ['a cache kept all of them', [{ ...date(4), age: '240' }], null],
    ['none says a time', [{}], null],
  ])('%s', async (_, headers, apartMs) => {
    const coming = headers.values();
    await serving([], undefined, () => json(200, { money: '1' }, coming.next().value));
    const apart = await using(
      async (http) => {
        const url = new URL(`${server.url}/money`);
        while (server.log.length < headers.length) await http.send({ url, headers: {} }, schema);
        return http.clockApartMs;
      },
      {},
      { now: () => now },
    );
    expect(apart).toBe(apartMs);
  });

  it('is too far where an answer is older than five minutes, also one that a cache kept', async () => {
    await serving([], undefined, () => json(200, { money: '1' }, { ...date(6), age: '360' }));
    const { reason } = await incompleteness(ask({}, { now: () => now }));
    expect(reason).toContain('GET sandbox/money answered with the time Sun, 22 Nov 2026 09:54:00 GMT at');
  });
});

describe('what will not pass is not tried again', () => {
  it.each([
    [400, '{"code":2,"message":"bad"}', 3, 'answered 400, code 2 "bad" (request id r-1).'],
    [501, '', 3, 'answered 501 (request id r-1).'],
    [404, '"no such thing"', 3, 'answered 404, "no such thing" (request id r-1).'],
    [401, '{"error":"invalid_token"}', 77, 'answered 401, "invalid_token" (request id r-1).'],
    [403, '{}', 77, 'answered 403 (request id r-1).'],
    [400, '{"code":156006,"message":"env"}', 78, 'answered 400, code 156006 "env" (request id r-1).'],
  ])('%i %s', async (status, body, exitCode, words) => {
    await serving([answers({ path }, { status, body })]);
    const failure = await incompleteness(ask());
    expect(failure.exitCode).toBe(exitCode);
    expect(failure.reason).toContain(words);
    expect(server.log).toHaveLength(1);
  });

  it('a redirect, and it is not followed', async () => {
    await serving([answers({ path }, { status: 302, headers: { location: '/elsewhere' } })]);
    expect((await incompleteness(ask())).reason).toContain('answered 302 (request id r-1), a redirect, and redirects');
    expect(server.log).toHaveLength(1);
  });

  it.each([
    [
      'a page for people',
      'Welcome to the \u001b[31mhotel\u202e Wi-Fi',
      'not JSON (request id r-1). It begins: "Welcome to the \\u001b[31mhotel\\u202e Wi-Fi"',
    ],
    ['nothing', '  ', 'with an empty body'],
    ['a long text', 'x'.repeat(500), `It begins: "${'x'.repeat(120)}…"`],
    ['our secret', 'you sent 5up3r-53cr37', 'It begins: "you sent [secret]"'],
  ])('an answer that is %s', async (_what, body, words) => {
    await serving([answers({ path }, { status: 200, body })]);
    expect((await incompleteness(ask())).reason).toContain(words);
    expect(server.log).toHaveLength(1);
  });

  it('JSON that is cut short: it is not quoted, it may hold anything', async () => {
    await serving([truncatedJson({ path })]);
    expect((await incompleteness(ask())).reason).toContain('with JSON that breaks off or is malformed (6 characters)');
  });

  it('an answer in another form: the field is named, its value is not', async () => {
    await serving([answers({ path }, { status: 200, body: '{"money":["Jane"]}' })]);
    expect((await incompleteness(ask())).reason).toBe(
      'Circle could not be read: in the answer to GET sandbox/money, money is missing or has an unexpected form (request id r-1).',
    );
    server.faults[0] = answers({ path }, { status: 200, body: '[]' });
    expect((await incompleteness(ask())).reason).toContain('the whole answer is missing or');
  });

  it('an answer that is larger than we take', async () => {
    await serving([answers({ path }, { status: 200, body: JSON.stringify({ money: '1'.repeat(1000) }) })]);
    expect((await incompleteness(ask({ bodyBytesMax: 1000 }))).reason).toBe(
      'Circle could not be read: the answer to GET sandbox/money is larger than 1000 bytes.',
    );
    expect(server.log).toHaveLength(1);
    expect((await ask({ bodyBytesMax: 2000 })).data.money).toHaveLength(1000);
  });

  it('long and hostile words of a custodian are cut and escaped', async () => {
    const body = JSON.stringify({ code: 7, message: `\u0000\ud800${'y'.repeat(1000)}` });
    await serving([answers({ path }, { status: 400, body })]);
    expect((await incompleteness(ask())).reason).toContain(`code 7 "\\u0000\\ud800${'y'.repeat(118)}…"`);
  });

  it.each([
    [
      'that unpacks to more than it may',
      { 'content-encoding': 'gzip' },
      (out: ServerResponse) => out.end(gzipSync(Buffer.alloc(2 ** 21))),
      'the answer to GET sandbox/money is larger than 1048576 bytes',
    ],
    [
      'that comes letter by letter',
      {},
      drip,
      'GET sandbox/money gave no whole answer within 50 ms; it was tried 6 times',
    ],
  ])('a body %s', async (_what, headers, send, reason) => {
    await serving();
    const hostile = createHttpServer((_request, out) => {
      out.writeHead(200, headers);
      send(out);
    });
    await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve));
    const url = new URL(`http://127.0.0.1:${(hostile.address() as AddressInfo).port}/money`);
    const asked = using((http) => http.send({ url, headers: {} }, schema), {
      bodyBytesMax: 2 ** 20,
      requestTimeoutMs: 50,
    });
    expect((await incompleteness(asked)).reason).toBe(`Circle could not be read: ${reason}.`);
    hostile.closeAllConnections();
    hostile.close();
  });
});

/** Never too slow for a clock that begins anew with each letter. */
function drip(out: ServerResponse): void {
  const timer = setInterval(() => out.write(' '), 10);
  out.on('close', () => {
    clearInterval(timer);
  });
}

describe('how long it waits', () => {
  it('as long as Retry-After says', async () => {
    await serving([tooManyRequests({ path, times: 1 }, 'Sun, 22 Nov 2026 10:00:01 GMT')]);
    const before = performance.now();
    await ask({}, { random: () => 30, now: () => new Date('2026-11-22T10:00:00.800Z') }); // back-off would take 15 s
    expect(performance.now() - before).toBeGreaterThan(190);
  });

  it('at the back-off where Retry-After says nothing, or “now”', async () => {
    const retryAfter = [undefined, 'soon', '0', 'Sun, 22 Nov 2026 10:00:00 GMT'];
    await serving(retryAfter.map((value) => tooManyRequests({ path, times: 1 }, value)));
    const asked: number[] = [];
    await ask({}, { random: () => asked.push(0) * 0 });
    expect(asked).toHaveLength(4);
  });

  it('not at all when it would be for an hour', async () => {
    await serving([tooManyRequests({ path }, '3600')]);
    expect((await incompleteness(ask())).reason).toBe(
      'Circle could not be read: GET sandbox/money answered 429, code 429 "Too many requests." (request id r-1) and asks to wait 3600 s, longer than the 65 s that a run waits.',
    );
    expect(server.log).toHaveLength(1);
  });

  it('until a second after X-RateLimit-Reset, and everybody with it', async () => {
    const reset = String(Date.parse('2026-11-22T10:00:00Z') / 1000);
    await serving([answers({ path, times: 1 }, { status: 429, headers: { 'x-ratelimit-reset': reset } })]);
    const url = new URL(`${server.url}/money`);
    const sent: number[] = [];
    let told: () => void = () => undefined;
    const whenTold = new Promise<void>((resolve) => (told = resolve));
    let calls = 0;
    const now = () => {
      calls += 1;
      if (calls === 2) told(); // the first time is that of asking
      return new Date('2026-11-22T10:00:00.800Z');
    };
    await using(
      async (http) => {
        const first = http.send({ url, headers: {} }, schema);
        await whenTold;
        await Promise.all([first, http.send({ url, headers: {} }, schema)]);
      },
      {},
      { random: () => 30, now, fetch: noting(sent) },
    );
    expect(sent.map((time) => time - sent[0]! > 190)).toEqual([false, true, true]);
  });
});

describe('pacing', () => {
  it('never runs ahead of the rate', async () => {
    await serving();
    const url = new URL(`${server.url}/money`);
    const sent: number[] = [];
    const all = (http: Http) => Promise.all(Array.from({ length: 30 }, () => http.send({ url, headers: {} }, schema)));
    await using(all, { requestsPerSecond: 50 }, { fetch: noting(sent) });
    expect(sent).toHaveLength(30);
    const early = sent.filter((time, index) => time - sent[0]! < (index * 1000) / 50 - 10);
    expect(early).toEqual([]);
  });

  it('leaves the last tenth of a window to others: nobody asks before it is over', async () => {
    const now = () => new Date('2026-11-22T10:00:00.800Z');
    const window = (remaining: number) => ({
      'x-ratelimit-limit': '100',
      'x-ratelimit-remaining': String(remaining),
      'x-ratelimit-reset': String(Date.parse('2026-11-22T10:00:00Z') / 1000),
    });
    await serving([
      answers({ path, times: 1 }, { status: 200, body: '{"money":1}', headers: window(10) }),
      answers({ path, times: 1 }, { status: 200, body: '{"money":1}', headers: window(9) }),
    ]);
    const url = new URL(`${server.url}/money`);
    const sent: number[] = [];
    await using(
      async (http) => {
        for (let count = 0; count < 3; count += 1) await http.send({ url, headers: {} }, schema);
      },
      {},
      { now, fetch: noting(sent) },
    );
    expect(sent.map((time, index) => time - (sent[index - 1] ?? time) > 150)).toEqual([false, false, true]);
  });

  it('recovers where the custodian allows less than we think', async () => {
    await serving([], { requests: 5, windowMs: 200 });
    const url = new URL(`${server.url}/money`);
    const all = using(
      (http) => Promise.all(Array.from({ length: 12 }, () => http.send({ url, headers: {} }, schema))),
      {},
      { random: () => 0.5 },
    );
    expect(await all).toHaveLength(12);
  });
});

describe('an interrupted reading', () => {
  const interrupted = new Error('interrupted by SIGTERM');

  it.each<[string, Fault]>([
    ['waits for an answer', slowBody({ path })],
    ['waits before the next attempt', tooManyRequests({ path }, '30')],
  ])('ends at once while it %s', async (_what, fault) => {
    await serving([fault]);
    const controller = new AbortController();
    const reading = ask({}, { signal: controller.signal });
    while (server.log.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const before = performance.now();
    controller.abort(interrupted);
    await expect(reading).rejects.toBe(interrupted);
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  it('ends at once while it waits for its turn', async () => {
    await serving();
    const controller = new AbortController();
    const url = new URL(`${server.url}/money`);
    const two = (http: Http) =>
      Promise.all([http.send({ url, headers: {} }, schema), http.send({ url, headers: {} }, schema)]);
    const reading = using(two, { requestsPerSecond: 0.01 }, { signal: controller.signal });
    while (server.log.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort(interrupted);
    await expect(reading).rejects.toBe(interrupted);
    expect(server.log).toHaveLength(1);
  });

  it('does not even begin', async () => {
    await serving();
    await expect(ask({}, { signal: AbortSignal.abort(interrupted) })).rejects.toBe(interrupted);
    expect(server.log).toHaveLength(0);
  });

  it('stops the other requests when one fails for good', async () => {
    await serving([answers({ path: /bad/ }, { status: 400 }), slowBody({ path })]);
    const both = using((http) =>
      Promise.all(
        ['money', 'bad'].map((word) => http.send({ url: new URL(`${server.url}/${word}`), headers: {} }, schema)),
      ),
    );
    expect((await incompleteness(both)).reason).toContain('GET sandbox/bad answered 400');
  });
});

describe('pages by the Link header', () => {
  const pageSchema = z.object({ items: z.array(z.string()) });

  function serveLinks(links: (page: number) => string, items = (page: number) => [`item ${page}`]) {
    return serving([], undefined, ({ url }) => {
      const page = Number(url.searchParams.get('page') ?? 1);
      return json(200, { items: items(page) }, { link: links(page) });
    });
  }

  function readPages(pagesMax?: number) {
    const url = new URL(`${server.url}/list?page=1`);
    return using(async (http) => {
      const seen: string[] = [];
      const listing = {
        url,
        headers: {},
        schema: pageSchema,
        itemsOf: ({ items }: { items: string[] }) => items,
        keyOf: String,
      };
      for await (const page of linkPages(http, { ...listing, custodian: 'Circle', ...(pagesMax && { pagesMax }) }))
        seen.push(...page);
      return seen;
    });
  }

  it('may be relative, in any order and with other relations', async () => {
    await serveLinks((page) =>
      page < 3 ? `</list?page=1>; rel="first", </list?page=${page + 1}>; rel=next` : '</list>; rel="self"',
    );
    expect(await readPages()).toEqual(['item 1', 'item 2', 'item 3']);
  });

  it.each<[string, (page: number) => string, string]>([
    [
      'leads elsewhere',
      () => '<http://127.0.0.1:1/list>; rel="next"',
      'is said to be at http://127.0.0.1:1/list, which is not at',
    ],
    ['carries a user', () => `<${server.url.replace('//', '//user@')}/list?page=2>; rel="next"`, 'which is not at'],
    ['is no URL', () => '<http://[>; rel="next"', 'is said to be at http://['],
    ['is garbage', () => '<broken', 'its Link header cannot be understood: <broken'],
    ['repeats our secret', () => '<5up3r-53cr37', 'cannot be understood: <[secret]'],
    ['goes round in circles', (page) => `</list?page=${(page % 2) + 1}>; rel="next"`, 'the listing never ends'],
    ['goes on and on', (page) => `</list?page=${page + 1}>; rel="next"`, 'there are more than 4 pages'],
  ])('prove nothing if it %s', async (_what, links, words) => {
    await serveLinks(links);
    expect((await incompleteness(readPages(4))).reason).toContain(words);
  });

  it.each([
    ['is empty', (page: number) => (page === 1 ? ['a'] : [])],
    ['repeats what we have', () => ['a']],
  ])('prove nothing if one %s and another one is announced', async (_what, items) => {
    await serveLinks((page) => `</list?page=${page + 1}>; rel="next"`, items);
    expect((await incompleteness(readPages())).reason).toBe(
      'Circle could not be read: in the listing GET sandbox/list, a page brought nothing new although another one is announced.',
    );
  });
});
