import LinkHeader from 'http-link-header';
import type { z } from 'zod';
import { Incomplete } from '../incomplete.ts';
import { endpointOf, quote, Refusal } from './answers.ts';
import type { Http } from './http.ts';

export interface Listing<Body, Item> {
  /** The first page. Later ones are taken from the answers, and only from the same origin. */
  url: URL;
  headers: Record<string, string>;
  schema: z.ZodType<Body>;
  itemsOf: (body: Body) => readonly Item[];
  /** What makes an item the same on two pages. */
  keyOf: (item: Item) => string;
  /** As it is called in messages. */
  custodian: string;
  /** More pages than any real listing has; default 100,000, which is 5 million wallets. */
  pagesMax?: number;
}

/** How often a listing may lose its cursor. */
const restartsMax = 5;

/**
 * Every page of a listing that pages by the `Link` header (API-FACTS.md A.0), in order, as the items that no earlier
 * page had. It begins again where the item that was to be its cursor has left the listing. Throws `Incomplete` where the
 * listing cannot be proven whole: a link to another host, a link that comes back, a page that brings nothing new although
 * another is announced, or more pages than `pagesMax`.
 */
export async function* linkPages<Body, Item>(http: Http, listing: Listing<Body, Item>): AsyncGenerator<Item[]> {
  const { headers, schema, itemsOf, keyOf, pagesMax = 100_000 } = listing;
  const yielded = new Set<string>();
  const visited = new Set<string>();
  const keys = new Set<string>();
  let restarts = 0;
  let next: URL | undefined = listing.url;
  while (next !== undefined) {
    if (visited.has(next.href)) throw broken(listing, 'a link to the next page came back: the listing never ends');
    if (visited.size === pagesMax) throw broken(listing, `there are more than ${pagesMax} pages`);
    visited.add(next.href);
    const answer = await unlessCursorLost(http.send({ url: next, headers }, schema), restarts < restartsMax);
    if (answer === undefined) {
      restarts += 1;
      visited.clear();
      keys.clear();
      next = listing.url;
      continue;
    }
    const known = keys.size;
    const items = itemsOf(answer.data);
    for (const item of items) keys.add(keyOf(item));
    next = nextPage(http, listing, answer.link, next);
    if (next !== undefined && keys.size === known)
      throw broken(listing, 'a page brought nothing new although another one is announced');
    yield items.filter((item) => !yielded.has(keyOf(item)) && yielded.add(keyOf(item)));
  }
}

/** Circle knows a cursor no more when its item has left the listing (156012, API-FACTS.md A.0). */
async function unlessCursorLost<T>(answer: Promise<T>, mayRestart: boolean): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (mayRestart && error instanceof Refusal && error.code === '156012') return undefined;
    throw error;
  }
}

/** The page that follows, if any. Circle Mint writes its links without `<>`, so both forms are read. */
function nextPage(http: Http, listing: AnyListing, link: string, current: URL): URL | undefined {
  if (link === '') return undefined;
  const target = relNext(http, listing, link);
  if (target === undefined) return undefined;
  const url = URL.canParse(target, current.href) ? new URL(target, current) : undefined;
  if (url === undefined || url.origin !== listing.url.origin || url.username !== '')
    throw broken(
      listing,
      `the next page is said to be at ${quote(http.withoutSecrets(target))}, which is not at ${listing.url.origin}`,
    );
  return url;
}

function relNext(http: Http, listing: AnyListing, link: string): string | undefined {
  const bracketed = link.includes('<') ? link : link.replace(/(^|,\s*)(https?:\/\/[^\s;,]+)/g, '$1<$2>');
  try {
    return LinkHeader.parse(bracketed).rel('next')[0]?.uri;
  } catch {
    throw broken(listing, `its Link header cannot be understood: ${quote(http.withoutSecrets(link))}`);
  }
}

type AnyListing = Pick<Listing<never, never>, 'url' | 'custodian'>;

function broken({ custodian, url }: AnyListing, what: string): Incomplete {
  return new Incomplete(`${custodian} could not be read: in the listing ${endpointOf(url)}, ${what}.`);
}
