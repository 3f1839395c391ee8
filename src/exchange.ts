import { cut } from './cut.ts';
import { decoded, type Mask } from './secrets.ts';
import type { World } from './world.ts';

/** A request that carries something out of the program, an alert or the metrics, or asks whether it could. */
export interface Outgoing {
  method: 'GET' | 'POST' | 'PUT';
  url: string;
  headers: Record<string, string>;
  body?: string;
}

/** What came back. */
export interface Answer {
  status: number;
  headers: { get: (name: string) => string | null };
  /** Hostile, and up to 64 KB; it may hold our own secrets, and is masked before it is cut, or half of one is left. */
  text: string;
}

/** What came back where it was not taken, to go on after the name of the target: `answered 404 no such hook`. */
export function describeAnswer({ status, text }: Answer, mask: Mask): string {
  const said = `answered ${status} ${cut(mask(text.trim()), 200)}`.trim();
  return status >= 300 && status < 400 ? `${said} (a redirect, which is not followed)` : said;
}

/** Nothing came back: the reason goes on after the name of the target, and names no URL. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
}

/**
 * Sends a request once and reads the answer, all of it within `timeoutMs`. Redirects are not followed: they are
 * answers. User and password of the URL travel in a header. Throws `Unanswered`, or the reason of `world.signal`.
 */
export async function exchange(
  world: Pick<World, 'fetch' | 'signal'>,
  { method, url, headers, body }: Outgoing,
  timeoutMs: number,
): Promise<Answer> {
  world.signal.throwIfAborted();
  const over = new AbortController();
  const stop = () => {
    over.abort();
  };
  world.signal.addEventListener('abort', stop, { once: true });
  const timer = setTimeout(stop, timeoutMs);
  try {
    const { address, authorization } = apart(url);
    const response = await world.fetch(address, {
      method,
      headers: { ...headers, ...authorization },
      ...(body !== undefined && { body }),
      redirect: 'manual',
      size: answerBytesMax,
      signal: over.signal,
    });
    const text = await response.text().catch(() => ''); // the status has said it; a body that never ends adds nothing
    return { status: response.status, headers: response.headers, text };
  } catch (error) {
    world.signal.throwIfAborted();
    if (over.signal.aborted) throw new Unanswered(`gave no answer within ${timeoutMs} ms`);
    const { code, type } = error as { code?: string; type?: string };
    throw new Unanswered(`could not be reached (${code ?? type ?? 'network error'})`);
  } finally {
    clearTimeout(timer);
    world.signal.removeEventListener('abort', stop);
  }
}

const answerBytesMax = 64 * 1024;

/** `fetch` takes no URL with credentials in it. */
function apart(url: string): { address: string; authorization: Record<string, string> } {
  const address = new URL(url);
  const { username, password } = address;
  if (username === '' && password === '') return { address: url, authorization: {} };
  [address.username, address.password] = ['', ''];
  const pair = [username, password].map(decoded).join(':');
  return { address: address.href, authorization: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
}
