import { announce } from '../alerts/announce.ts';
import type { CheckName } from '../checks/names.ts';
import type { Config } from '../config.ts';
import { cancelledBy } from '../database/cancel.ts';
import { inTransaction, type Database, type Transaction } from '../database/database.ts';
import { endExpired } from '../exceptions/acceptance.ts';
import { clearUnseen, recordFindings } from '../exceptions/life.ts';
import { lockExceptions } from '../exceptions/store.ts';
import { Incomplete } from '../incomplete.ts';
import { countRun } from '../metrics/run-totals.ts';
import { finishReport } from '../reports.ts';
import { storeChecks } from '../stored-checks.ts';
import type { Mask } from '../secrets.ts';
import { movedOn, type CheckOutcome } from './outcome.ts';
import type { Conclusion } from './result.ts';
import { exceptionsWaitMs } from './timeout.ts';
import { storeVerified, type Verified } from './watermarks.ts';

/** Where a run is stored, and how. */
export interface Storage {
  database: Database;
  schema: string;
  /** Whether it saw enough to clear what it did not see again. */
  clears: boolean;
  /** Stops it, also where it waits for the lock of somebody else; nothing is stored then. */
  signal: AbortSignal;
  /** Told how many findings are stored so far, of how many. */
  progress: (stored: number, all: number) => void;
  /** Whom to tell, and what must not be told. */
  config: Pick<Config, 'alerts' | 'environment' | 'runTimeoutMs'>;
  mask: Mask;
}

/** Stores all of a run in one transaction, or nothing. Returns how many exceptions were cleared. */
export async function storeRun(
  storage: Storage,
  conclusion: Conclusion,
  outcomes: readonly CheckOutcome[],
): Promise<number> {
  const { database, signal } = storage;
  return inTransaction(database, 'read write', (transaction) =>
    cancelledBy(signal, database, transaction, () => storeAll(transaction, storage, conclusion, outcomes)),
  );
}

async function storeAll(
  transaction: Transaction,
  { schema, clears, signal, progress, config, mask }: Storage,
  { report, checks }: Conclusion,
  outcomes: readonly CheckOutcome[],
): Promise<number> {
  const seenAt = report.completed_at ?? report.started_at;
  await lockExceptions(transaction, schema, exceptionsWaitMs(config));
  await finishReport(transaction, schema, report);
  await storeChecks(transaction, schema, checks);
  await endExpired(transaction, schema, { reportId: report.id, seenAt });
  let stored = 0;
  progress(stored, report.exceptions_count);
  for (const { checkId, rows } of batchesOf(outcomes)) {
    signal.throwIfAborted();
    stored += await recordFindings(transaction, schema, { reportId: report.id, checkId, seenAt, rows });
    progress(stored, report.exceptions_count);
  }
  const cleared = clears ? await clearUnseen(transaction, schema, report.id, seenAt, provenBy(outcomes)) : 0;
  for (const verified of verifiedBy(report.id, outcomes)) await storeVerified(transaction, schema, verified);
  await countRun(transaction, schema, report, checks);
  await announce(transaction, schema, { at: seenAt, ending: { report, checks } }, config, { clears, mask });
  return cleared;
}

function* batchesOf(outcomes: readonly CheckOutcome[]): Generator<{ checkId: string; rows: string }> {
  for (const { id, result } of outcomes)
    if (!(result instanceof Incomplete)) for (const rows of result.findings.batches()) yield { checkId: id, rows };
}

/** The checks that were complete and stopped at no limit: what they did not see is not there. */
function provenBy(outcomes: readonly CheckOutcome[]): CheckName[] {
  return outcomes.filter(({ result }) => !(result instanceof Incomplete) && !result.truncated).map(({ name }) => name);
}

/** What the complete checks verified. */
function* verifiedBy(reportId: string, outcomes: readonly CheckOutcome[]): Generator<Verified> {
  for (const outcome of outcomes) {
    const moved = movedOn(outcome);
    if (moved !== undefined) yield { check: outcome.name, reportId, ...moved };
  }
}
