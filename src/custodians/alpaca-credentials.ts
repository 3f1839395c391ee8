import { z } from 'zod';
import type { CustodianWorld } from './custodian.ts';
import type { Http } from './http.ts';

/** How requests prove who we are. */
export interface Credentials {
  /** The value of the `Authorization` header. */
  header(): Promise<string>;
  /** Called when `header` was refused with 401. True: there may be a better one, ask again. */
  renew(header: string): boolean;
}

/** HTTP Basic with key id and secret: Alpaca's older credentials (API-FACTS.md B.1). They cannot be renewed. */
export function basicCredentials(apiKey: string, apiSecret: string): Credentials {
  const header = `Basic ${Buffer.from(`${apiKey}:${apiSecret}`).toString('base64')}`;
  return { header: () => Promise.resolve(header), renew: () => false };
}

/** Seconds; numbers arrive as text (see `parseExactJson`). */
const tokenSchema = z.object({
  access_token: z.string().min(1),
  expires_in: z
    .string()
    .regex(/^\d{1,9}(\.\d+)?$/)
    .nullish(),
});

interface IssuedToken {
  header: string;
  /** Unix milliseconds. */
  renewAt: number;
}

/** What outlives one connection: a run asks several times, and a token serves them all. */
export interface IssuedTokens {
  latest?: IssuedToken | undefined;
}

/**
 * OAuth client credentials (API-FACTS.md B.1): a token is asked for once for everybody, again when 80 % of its life is
 * over, and when it is refused before that. A token without `expires_in` is used until it is refused.
 */
export function clientCredentials(
  http: Http,
  world: CustodianWorld,
  { authUrl, apiKey, apiSecret, tokens }: { authUrl: string; apiKey: string; apiSecret: string; tokens: IssuedTokens },
): Credentials {
  let current = tokens.latest && Promise.resolve(tokens.latest);
  if (tokens.latest !== undefined) http.hide(tokens.latest.header.replace('Bearer ', ''));

  async function issue(): Promise<IssuedToken> {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: apiKey,
      client_secret: apiSecret,
    });
    const askedAt = world.now().getTime();
    const { data } = await http.send({ url: new URL(authUrl), headers: {}, form }, tokenSchema);
    http.hide(data.access_token);
    const life = typeof data.expires_in !== 'string' ? Infinity : Number(data.expires_in) * 1000;
    tokens.latest = { header: `Bearer ${data.access_token}`, renewAt: askedAt + 0.8 * life };
    return tokens.latest;
  }

  return {
    async header() {
      if (tokens.latest !== undefined && world.now().getTime() >= tokens.latest.renewAt)
        tokens.latest = current = undefined;
      current ??= issue();
      return (await current).header;
    },
    renew(header) {
      // Another worker may have renewed it since this one sent its request.
      if (tokens.latest?.header === header) tokens.latest = current = undefined;
      return true;
    },
  };
}
