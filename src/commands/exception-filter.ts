import { InvalidArgumentError, Option, type Command } from 'commander';
import { checkNames } from '../checks/names.ts';
import type { ExceptionFilter } from '../exceptions/filter.ts';
import { statuses, type Status } from '../exceptions/state.ts';
import { kinds as knownKinds, severities as knownSeverities, type Severity } from '../kinds.ts';
import { OperatorError } from '../operator-error.ts';
import type { World } from '../world.ts';
import { assertSpan, choice, choices, idPrefix, moment, reportId } from './options.ts';
import { reportMeant } from './report-meant.ts';
import type { Reading } from './store.ts';

/** What says which exceptions are meant. */
export interface FilterFlags {
  status?: Status;
  severity?: Severity[];
  check?: string[];
  kind?: string[];
  user?: string;
  report?: string;
  since?: string;
  before?: string;
  minAmount?: string;
  maxAmount?: string;
  assignee?: string;
  unassigned?: true;
  text?: string;
}

/** Gives a command the flags. */
export function addFilter(command: Command): Command {
  const kindNames = knownKinds.map(({ name }) => name);
  return command
    .addOption(choice('--status <status>', 'how they stand (default: open)', statuses))
    .addOption(choices('--severity <severity>', 'of this severity', knownSeverities))
    .addOption(choices('--check <name>', 'of this check', checkNames))
    .addOption(choices('--kind <name>', 'of this kind', kindNames))
    .option('--user <id>', 'of this user (a prefix of the id)', idPrefix)
    .option('--report <id>', 'seen by this report (a prefix of its id, or latest)', reportId)
    .option('--since <time>', 'first seen from this time on (7d, 2026-11-01, RFC 3339)')
    .option('--before <time>', 'first seen before this time: 7d means older than seven days')
    .option('--min-amount <amount>', 'of at least this much', amount)
    .option('--max-amount <amount>', 'of at most this much', amount)
    .option('--assignee <name>', 'whose they are')
    .addOption(new Option('--unassigned', 'that are nobody’s').conflicts('assignee'))
    .option('--text <text>', 'with this in the description, the subject or a note');
}

function amount(text: string): string {
  if (!/^\d{1,18}(\.\d{1,18})?$/.test(text))
    throw new InvalidArgumentError('It must be an amount such as 100 or 0.50.');
  return text;
}

/** Whether any of the flags was given. */
export function hasFilter(flags: FilterFlags): boolean {
  return filterWords(flags).length > 0;
}

/**
 * The exceptions that the flags name. Throws an OperatorError (64) for a report that is not there, a time that is none, and
 * where there can be no such exception.
 */
export async function filterOf(reading: Reading, flags: FilterFlags, world: World): Promise<ExceptionFilter> {
  const { findUser } = await import('../exceptions/users.ts');
  const at = world.now();
  const since = moment('--since', flags.since, at);
  const until = moment('--before', flags.before, at);
  assertSpan(since, '--before', until, at);
  await assertPossible(flags);
  return {
    status: flags.status ?? 'open',
    at,
    severities: flags.severity ?? [],
    checks: flags.check ?? [],
    kinds: flags.kind ?? [],
    userId: flags.user === undefined ? undefined : await findUser(reading.transaction, reading.schema, flags.user),
    reportId: flags.report === undefined ? undefined : (await reportMeant(reading, flags.report, world)).id,
    since,
    until,
    amountMin: flags.minAmount,
    amountMax: flags.maxAmount,
    assignee: flags.unassigned === true ? null : flags.assignee,
    isFree: false,
    text: flags.text === undefined ? undefined : searched(flags.text),
    ids: undefined,
  };
}

async function assertPossible({ check = [], kind = [], minAmount, maxAmount }: FilterFlags): Promise<void> {
  const { money } = await import('../money.ts');
  if (minAmount !== undefined && maxAmount !== undefined && money(minAmount).greaterThan(maxAmount))
    throw new OperatorError(64, `--min-amount ${minAmount} is above --max-amount ${maxAmount}.`, 'Swap them.');
  if (check.length === 0 || kind.length === 0) return;
  const { checks } = await import('../checks/index.ts');
  const found: string[] = checkNames.filter((name) => check.includes(name)).flatMap((name) => checks[name].kinds);
  if (kind.some((name) => found.includes(name))) return;
  throw new OperatorError(
    64,
    `--check ${check.join(', ')} never finds --kind ${kind.join(', ')}.`,
    '`recon checks` lists the kinds of each check.',
  );
}

function searched(text: string): string {
  if (text.trim() === '') throw new OperatorError(64, '--text is empty.', 'Give a part of what you look for.');
  return text;
}

/** The flags as they would be typed again. */
export function filterWords(flags: FilterFlags): string[] {
  const one = (flag: string, value: string | undefined) => (value === undefined ? [] : [flag, shellWord(value)]);
  const each = (flag: string, values: readonly string[] | undefined) =>
    (values ?? []).flatMap((value) => one(flag, value));
  return [
    ...one('--status', flags.status),
    ...each('--severity', flags.severity),
    ...each('--check', flags.check),
    ...each('--kind', flags.kind),
    ...one('--user', flags.user),
    ...one('--report', flags.report),
    ...one('--since', flags.since),
    ...one('--before', flags.before),
    ...one('--min-amount', flags.minAmount),
    ...one('--max-amount', flags.maxAmount),
    ...one('--assignee', flags.assignee),
    ...(flags.unassigned === true ? ['--unassigned'] : []),
    ...one('--text', flags.text),
  ];
}

function shellWord(text: string): string {
  return /^[\w.:@/+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
