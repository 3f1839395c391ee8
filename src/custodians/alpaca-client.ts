import type { z } from 'zod';
import { basicCredentials, clientCredentials, type Credentials, type IssuedTokens } from './alpaca-credentials.ts';
import { Refusal, urlOf } from './answers.ts';
import type { CustodianWorld } from './custodian.ts';
import { type Http, type HttpAnswer, withHttp } from './http.ts';

export interface AlpacaOptions {
  /** `https://broker-api.alpaca.markets`, or that of the sandbox. */
  baseUrl: string;
  /** The OAuth token endpoint; undefined: key and secret are sent with every request (HTTP Basic). */
  authUrl: string | undefined;
  apiKey: string;
  apiSecret: string;
  /** What counts as an account's money. `auto`: buying power where it is money (`multiplier` 1), cash elsewhere. */
  measure: 'auto' | 'cash' | 'buying_power';
  /** Ids of accounts that are left out: the firm's own. */
  exclude: ReadonlySet<string>;
  requestsPerSecond: number;
  /** For one request and its whole answer. */
  requestTimeoutMs: number;
}

/** Alpaca while it is being asked. */
export interface Alpaca {
  http: Http;
  options: AlpacaOptions;
  credentials: Credentials;
}

/** Lends `work` an Alpaca; see `withHttp`. `tokens` is what was issued before and may still be used. */
export async function withAlpaca<T>(
  options: AlpacaOptions,
  tokens: IssuedTokens,
  world: CustodianWorld,
  work: (alpaca: Alpaca) => Promise<T>,
): Promise<T> {
  const { requestsPerSecond, requestTimeoutMs, authUrl } = options;
  const addresses = authUrl === undefined ? ['ALPACA_BASE_URL'] : ['ALPACA_BASE_URL', 'ALPACA_AUTH_URL'];
  const variables = { keys: ['ALPACA_API_KEY', 'ALPACA_API_SECRET'], addresses };
  const settings = { custodian: 'Alpaca', variables, requestsPerSecond, requestTimeoutMs, secrets: secretsOf(options) };
  return withHttp(settings, world, (http) =>
    work({ http, options, credentials: credentialsFor(http, tokens, world, options) }),
  );
}

function secretsOf({ apiKey, apiSecret }: AlpacaOptions): string[] {
  return [Buffer.from(`${apiKey}:${apiSecret}`).toString('base64'), apiSecret, apiKey];
}

function credentialsFor(
  http: Http,
  tokens: IssuedTokens,
  world: CustodianWorld,
  { authUrl, apiKey, apiSecret }: AlpacaOptions,
): Credentials {
  if (authUrl === undefined) return basicCredentials(apiKey, apiSecret);
  return clientCredentials(http, world, { authUrl, apiKey, apiSecret, tokens });
}

/** What an answer holds; see `ask`. */
export async function get<T>(
  alpaca: Alpaca,
  path: string,
  query: Record<string, string>,
  schema: z.ZodType<T>,
): Promise<T> {
  return (await ask(alpaca, path, query, schema)).data;
}

/** A token that was refused is renewed once; after that the refusal stands. */
export async function ask<T>(
  alpaca: Alpaca,
  path: string,
  query: Record<string, string>,
  schema: z.ZodType<T>,
): Promise<HttpAnswer<T>> {
  const { http, options, credentials } = alpaca;
  const url = urlOf(options, path, query);
  const authorization = await credentials.header();
  try {
    return await http.send({ url, headers: { authorization } }, schema);
  } catch (error) {
    if (!(error instanceof Refusal && error.status === 401 && credentials.renew(authorization))) throw error;
    return await http.send({ url, headers: { authorization: await credentials.header() } }, schema);
  }
}
