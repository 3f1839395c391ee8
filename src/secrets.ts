import { readFileSync } from 'node:fs';
import { variables, type Variable } from './variables.ts';
import type { World } from './world.ts';

export type Mask = (text: string) => string;

/** What DATABASE_URL looks like, as help and errors say it: nobody's secret, also where somebody copied it. */
export const databaseUrlForm = 'postgres://user:password@host:port/database';

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
  return [value, encodeURIComponent(value), ...(value.includes('://') ? passwordOf(value) : partsOf(value))];
}

/** The long ones of the three parts of a Circle key. */
function partsOf(value: string): string[] {
  return value.split(':').filter((part) => part.length > 15);
}

function passwordOf(value: string): string[] {
  if (!URL.canParse(value)) return [];
  const { password } = new URL(value);
  return password === '' ? [] : [password, decoded(password)];
}

/** A percent sign that stands for itself is malformed, and still part of a secret. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
