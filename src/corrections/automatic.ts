import { checks } from '../checks/index.ts';
import { checkNames } from '../checks/names.ts';
import type { Config } from '../config.ts';
import { inReadOnly, type Database, type Transaction } from '../database/database.ts';
import { isTaken } from '../exceptions/taken.ts';
import { Incomplete } from '../incomplete.ts';
import type { KindName } from '../kinds.ts';
import { OperatorError } from '../operator-error.ts';
import type { CheckOutcome } from '../run/outcome.ts';
import { correct } from './attempt.ts';
import { withCorrectionDatabase } from './database.ts';
import { correctionFigures, type CorrectionFigures } from './figures.ts';
import { automaticKinds } from './index.ts';
import { stoppedSentence, switchOf } from './switch.ts';
import { timeOf, type Desk } from './transaction.ts';

/** How many low findings of a kind there are. */
export interface KindCount {
  kind: KindName;
  count: number;
}

/** Found more often than is believed: one cause, many symptoms. None of them is corrected, whoever has some. */
export function heldBackIn(outcomes: readonly CheckOutcome[], { corrections: limits }: Config): KindCount[] {
  return correctableIn(outcomes).filter(({ count }) => count > limits.ofAKind);
}

/** What a run would try of the rest; `taken`: how many of each kind somebody has, check by check. */
export function triedOf(
  outcomes: readonly CheckOutcome[],
  { corrections: limits }: Config,
  taken: readonly ReadonlyMap<KindName, number>[],
): KindCount[] {
  return correctableIn(outcomes)
    .filter(({ count }) => count <= limits.ofAKind)
    .map(({ kind, count }) => ({ kind, count: taken.reduce((left, of) => left - (of.get(kind) ?? 0), count) }))
    .filter(({ count }) => count > 0);
}

/** What of the kinds that a run corrects was found. */
function correctableIn(outcomes: readonly CheckOutcome[]): KindCount[] {
  return automaticKinds
    .map((kind) => ({ kind, count: outcomes.reduce((all, outcome) => all + lowOf(outcome, kind), 0) }))
    .filter(({ count }) => count > 0);
}

function lowOf({ result }: CheckOutcome, kind: KindName): number {
  return result instanceof Incomplete ? 0 : result.findings.countOf('low', kind);
}

/**
 * Why this run corrects nothing; undefined: it may. What is corrected must follow from data that is itself proven, so
 * every check of the database must have been complete and have looked at everything, as a daily run does.
 */
export function whyNotNow(outcomes: readonly CheckOutcome[], isWhole: boolean): string | undefined {
  if (!isWhole) return 'it was narrowed';
  const unproven = checkNames
    .filter((name) => checks[name].read === undefined)
    .find((name) => !provesEverything(outcomes.find((outcome) => outcome.name === name)));
  return unproven && `${unproven} did not look at everything`;
}

function provesEverything(outcome: CheckOutcome | undefined): boolean {
  if (outcome === undefined || outcome.result instanceof Incomplete) return false;
  return outcome.result.coverage === 'everything' && !outcome.result.truncated;
}

/**
 * Corrects by itself what this run found, one after the other, each in a transaction of its own. Throws an OperatorError
 * where it is not in a position to: what was corrected before that stays. `main` is the pool of DATABASE_URL.
 */
export async function correctFound(
  main: Database,
  desk: Omit<Desk, 'database'>,
  reportId: string,
  heldBack: readonly KindCount[],
): Promise<CorrectionFigures> {
  const { config, schema, world } = desk;
  return withCorrectionDatabase(config, main, { signal: world.signal }, async (database) => {
    const standing = await inReadOnly(database, (transaction) => switchOf(transaction, schema));
    if (standing.stopped) throw new OperatorError(2, stoppedSentence(standing));
    const found = await inReadOnly(database, async (seen) =>
      candidatesOf(seen, schema, { reportId, heldBack, at: await timeOf(seen, world) }),
    );
    for (const exceptionId of found) await correct({ ...desk, database }, { exceptionId, author: { reportId } });
    return inReadOnly(database, (transaction) => correctionFigures(transaction, schema, { reportId }));
  });
}

/** What nobody has, in the order of their fingerprints: a job's link comes before the balance that it may stand in the way of. */
async function candidatesOf(
  transaction: Transaction,
  schema: string,
  { reportId, heldBack, at }: { reportId: string; heldBack: readonly KindCount[]; at: string },
): Promise<string[]> {
  const kinds = automaticKinds.filter((kind) => !heldBack.some((held) => held.kind === kind));
  const rows = await transaction<{ id: string }[]>`
    select exception.id
    from ${transaction(`${schema}.reconciliation_exceptions`)} as exception
    where
      exception.last_report_id = ${reportId}
      and exception.resolved_at is null
      and exception.severity = 'low'
      and exception.kind = any (${kinds}::text[])
      and not ${isTaken(transaction, at)}
    order by exception.fingerprint collate "C"
  `;
  return rows.map(({ id }) => id);
}
