import { announceActions } from '../alerts/announce.ts';
import { correctFound, heldBackIn, triedOf, whyNotNow } from '../corrections/automatic.ts';
import { correctionFigures } from '../corrections/figures.ts';
import { correctionsIn, type ReportedCorrections } from '../corrections/reported.ts';
import { inReadOnly, inTransaction, type Database } from '../database/database.ts';
import { Incomplete } from '../incomplete.ts';
import { noteInReport, type Report } from '../reports.ts';
import { isWhole, type Engine } from './engine.ts';
import type { CheckOutcome } from './outcome.ts';
import type { Past } from './past.ts';

/** What is known before anything is corrected, and is announced with the run. */
export function foreseenCorrections(
  { config, options }: Engine,
  outcomes: readonly CheckOutcome[],
): { corrections?: ReportedCorrections } {
  if (!config.corrections.automatic) return {};
  const notMade = whyNotNow(outcomes, isWhole(options.scope));
  return { corrections: notMade === undefined ? { held_back: heldBackIn(outcomes, config) } : { not_made: notMade } };
}

/** The same of a dry run, with what a run would try: what somebody has is left alone. */
export async function imaginedCorrections(engine: Engine, outcomes: readonly CheckOutcome[], past: Past) {
  const foreseen = foreseenCorrections(engine, outcomes);
  if (foreseen.corrections?.held_back === undefined) return foreseen;
  const taken = [];
  for (const { result } of outcomes) if (!(result instanceof Incomplete)) taken.push(await past.taken(result.findings));
  return { corrections: { ...foreseen.corrections, would_try: triedOf(outcomes, engine.config, taken) } };
}

/**
 * Corrects what the run found, once all of the run is stored. Nothing of it can change the result of the run: what goes
 * wrong is said once, and stands in the report.
 */
export async function correctWhatWasFound(
  engine: Engine,
  database: Database,
  schema: string,
  report: Report,
): Promise<void> {
  const { config, source, mask, listener } = engine;
  const world = { ...engine.world, signal: engine.signal }; // the deadline of the run holds for them too
  const known = correctionsIn(report);
  if (known === undefined || known.not_made !== undefined) return;
  const desk = { schema, config, source, world, mask };
  try {
    const figures = await correctFound(database, desk, report.id, known.held_back ?? []);
    const { tried, corrected, refused, failed } = figures;
    await note(database, schema, report, { ...known, tried, corrected, refused, failed });
    if (corrected > 0) await announceActions(database, schema, config, { now: world.now(), mask });
  } catch (error) {
    if (engine.world.signal.aborted) return;
    listener.trouble('corrections.not_made', error);
    const reason = mask(error instanceof Error ? error.message : String(error));
    await noteBrokenOff(database, schema, report, { ...known, not_made: reason }).catch(() => undefined);
  }
}

/** What was corrected before it went wrong stays, and is told. */
async function noteBrokenOff(database: Database, schema: string, report: Report, known: ReportedCorrections) {
  const { tried, corrected, refused, failed } = await inReadOnly(database, (transaction) =>
    correctionFigures(transaction, schema, { reportId: report.id }),
  );
  await note(database, schema, report, { ...known, ...(tried > 0 && { tried, corrected, refused, failed }) });
}

async function note(database: Database, schema: string, report: Report, corrections: ReportedCorrections) {
  report.metadata['corrections'] = corrections;
  await inTransaction(database, 'read write', (transaction) =>
    noteInReport(transaction, schema, report.id, { corrections }),
  );
}
