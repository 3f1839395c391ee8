import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Check, Cut, Finding, Window } from '../checks/check.ts';
import { Shared } from '../checks/shared.ts';
import type { Config } from '../config.ts';
import { everything, paramsOf } from './cut.ts';
import { query } from '../database/database.ts';
import { Incomplete } from '../incomplete.ts';
import { money, toText } from '../money.ts';
import { openSource } from '../source.ts';

/** What a check made of the canary. */
export interface Control {
  /** How many faults there are in its books. */
  planted: number;
  /** How many of them the check noticed each time it had to. */
  found: number;
  /** How many findings there were of what is not there, or not so. */
  surplus: number;
  /** Why what the check says of real books proves nothing; null: the control works. */
  problem: Incomplete | null;
}

type Told = Pick<Finding, 'kind' | 'subject' | 'severity' | 'expected' | 'actual' | 'currency' | 'affectedUserId'>;

/** What a fault of the canary looks like when it is found. */
interface Planted extends Told {
  /** In which a sum has to be off because of it, the faults of all others being known; null: no sum covers it. */
  question: number | null;
  /** The statement that lists what put that sum off. */
  search: string | null;
}

/** The canary's own moment and settings: what it answers must not depend on those of the user. */
const asOf = '2001-01-02T12:00:00Z';
const settings = {
  gracePeriodMs: 5 * 60_000,
  stuckAfterMs: 24 * 3_600_000,
  withdrawalStuckAfterMs: 72 * 3_600_000,
  entriesPerTransaction: 'two',
  severityUpTo: { low: money('17'), medium: money('20'), high: money('23') },
} as const satisfies Partial<Config>;

/** When almost all of the canary's rows came: what an hourly run would look at. */
const cameAt = '2001-01-01T00:00:00Z';

/**
 * Asks the SQL of a check, in the same database and snapshot, about books of a few dozen rows that are written out in
 * sql/source/canary: at least one fault of each kind, and beside them what only looks like one. It has to find exactly
 * those, in a run that looks at changes only also as if they had just come. And because one sum that is off makes a
 * check search for everything, its sums are asked again about one fault at a time.
 */
export async function askCanary(cut: Cut, check: Check): Promise<Control> {
  const canary = canaryOf(cut, check);
  const rows = await rowsOf<Planted & { check_type: string }>(canary, 'planted');
  const planted = rows.filter((row) => row.check_type === check.name);
  const lists = [await findingsOf(canary, check)];
  if (cut.window?.onlyChanges === true)
    lists.push(await findingsOf({ ...canary, window: await windowOf(canary, planted) }, check));
  const told = planted.map(toLine);
  return judge(
    new Set(told),
    new Set(lists.flatMap((found) => without(told, found))),
    new Set(lists.flatMap((found) => without(found, told))),
    new Set((await unseenAlone(canary, check, planted)).map(toLine)),
  );
}

function judge(
  planted: ReadonlySet<string>,
  missed: ReadonlySet<string>,
  surplus: ReadonlySet<string>,
  unseen: ReadonlySet<string>,
): Control {
  const what = [
    missed.size > 0 && `it did not find ${[...missed].join(', ')}`,
    surplus.size > 0 && `it found ${[...surplus].join(', ')}, which is not there`,
    unseen.size > 0 && `its sums do not show ${[...unseen].join(', ')}`,
  ].filter((part) => part !== false);
  const reason = `The control of this check does not work: in books with known faults (sql/source/canary) ${what.join('; ')}.`;
  return {
    planted: planted.size,
    found: [...planted].filter((line) => !missed.has(line) && !unseen.has(line)).length,
    surplus: surplus.size,
    problem: what.length > 0 ? new Incomplete(reason, 78) : null,
  };
}

/** The canary in place of the source, with nothing that is known from real books. */
function canaryOf({ transaction, config, params, shared, horizon }: Cut, check: Check): Cut {
  const own = { ...config, ...settings };
  return {
    transaction,
    source: openSource('canary'),
    config: own,
    params: { ...paramsOf(own, everything, asOf, params.seed), ...check.params(own) },
    shared: shared.once(nothingRead, nothingRead),
    known: {},
    horizon,
  };
}

/** The canary's books are read once too, apart from the real ones. */
function nothingRead(): Shared {
  return new Shared();
}

/** One of the canary's files by itself: it reads nothing but what it says. */
async function rowsOf<T extends object>({ transaction, source }: Cut, name: string): Promise<T[]> {
  return query<T>(transaction, readFileSync(join(source.folder, `${name}.sql`), 'utf8'));
}

async function findingsOf(canary: Cut, check: Check): Promise<string[]> {
  const found: string[] = [];
  await check.compare(canary, undefined, (finding) => found.push(toLine(finding)));
  return found;
}

/** As if everything had come since the last run, but for what has been stuck for longer: that one knew of it. */
async function windowOf(canary: Cut, planted: readonly Planted[]): Promise<Window> {
  const accounts = await rowsOf<{ id: string; opening_balance: string }>(canary, 'ledger_accounts');
  const opened = new Map(accounts.map(({ id, opening_balance: balance }) => [id, money(balance)]));
  return {
    since: cameAt,
    until: asOf,
    onlyChanges: true,
    why: null,
    provenAsOf: null,
    waiting: planted.filter(({ kind }) => kind === 'stuck').map(({ subject }) => idOf(subject)),
    differing: (held) =>
      Promise.resolve(held.flatMap(({ account_id: id, balance }) => (opened.get(id)?.equals(balance) ? [] : [id]))),
  };
}

function idOf(subject: string): string {
  return subject.slice(subject.indexOf(':') + 1);
}

/** The faults that the check would not search for if it knew those of all other questions. */
async function unseenAlone(canary: Cut, check: Check, planted: readonly Planted[]): Promise<Planted[]> {
  const unseen: Planted[] = [];
  for (const question of new Set(planted.map((fault) => fault.question))) {
    if (question === null || check.searches === undefined) continue;
    const others = planted.filter((fault) => fault.question !== question);
    const known = { [check.name]: others.map(({ subject }) => subject) };
    const searches = await check.searches({ ...canary, known });
    const asked = planted.filter((fault) => fault.question === question);
    unseen.push(...asked.filter(({ search }) => search === null || !searches.includes(search)));
  }
  return unseen;
}

/** What is left when each of the others has taken one line away: what is told twice is told once too often. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return lines.filter((line) => {
    const taken = left.indexOf(line);
    if (taken >= 0) left.splice(taken, 1);
    return taken < 0;
  });
}

function toLine({ kind, subject, severity, expected, actual, currency, affectedUserId }: Told): string {
  const amount = (text: string | null) => (text === null ? '-' : toText(money(text)));
  const values = `${amount(expected)} / ${amount(actual)} ${currency ?? 'no currency'}`;
  return `${kind} of ${subject} (${values}, ${severity}, ${affectedUserId === null ? 'nobody' : `user ${affectedUserId}`})`;
}
