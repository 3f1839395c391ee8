import type { z } from 'zod';
import { Incomplete, type IncompleteExitCode } from '../incomplete.ts';
import { plain } from '../plain.ts';

/** One HTTP answer, whole: the body has been read to its end. */
export interface RawAnswer {
  status: number;
  headers: { get(name: string): string | null };
  text: string;
  /** Replaces every secret of ours in a text, before it is cut and quoted. */
  hide: (text: string) => string;
}

/**
 * An answer that says no and will say no again. `status` and the custodian's own `code` let a client renew a token, name
 * a missing account or begin a listing again; `said` is the part of the message that names the endpoint and what it
 * answered.
 */
export class Refusal extends Incomplete {
  readonly status: number;
  readonly code: string | undefined;
  readonly said: string;

  constructor(what: string, said: string, advice: string, exitCode: IncompleteExitCode, answer: RawAnswer) {
    super(`${what}: ${said}.${advice}`, exitCode, { excerpt: excerptOf(answer) });
    this.status = answer.status;
    this.code = errorCode(answer);
    this.said = said;
  }
}

/** Where a custodian is asked. */
export function urlOf({ baseUrl }: { baseUrl: string }, path: string, query: Record<string, string> = {}): URL {
  const url = new URL(baseUrl.replace(/\/+$/, '') + path);
  url.search = new URLSearchParams(query).toString();
  return url;
}

/**
 * What was asked, as messages name it: `GET api.circle.com/v1/w3s/wallets`. The host tells a sandbox from production; what
 * the query holds is nobody's business.
 */
export function endpointOf({ host, pathname }: URL, method = 'GET'): string {
  return `${method} ${host}${pathname}`;
}

const jsonTokens = /"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * JSON text to values, with every number as the text that it was sent as: `{"cash": 0.10}` gives `{cash: '0.10'}`.
 * A double would lose the digits of an amount before anybody could look at it, and Node 20 cannot show a reviver the
 * source text. Throws `SyntaxError` for what is not JSON: the first parse is there for that alone.
 */
export function parseExactJson(text: string): unknown {
  JSON.parse(text);
  return JSON.parse(text.replace(jsonTokens, (token) => (token.startsWith('"') ? token : `"${token}"`)));
}

/**
 * An answer's body in the shape that `schema` asks for. Throws `Incomplete` that names the endpoint and the field,
 * never a value: answers about accounts hold personal data.
 */
export function readAnswer<T>(answer: RawAnswer, schema: z.ZodType<T>, custodian: string, endpoint: string): T {
  const parsed = schema.safeParse(bodyOf(answer, custodian, endpoint));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue === undefined || issue.path.length === 0 ? 'the whole answer' : issue.path.join('.');
  throw new Incomplete(
    `${custodian} could not be read: in the answer to ${endpoint}, ${field} is missing or has an unexpected form${requestId(answer)}.`,
  );
}

/** Undefined for 204, which has no body. */
function bodyOf(answer: RawAnswer, custodian: string, endpoint: string): unknown {
  if (answer.status === 204) return undefined;
  try {
    return parseExactJson(answer.text);
  } catch {
    throw new Incomplete(
      `${custodian} could not be read: ${endpoint} answered ${answer.status} with ${notJson(answer.text)}${requestId(answer)}.`,
      3,
      { excerpt: excerptOf(answer) },
    );
  }
}

/** What stands there instead of JSON. */
function notJson(text: string): string {
  if (text.trim() === '') return 'an empty body';
  if (beginsLikeJson(text)) return `JSON that breaks off or is malformed (${text.length} characters)`;
  return 'a body that is not JSON';
}

function beginsLikeJson(text: string): boolean {
  return /^\s*[{["]/.test(text);
}

/**
 * How a body begins that is not JSON: a page of a gateway, most often. Undefined for everything else: text that begins
 * like JSON was cut short and may hold personal data or a token.
 */
export function excerptOf({ text, hide }: RawAnswer): string | undefined {
  if (text.trim() === '' || beginsLikeJson(text) || tryJson(text) !== undefined) return undefined;
  return quote(hide(text));
}

/** What a failed answer says about itself: status, the provider's code and words, request id. Safe to show. */
export function describeFailure(answer: RawAnswer): string {
  return `${answer.status}${explanation(answer.hide(answer.text))}${requestId(answer)}`;
}

function explanation(text: string): string {
  const body = tryJson(text);
  if (body === undefined) return text.trim() === '' ? '' : ` with ${notJson(text)}`;
  if (typeof body === 'string') return `, "${quote(body)}"`;
  const { code, message, error } = fields(body);
  const said = [code && `code ${quote(code, 40)}`, (message ?? error) && `"${quote(message ?? error ?? '')}"`];
  const words = said.filter((part) => part !== undefined && part !== '');
  return words.length === 0 ? '' : `, ${words.join(' ')}`;
}

/** The provider's own error code (`code` at Circle and Alpaca, `error` at an OAuth endpoint), if the body has one. */
export function errorCode(answer: RawAnswer): string | undefined {
  const { code, error } = fields(tryJson(answer.text));
  return code ?? error;
}

function tryJson(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

function fields(body: unknown): { code?: string; message?: string; error?: string } {
  if (typeof body !== 'object' || body === null) return {};
  const known = ['code', 'message', 'error'].map((key) => [key, (body as Record<string, unknown>)[key]] as const);
  return Object.fromEntries(known.filter(([, value]) => typeof value === 'string'));
}

/** The id that the custodian's support asks for, as the end of a sentence; nothing if it gave none. */
function requestId(answer: RawAnswer): string {
  const id = answer.headers.get('x-request-id');
  return id === null ? '' : ` (request id ${quote(answer.hide(id), 80)})`;
}

/** Text from somewhere else, fit for a message, a log or jsonb: `plain`, and at most `length` characters of it. */
export function quote(text: string, length = 120): string {
  return plain(text.length > length ? `${text.slice(0, length)}…` : text);
}
