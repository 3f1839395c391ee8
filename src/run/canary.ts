import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Check, Cut, Finding } from '../checks/check.ts';
import { Shared } from '../checks/shared.ts';
import type { Config } from '../config.ts';
import { everything, paramsOf } from './cut.ts';
import { query } from '../database/database.ts';
import { Incomplete } from '../incomplete.ts';
import { money, toText } from '../money.ts';
import { openSource, type Source } from '../source.ts';

/** What a fault of the canary looks like when it is found. Amounts are exact decimal text. */
interface Planted {
  kind: string;
  subject: string;
  expected: string | null;
  actual: string | null;
}

/** The canary's own moment and settings: what it answers must not depend on those of the user. */
const asOf = '2001-01-02T12:00:00Z';
const settings = {
  gracePeriodMs: 5 * 60_000,
  stuckAfterMs: 24 * 3_600_000,
  withdrawalStuckAfterMs: 72 * 3_600_000,
  entriesPerTransaction: 'two',
} as const satisfies Partial<Config>;

/**
 * Runs the SQL of a check, in the same database and snapshot, over books of a few dozen rows that are written out in
 * sql/source/canary: one fault of each kind, and beside them what only looks like one. Returns how many faults were
 * planted and found. Throws `Incomplete` if the check found anything else: what it says of real books proves nothing
 * then.
 */
export async function askCanary(cut: Cut, check: Check): Promise<number> {
  const canary = openSource('canary');
  const planted = await readPlanted(cut, check, canary);
  const found: Finding[] = [];
  await check.compare(canaryOf(cut, check, canary), undefined, (finding) => found.push(finding));
  const [missed, surplus] = [
    without(planted.map(toLine), found.map(toLine)),
    without(found.map(toLine), planted.map(toLine)),
  ];
  if (missed.length + surplus.length === 0) return planted.length;
  const what = [
    missed.length > 0 && `it did not find ${missed.join(', ')}`,
    surplus.length > 0 && `it found ${surplus.join(', ')}, which is not there`,
  ];
  throw new Incomplete(
    `The control of this check does not work: in books with known faults (sql/source/canary) ${what.filter(Boolean).join('; ')}.`,
    78,
  );
}

/** The canary in place of the source, with nothing that is known from real books. */
function canaryOf({ transaction, config, params, shared, horizon }: Cut, check: Check, source: Source): Cut {
  const own = { ...config, ...settings };
  return {
    transaction,
    source,
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

async function readPlanted({ transaction }: Cut, check: Check, { folder }: Source): Promise<Planted[]> {
  const text = readFileSync(join(folder, 'planted.sql'), 'utf8');
  const rows = await query<Planted & { check_type: string }>(transaction, text);
  return rows.filter((row) => row.check_type === check.name);
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

function toLine({ kind, subject, expected, actual }: Planted): string {
  const amount = (text: string | null) => (text === null ? '-' : toText(money(text)));
  return `${kind} of ${subject} (${amount(expected)} / ${amount(actual)})`;
}
