import { readFileSync } from 'node:fs';
import { isPassword } from './database/url-parameters.ts';
import { databaseUrlForm, variables, type Variable } from './environment/variables.ts';
import type { World } from './world.ts';

export type Mask = (text: string) => string;

/** A shorter value may be an ordinary word. */
const shortest = 8;

/**
 * Replaces every secret of the environment, by its value, wherever it stands: as it is, URL-encoded, as HTTP Basic, and
 * the password inside a URL. For everything that leaves the program: errors, logs, stored reasons. One of fewer than
 * eight characters is replaced where a secret stands (`:s3cr3t@`, `password=s3cr3t`), and also by itself if it is neither
 * a word nor a number, and no shorter than five.
 */
export function createMask(env: World['env']): Mask {
  const secrets = secretValues(env)
    .flatMap(spellings)
    .filter((value) => value !== '' && (value.length < shortest || !databaseUrlForm.includes(value)));
  const longestFirst = [...new Set(secrets)].sort((left, right) => right.length - left.length).map(whereItStands);
  return (text) => longestFirst.reduce<string>((masked, place) => masked.replaceAll(place, '[secret]'), text);
}

function whereItStands(secret: string): string | RegExp {
  if (secret.length >= shortest) return secret;
  const value = secret.replaceAll(
    /[^\p{L}\p{N}]/gu,
    (sign) => String.raw`\u{${sign.codePointAt(0)?.toString(16) ?? ''}}`,
  );
  const alone = isOrdinary(secret) ? '' : String.raw`|(?<![\p{L}\p{N}])${value}(?![\p{L}\p{N}])`;
  return new RegExp(String.raw`(?<=:)${value}(?=@)|${named}${value}(?![\p{L}\p{N}])${alone}`, 'gu');
}

/** The same words in either case: the flag would also make all letters of `apiKey` alike. */
function anyCase(words: string): string {
  return words.replaceAll(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
}

/** Where a word begins, also in camelCase. */
const begin = String.raw`(?:(?<!\p{L})|(?<=\p{Ll})(?=\p{Lu}))`;
/** Keys that open nothing: what they are called by recon, its host and PostgreSQL. Any other may be a secret. */
const harmless = anyCase('idempotency|dedup|conflict|primary|foreign|unique|sort|partition');
const written = anyCase('api|access|private|secret'); // as one word, which `monkey` is too
const key = `(?:${begin}|(?<=${written}))(?<!${begin}(?:${harmless})[ _-]?)${anyCase('key')}`;
const names = `${anyCase('password|passwd|pwd|secret|token')}|${key}`;
const named = String.raw`(?<=(?:${names})["']?\s{0,4}[=:]\s{0,4}["']?)`;

/** Words and numbers, also with the signs that join them; what has four characters may be a part of an id. */
function isOrdinary(text: string): boolean {
  return text.length < 5 || /^(?:[\p{L}'’_./-]+|[\d.,:/+-]+)$/u.test(text);
}

/**
 * The same JSON with its texts masked: a custodian may send our own key back to us, in a token's name for one. An amount
 * that happens to hold the digits of a password stays an amount.
 */
export function maskValues<T extends object>(value: T, mask: Mask): T {
  const maskText = (_name: string, inner: unknown): unknown =>
    typeof inner === 'string' && !/^-?[\d.]+$/.test(inner) ? mask(inner) : inner;
  return JSON.parse(JSON.stringify(value), maskText) as T;
}

function secretValues(env: World['env']): string[] {
  const names = variables.filter((variable: Variable) => variable.kind === 'secret').map(({ name }) => name);
  const values = new Map(names.map((name) => [name, env[name]?.trim() || fileContent(env[`${name}_FILE`])]));
  const basic = basicOf(values.get('ALPACA_API_KEY') ?? '', values.get('ALPACA_API_SECRET') ?? '');
  return [...values.values(), basic].filter((value) => value !== undefined);
}

function basicOf(user: string, password: string): string {
  return Buffer.from(`${user}:${password}`).toString('base64');
}

/** That a file cannot be read is told by the configuration; here it only means that there is nothing to hide. */
function fileContent(path: string | undefined): string | undefined {
  try {
    return path === undefined ? undefined : readFileSync(path.trim(), 'utf8').trim();
  } catch {
    return undefined;
  }
}

function spellings(value: string): string[] {
  return [value, encodeURIComponent(value), ...(value.includes('://') ? partsOfUrl(value) : partsOf(value))];
}

/** The long ones of the three parts of a Circle key, and of two secrets of a webhook. */
function partsOf(value: string): string[] {
  return value.split(/[:,\s]+/).filter((part) => part.length > 15);
}

/**
 * The password, also one that stands behind the question mark, and what is long in the path of a webhook. The name of a
 * database is nobody's secret.
 */
function partsOfUrl(value: string): string[] {
  if (!URL.canParse(value)) return [];
  const { username, password, pathname, protocol, search } = new URL(value);
  const path = protocol.startsWith('http') ? pathname.split('/').filter((part) => part.length > 15) : [];
  const behind = Array.from(search.matchAll(/[?&]([^=&]*)=([^&]*)/g), ([, name = '', given = '']) =>
    isPassword(decoded(name)) ? given : '',
  );
  const spelled = [password, ...behind]
    .filter((given) => given !== '')
    .flatMap((given) => [given, decoded(given), basicOf(decoded(username), decoded(given))]);
  return [...spelled, ...path];
}

/** User or password of a URL; a percent sign that stands for itself is malformed, and still part of a secret. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
