import type { World } from './world.ts';
import { variables, type Variable } from './variables.ts';

export type Mask = (text: string) => string;

/** Shorter values would blank out ordinary words. */
const shortest = 8;

/**
 * Replaces every secret of the environment, by its value, wherever it stands: as it is, URL-encoded, as HTTP Basic, and
 * the password inside a URL. For everything that leaves the program: errors, logs, stored reasons.
 */
export function createMask(env: World['env'], more: readonly string[] = []): Mask {
  const secrets = [...secretValues(env), ...more].flatMap(spellings).filter((value) => value.length >= shortest);
  const longestFirst = [...new Set(secrets)].sort((left, right) => right.length - left.length);
  return (text) => longestFirst.reduce((masked, secret) => masked.replaceAll(secret, '[secret]'), text);
}

function secretValues(env: World['env']): string[] {
  const own = variables.filter((variable: Variable) => variable.kind === 'secret').map(({ name }) => env[name]?.trim());
  const { ALPACA_API_KEY: key, ALPACA_API_SECRET: secret } = env;
  const basic = key !== undefined && secret !== undefined ? [Buffer.from(`${key}:${secret}`).toString('base64')] : [];
  return [...own.filter((value) => value !== undefined), ...basic];
}

function spellings(value: string): string[] {
  const parts = value.split(':').filter((part) => part.length > 15); // the three parts of a Circle key
  return [value, encodeURIComponent(value), ...parts, ...passwordOf(value)];
}

function passwordOf(value: string): string[] {
  if (!URL.canParse(value)) return [];
  const { password } = new URL(value);
  return password === '' ? [] : [password, decodeURIComponent(password)];
}
