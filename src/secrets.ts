import { readFileSync } from 'node:fs';
import { databaseUrlForm, variables, type Variable } from './environment/variables.ts';
import type { World } from './world.ts';

export type Mask = (text: string) => string;

/** Shorter values would blank out ordinary words. */
const shortest = 8;

/**
 * Replaces every secret of the environment, by its value, wherever it stands: as it is, URL-encoded, as HTTP Basic, and
 * the password inside a URL. For everything that leaves the program: errors, logs, stored reasons.
 */
export function createMask(env: World['env']): Mask {
  const secrets = secretValues(env)
    .flatMap(spellings)
    .filter((value) => value.length >= shortest && !databaseUrlForm.includes(value));
  const longestFirst = [...new Set(secrets)].sort((left, right) => right.length - left.length);
  return (text) => longestFirst.reduce((masked, secret) => masked.replaceAll(secret, '[secret]'), text);
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
  const basic = `${values.get('ALPACA_API_KEY') ?? ''}:${values.get('ALPACA_API_SECRET') ?? ''}`;
  return [...values.values(), Buffer.from(basic).toString('base64')].filter((value) => value !== undefined);
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

/** The password, and what is long in the path of a webhook. The name of a database is nobody's secret. */
function partsOfUrl(value: string): string[] {
  if (!URL.canParse(value)) return [];
  const { password, pathname, protocol } = new URL(value);
  const path = protocol.startsWith('http') ? pathname.split('/').filter((part) => part.length > 15) : [];
  return [...(password === '' ? [] : [password, decoded(password)]), ...path];
}

/** User or password of a URL; a percent sign that stands for itself is malformed, and still part of a secret. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
