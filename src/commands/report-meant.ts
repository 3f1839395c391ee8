import type { Report } from '../reports.ts';
import type { World } from '../world.ts';
import { tell } from './print.ts';
import type { Reading } from './store.ts';

/**
 * The report whose id begins so; for `latest` the newest that has a result, or where none has one, the newest. Whatever is
 * newer and has none is named on stderr. Throws an OperatorError (64) if there is not exactly one.
 */
export async function reportMeant({ transaction, schema }: Reading, id: string, world: World): Promise<Report> {
  const { findReport, latestReports } = await import('../reports.ts');
  if (id !== 'latest') return findReport(transaction, schema, id);
  const { withResult, without } = await latestReports(transaction, schema);
  if (without !== undefined) {
    const taken = withResult === undefined ? 'No run has a result yet' : 'Taken is the last run that has one';
    await tell(world, `recon: ${await whyNoResult(without)} ${taken}.\n`);
  }
  const report = withResult ?? without;
  if (report !== undefined) return report;
  const { OperatorError } = await import('../operator-error.ts');
  throw new OperatorError(64, 'There is no report yet.', '`recon run` writes one.');
}

async function whyNoResult({ id, run_type: type, started_at: began, status, error_message: why }: Report) {
  const { excerpt, localTime, shortId } = await import('../output/screen.ts');
  const named = `The newest run, ${type} ${shortId(id)} of ${localTime(began)},`;
  return status === 'failed'
    ? `${named} ended without a result${why === null ? '' : `: ${excerpt(why)}`}; \`recon reports show ${shortId(id)}\` says what to do.`
    : `${named} has no result yet.`;
}
