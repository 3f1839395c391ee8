import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { Argument, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../duration.ts';
import type { ExitCode } from '../exit-codes.ts';
import { parseMoment } from '../moment.ts';
import { OperatorError } from '../operator-error.ts';
import { whichOf } from '../suggestion.ts';
import { beginsUuid } from '../uuid.ts';
import { ofNode, variables } from '../environment/variables.ts';
import type { World } from '../world.ts';

/** What main gives each command: the world, and where the exit code goes. */
export interface CommandContext {
  /** To be read when the command runs: by then `--env-file` is laid under its environment. */
  world: World;
  exitWith: (code: ExitCode) => void;
}

export type OutputFormat = 'table' | 'json' | 'csv' | 'html';

/** `-o table|json|…`. */
export function outputOption(...formats: OutputFormat[]): Option {
  return choice('-o, --output <format>', 'how the result is printed', formats).default('table');
}

/** `-L, --limit`. */
export function limitOption(meaning = 'at most so many'): Option {
  return new Option('-L, --limit <number>', meaning).argParser(wholeNumber);
}

/** `--by`: see `signatureOf`. */
export function byOption(): Option {
  return new Option('--by <name>', 'who does it (default: $USER)');
}

/** `-y, --yes`: see `confirm`. */
export function yesOption(meaning = 'do not ask'): Option {
  return new Option('-y, --yes', meaning);
}

/** A flag that takes one of these words. */
export function choice(flags: string, description: string, words: readonly string[]): Option {
  return new Option(flags, description).choices(words).argParser(oneOf(words));
}

/** A flag that takes one of these words, and may be repeated. */
export function choices(flags: string, description: string, words: readonly string[]): Option {
  const parse = oneOf(words);
  return new Option(flags, `${description} (repeatable)`)
    .choices(words)
    .argParser<string[]>((typed, previous) => gather(parse(typed), previous));
}

/** An argument that is one of these words. */
export function wordArgument(name: string, description: string, words: readonly string[]): Argument {
  return new Argument(name, description).choices(words).argParser(oneOf(words));
}

/** commander itself would list all the words, and not say which one was meant. */
function oneOf(words: readonly string[]): (typed: string) => string {
  return (typed) => {
    if (words.includes(typed)) return typed;
    throw new InvalidArgumentError(whichOf(typed, words));
  };
}

/** Gathers the values of a flag that may be repeated. */
export function gather(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

/** A whole number above zero, none that JavaScript would round. */
function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw new InvalidArgumentError('It must be a whole number above 0, of at most 15 digits.');
  return Number(text);
}

/** An id, or its first characters. An empty one would begin every id there is. */
export function idPrefix(text: string): string {
  if (!beginsUuid(text))
    throw new InvalidArgumentError(
      'It must be an id or its first characters: 0-9, a-f and dashes where an id has them.',
    );
  return text;
}

/** Like `idPrefix`, for a report: also `latest`. */
export function reportId(text: string): string {
  return text === 'latest' ? text : idPrefix(text);
}

const timeHint = 'Give 7d, 2026-11-01 (UTC) or 2026-11-01T08:30:00Z.';
const timeAheadHint = 'Give 2h, 7d, or a time that is still to come: YYYY-MM-DD (UTC) or YYYY-MM-DDThh:mm:ssZ.';

/**
 * A time, RFC 3339: `7d` is seven days ago; null if none is given. Throws an OperatorError (64) for what is none.
 * @param hint times that would be taken there
 */
export function moment(flag: string, text: string | undefined, now: Date, hint = timeHint): string | null {
  if (text === undefined) return null;
  const parsed = parseMoment(text, now);
  if (parsed !== undefined) return parsed;
  throw new OperatorError(64, `${flag} "${text}" ${whyNoTime(text) ?? 'is not a time'}.`, hint);
}

function whyNoTime(text: string): string | undefined {
  const [, unit] = /^\d+ ?([a-z]+)$/i.exec(text.trim()) ?? [];
  if (unit === undefined || parseDuration(text) !== undefined) return undefined;
  return /^[smhd]$/.test(unit)
    ? 'is too far away: at most 365d, or a date'
    : 'is in a unit that recon does not know: it knows s, m, h and d';
}

/** The same for a time to come: `7d` is in seven days. */
export function deadline(flag: string, text: string | undefined, now: Date): string | null {
  if (text === undefined) return null;
  const parsed = parseMoment(text, now, 'ahead');
  if (parsed !== undefined && Date.parse(parsed) > now.getTime()) return parsed;
  throw new OperatorError(64, `${flag} "${text}" ${whyNoTime(text) ?? 'is not a time to come'}.`, timeAheadHint);
}

/** Throws an OperatorError (64) if nothing can be from `since` on and before `end`, which `flag` gives. RFC 3339 in UTC. */
export function assertSpan(since: string | null, flag: '--until' | '--before', end: string | null, now: Date): void {
  if (since === null) return;
  if (since === end)
    throw new OperatorError(
      64,
      `--since and ${flag} are the same time, ${since}: nothing is between them.`,
      `Give a later ${flag}.`,
    );
  if (end !== null && since > end)
    throw new OperatorError(64, `--since ${since} is not before ${flag} ${end}.`, 'Swap them.');
  if (Date.parse(since) > now.getTime())
    throw new OperatorError(64, `--since ${since} is in the future: nothing happened from then on.`);
}

/** The world with the variables of `--env-file` laid under those of the environment. */
export function withEnvFile(world: World, path: string | undefined): World {
  if (path === undefined) return world;
  const content = readEnvFile(path);
  assertAssignments(content, path);
  return { ...world, env: { ...effective(parseEnv(content), world.env), ...world.env }, envFile: path };
}

/**
 * Of the file what has an effect. A secret and its `_FILE` say the same thing: one of them in the environment wins over
 * either in the file.
 */
function effective(inFile: World['env'], env: World['env']): World['env'] {
  const beaten = variables
    .filter(({ kind }) => kind === 'secret')
    .flatMap(({ name }) => [
      { name, twin: `${name}_FILE` },
      { name: `${name}_FILE`, twin: name },
    ])
    .filter(({ twin }) => (env[twin] ?? '').trim() !== '');
  const left = [ofNode, ...beaten.map(({ name }) => name)];
  return Object.fromEntries(Object.entries(inFile).filter(([name]) => !left.includes(name)));
}

/** `parseEnv` takes a line without `=` and the next one for a single name, and says nothing. */
function assertAssignments(content: string, path: string): void {
  const outside = content.replace(/(["'`])[^"'`]*\1/g, (quoted) => quoted.replace(/[^\n]/g, '=')); // may span lines
  const at = outside.split('\n').findIndex((line) => !/^\s*(#|$|[^#]*=)/.test(line));
  if (at >= 0)
    throw new OperatorError(
      78,
      `Line ${at + 1} of ${path} is not NAME=value.`,
      'Write NAME=value, or begin it with #.',
    );
}

function readEnvFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new OperatorError(78, `The file of --env-file cannot be read: ${path} (${code}).`, 'Check the path.', {
      cause: error,
    });
  }
}
