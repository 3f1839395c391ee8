import type { z } from 'zod';
import { urlOf } from './answers.ts';
import type { CustodianWorld } from './custodian.ts';
import { type Http, withHttp } from './http.ts';
import { linkPages, type Listing } from './link-pages.ts';

export interface CircleOptions {
  /** `https://api.circle.com`: the key decides between test and live. */
  baseUrl: string;
  /** All three parts, `LIVE_API_KEY:<id>:<secret>`. */
  apiKey: string;
  /** Ids of wallets that are left out: treasury, and those on chains that Circle cannot read. */
  exclude: ReadonlySet<string>;
  requestsPerSecond: number;
  /** For one request and its whole answer. */
  requestTimeoutMs: number;
}

/** Circle while it is being asked. */
export interface Circle {
  http: Http;
  options: CircleOptions;
}

/** Lends `work` a Circle; see `withHttp`. */
export async function withCircle<T>(
  options: CircleOptions,
  world: CustodianWorld,
  work: (circle: Circle) => Promise<T>,
): Promise<T> {
  const { requestsPerSecond, requestTimeoutMs, apiKey } = options;
  const secrets = [apiKey, apiKey.split(':')[2] ?? ''];
  const variables = { keys: ['CIRCLE_API_KEY'], addresses: ['CIRCLE_BASE_URL'] };
  const settings = { custodian: 'Circle', variables, requestsPerSecond, requestTimeoutMs, secrets };
  return withHttp(settings, world, (http) => work({ http, options }));
}

/** 50 is the most that Circle gives at a time. */
export function readPages<Body, Item>(
  { http, options }: Circle,
  path: string,
  query: Record<string, string>,
  schema: z.ZodType<Body>,
  items: Pick<Listing<Body, Item>, 'itemsOf' | 'keyOf'>,
): AsyncGenerator<Item[]> {
  const request = requestFor(options, path, { ...query, pageSize: '50' });
  return linkPages(http, { ...request, schema, custodian: 'Circle', ...items });
}

/** One answer that has no pages. */
export async function readOne<Body>(
  { http, options }: Circle,
  path: string,
  schema: z.ZodType<Body>,
  query: Record<string, string> = {},
): Promise<Body> {
  return (await http.send(requestFor(options, path, query), schema)).data;
}

function requestFor(options: CircleOptions, path: string, query: Record<string, string>) {
  return { url: urlOf(options, path, query), headers: { authorization: `Bearer ${options.apiKey}` } };
}
