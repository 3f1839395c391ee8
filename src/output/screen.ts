import { Chalk, type ChalkInstance } from 'chalk';
import { count, inThousands } from '../count.ts';
import { asCalled } from '../shell.ts';
import type { Severity } from '../kinds.ts';
import { plain } from '../plain.ts';
import type { Verdict } from '../stored-checks.ts';
import { textWidth } from '../text-width.ts';
import { widthOf, type Output, type World } from '../world.ts';

/** How text is painted for one stream. Colour is never alone: every painted word says the same by itself. */
export interface Screen {
  strong: (text: string) => string;
  faint: (text: string) => string;
  severity: (severity: Severity) => string;
  verdict: (verdict: Verdict) => string;
  health: (health: 'ok' | 'warning' | 'problem') => string;
  /** Words of recon's own, each command in them as it can be copied: see `asCalled`. */
  called: (words: string) => string;
  /** The same for a command by itself. */
  command: (words: string) => string;
  /** Characters to a line; a pipe has room for any. */
  columns: number;
}

/** The screen of a stream: NO_COLOR and FORCE_COLOR decide, then whether it is a terminal that a person looks at. */
export function screenOf(stream: Output, { env, envFile }: Pick<World, 'env' | 'envFile'>): Screen {
  const paint = new Chalk({ level: hasColour(stream, env) ? 1 : 0 });
  return {
    strong: paint.bold,
    faint: paint.dim,
    severity: (severity) => severityColour(paint, severity)(severity),
    verdict: (verdict) => verdictColour(paint, verdict)(verdict),
    health: (health) => ({ ok: paint.green, warning: paint.magenta, problem: paint.red })[health](health),
    called: (words) => asCalled(words, envFile),
    command: (words) => paint.bold(asCalled(words, envFile)),
    columns: stream.isTTY === true ? widthOf(stream) : Infinity,
  };
}

const margin = '  ';

export function indented(text: string): string {
  return text.replace(/^(?=.)/gm, margin);
}

/** The screen that is left to what will be indented. */
export function within(screen: Screen): Screen {
  return { ...screen, columns: screen.columns - margin.length };
}

/** Whether no line of a text is wider than the screen. */
export function fits(text: string, { columns }: Screen): boolean {
  return columns === Infinity || text.split('\n').every((line) => textWidth(line) <= columns);
}

// chalk decides once per process and ignores NO_COLOR on a terminal, hence by hand
function hasColour(stream: Output, env: World['env']): boolean {
  const isSet = (name: string) => (env[name] ?? '') !== '';
  if (isSet('FORCE_COLOR')) return env['FORCE_COLOR'] !== '0';
  if (isSet('NO_COLOR') || isSet('CI') || env['TERM'] === 'dumb') return false;
  return stream.isTTY === true;
}

// colours that can be read on a dark and on a light background: no yellow, no white, and what matters least has none
function severityColour(paint: ChalkInstance, severity: Severity): (text: string) => string {
  return { low: (text: string) => text, medium: paint.magenta, high: paint.red, critical: paint.red.bold.inverse }[
    severity
  ];
}

function verdictColour(paint: ChalkInstance, verdict: Verdict): (text: string) => string {
  return { passed: paint.green, failed: paint.red, incomplete: paint.magenta }[verdict];
}

/** The first eight characters of an id: enough to point at it. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** How an id is cut where it is shown. */
export type Shorten = (id: string) => string;

/**
 * The same for ids that are shown together: all to as many characters as tell them apart, at least those eight. Ids that
 * begin with the time at which they were made, as those of version 7 do, may have more than eight in common.
 */
export function shortenerOf(ids: readonly (string | null)[]): Shorten {
  const sorted = [...new Set(ids)].filter((id) => id !== null).toSorted();
  const lengths = sorted.map((id, at) => commonLength(id, sorted[at - 1] ?? '') + 1);
  const length = Math.max(8, ...lengths);
  return (id) => id.slice(0, length);
}

function commonLength(left: string, right: string): number {
  const differs = Array.from(left).findIndex((character, at) => character !== right[at]);
  return differs < 0 ? left.length : differs;
}

/** `plain`, and no longer than a cell of a table may be. */
export function cut(text: string, length = 48): string {
  const shown = Array.from(plain(text.slice(0, 2 * length + 2))); // not a megabyte of it, and no half of a character
  return shown.length > length ? `${shown.slice(0, length - 1).join('')}…` : shown.join('');
}

/** A currency: a few letters, whatever stands in a database. */
export function currencyText(currency: string | null): string {
  return cut(currency ?? '', 12);
}

/** The same beside a sum, and how many amounts are not in it because they cannot be added up: `USDC and 1 unknown`. */
export function currencyOfSum(currency: string | null, unknown = 0): string {
  const name = currency === null ? 'without currency' : currencyText(currency);
  return unknown === 0 ? name : `${name} and ${inThousands(unknown)} unknown`;
}

/** `deposit:3f2a91bc-…` as `deposit 3f2a91bc`. */
export function shortSubject(subject: string, shorten: Shorten = shortId): string {
  const [type, ...rest] = subject.split(':');
  const id = rest.join(':');
  return cut(/^[0-9a-f]{8}-/.test(id) ? `${type} ${shorten(id)}` : subject.replace(':', ' '));
}

/** Text of a database on one line of a screen, cut off where it is a flood. */
export function excerpt(text: string, length = 300): string {
  const characters = Array.from(text.slice(0, 2 * length)).slice(0, length); // whole ones: two halves make a pair
  const shown = characters.join('');
  return shown.length === text.length ? plain(text) : `${plain(shown)} … (${count(text.length, 'character')})`;
}

/** RFC 3339 as `2026-11-22 18:04:11 +01:00` in the terminal's zone. */
export function localTime(rfc3339: string): string {
  const time = new Date(rfc3339);
  if (Number.isNaN(time.getTime())) return cut(rfc3339);
  const offset = -time.getTimezoneOffset();
  const shifted = new Date(time.getTime() + offset * 60_000).toISOString();
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60].map((part) =>
    String(part).padStart(2, '0'),
  );
  return `${shifted.slice(0, 10)} ${shifted.slice(11, 19)} ${offset < 0 ? '-' : '+'}${hours ?? ''}:${minutes ?? ''}`;
}

/** `20 of 812 reports; --limit shows more.` for a list that is cut off, else nothing. */
export function cutOff(shown: number, matching: number, noun: string): string {
  return shown === matching ? '' : `${inThousands(shown)} of ${count(matching, noun)}; --limit shows more.\n`;
}
