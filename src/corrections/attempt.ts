import { randomUUID } from 'node:crypto';
import type { Finding } from '../checks/check.ts';
import type { CheckName } from '../checks/names.ts';
import { inReadOnly } from '../database/database.ts';
import { subjectOf, type StoredException } from '../exceptions/exception.ts';
import { findException } from '../exceptions/store.ts';
import { toText } from '../money.ts';
import { applyBrakes } from './brakes.ts';
import type { Correction, Plan } from './correction.ts';
import { movedBy, writeRow, type HostRow } from './host-tables.ts';
import { correctionOf } from './index.ts';
import { recordApplied, recordUnapplied, type Author, type Outcome } from './record.ts';
import { Failure, Refusal, stateAfter } from './refusal.ts';
import type { About, Site } from './site.ts';
import { inCorrection, inLook, inRehearsal, type Desk, type Opened } from './transaction.ts';

/** What is to be corrected, and on whose word. */
export interface Order {
  exceptionId: string;
  author: Author;
  /** What somebody approved; undefined: nobody was shown anything. */
  approved?: Pick<Plan, 'action' | 'rows'>;
}

/** What is only tried is nobody's word. */
type Rehearsed = Omit<Order, 'author'> & { author: Pick<Author, 'reportId'> };

/**
 * Makes one correction, in one transaction: locks, decides from what is there then, writes, lets the check look again,
 * and rolls back unless what it found is gone and nothing else is wrong. What came of it is on record: with what was
 * written if it was, else by itself. Throws where recon is not in a position to (no right, no connection).
 */
export async function correct(desk: Desk, order: Order): Promise<Outcome> {
  const id = order.author.proposalId ?? randomUUID();
  return orRecorded(desk, order, id, () =>
    inCorrection(desk, id, async (opened) => {
      const done = await carryOut(desk, opened, order, id);
      await recordApplied(opened.transaction, desk.schema, done, order.author, opened.site.asOf);
      return done;
    }),
  );
}

/** The same without a trace: everything is done, looked at, and rolled back. A reason why not is thrown as a Refusal or Failure. */
export async function rehearse(desk: Desk, order: Rehearsed): Promise<Outcome> {
  return inRehearsal(desk, (opened) => carryOut(desk, opened, order, randomUUID()));
}

/**
 * Asks the same of an exception without writing or locking anything, also whether the role may write. A reason why not is
 * thrown as a Refusal, a Failure or an OperatorError; what the host itself would say to the rows is not known.
 */
export async function assertCorrectable(desk: Desk, order: Rehearsed): Promise<void> {
  await inLook(desk, async (opened) => {
    const { exception, plan } = await decide(desk, opened, order);
    const found = await findingsOf(opened.site, exception, plan.touches);
    const wrong = found.find(({ subject }) => subject !== exception.affected_entity);
    if (wrong !== undefined) throw new Failure(leftWrong(wrong));
    await opened.site.assertWritable(plan.rows);
  });
}

async function orRecorded(desk: Desk, order: Order, id: string, work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof Failure)) throw error;
    const exception = await inReadOnly(desk.database, (seen) => findException(seen, desk.schema, order.exceptionId));
    const correction = correctionOf(exception.kind, exception.check_type);
    if (correction === undefined) throw error;
    const outcome: Outcome = {
      id,
      exception,
      correction,
      state: stateAfter(error),
      action: correction.meaning,
      amount: '0',
      currency: null,
      rows: [],
      reason: desk.mask(error.message),
    };
    await recordUnapplied(desk, outcome, order.author);
    return outcome;
  }
}

async function carryOut(desk: Desk, opened: Opened, order: Rehearsed, id: string): Promise<Outcome> {
  const { transaction, site } = opened;
  const { exception, correction, plan } = await decide(desk, opened, order);
  assertAsApproved(plan, order.approved);
  for (const row of plan.rows) await writeRow(transaction, desk.source, row, site.asOf);
  await assertRight(site, exception, plan);
  const amount = toText(plan.amount);
  const { action, currency, rows } = plan;
  return { id, exception, correction, state: 'applied', action, amount, currency, rows, reason: null };
}

/** What is to be written, as the books stand. Throws a Refusal where a rule says no. */
async function decide(desk: Desk, { transaction, site }: Opened, order: Pick<Rehearsed, 'exceptionId' | 'author'>) {
  const exception = await findException(transaction, desk.schema, order.exceptionId);
  const correction = correctionOf(exception.kind, exception.check_type);
  if (correction === undefined) throw new Refusal(`recon has no correction for ${exception.kind}.`);
  if (exception.resolved_at !== null) throw new Refusal('The exception is resolved.');
  const finding = await lockAndLook(site, correction, exception);
  const plan = await correction.plan(site, finding);
  const { reportId } = order.author;
  const { config, schema } = desk;
  await applyBrakes({ transaction, schema, config, site, correction, exception, finding, plan, reportId });
  return { exception, correction, plan };
}

/** Holds the row that it is about, and asks the check what is wrong with it now. */
async function lockAndLook(site: Site, correction: Correction, exception: StoredException): Promise<Finding> {
  const { id } = subjectOf(exception.affected_entity);
  const table = correction.tables[exception.check_type];
  if (id === undefined || table === undefined) throw new Refusal('Its subject is no row of the host.');
  await site.lock(table, [id]);
  const found = await findingsOf(site, exception, nothingTouched);
  const finding = found.find(({ subject }) => subject === exception.affected_entity);
  if (finding === undefined) throw new Refusal('The check finds nothing wrong with it any more.');
  if (finding.kind !== exception.kind) throw new Refusal(`The check finds ${finding.kind} now.`);
  const also = finding.metadata['also'] as string[] | undefined;
  if (also !== undefined) throw new Refusal(`It shows ${also.join(', ')} as well.`);
  return finding;
}

const nothingTouched = { accounts: [], transactions: [] };

/** What is wrong with the subject of an exception, and with the accounts and transactions of the ledger that are touched. */
async function findingsOf(
  site: Site,
  { check_type: check, affected_entity: subject }: StoredException,
  { accounts, transactions }: Pick<Plan['touches'], 'accounts' | 'transactions'>,
): Promise<Finding[]> {
  const { type, id = '' } = subjectOf(subject);
  const ledger: About = { accounts: [...accounts], transactions: [...transactions] };
  const questions: [CheckName, About][] =
    type === 'account'
      ? [[check, { ...ledger, accounts: [...new Set([id, ...accounts])] }]]
      : [[check, { records: [id] }], ...(accounts.length + transactions.length > 0 ? [ofLedger(ledger)] : [])];
  const found: Finding[] = [];
  for (const [name, about] of questions) found.push(...(await site.findings(name, about)));
  return found.filter((finding) => isAbout(finding, questions));
}

/** Rows without a key cannot be asked for by name: they are found whoever is asked for. An entry matters to its account. */
export function isAbout({ subject, metadata }: Finding, questions: readonly [CheckName, About][]): boolean {
  const { type, id } = subjectOf(subject);
  if (type !== 'entry') return id !== undefined;
  return questions.some(([, { accounts }]) => accounts?.includes(String(metadata['account_id'])) === true);
}

function ofLedger(about: About): [CheckName, About] {
  return ['ledger_consistency', about];
}

/** Why what was written is rolled back. */
export function leftWrong({ description }: Finding): string {
  return `With it written, something would still be wrong: ${description}.`;
}

/** Two people approved what they were shown, not whatever the data says by now. */
function assertAsApproved({ action, rows }: Plan, approved: Order['approved']): void {
  if (approved === undefined) return;
  if (action === approved.action && essenceOf(rows) === essenceOf(approved.rows)) return;
  throw new Refusal(
    'The books have moved, or another release of recon proposed it: it is no longer what was proposed.',
    'End it with `recon corrections reject`, and propose it again.',
  );
}

/** What rows do, without where a balance happens to stand. */
function essenceOf(rows: readonly HostRow[]): string {
  return rows
    .map(({ table, id, before, after }) =>
      table === 'ledger_accounts'
        ? `${id} by ${movedBy({ before, after })}`
        : JSON.stringify([table, id, before, Object.entries(after).sort()]),
    )
    .sort()
    .join('\n');
}

/** The finding is gone, nothing else is wrong with what was touched, and the host stored what was written. */
async function assertRight(site: Site, exception: StoredException, { rows, touches }: Plan): Promise<void> {
  const [wrong] = await findingsOf(site, exception, touches);
  if (wrong !== undefined) throw new Failure(leftWrong(wrong));
  await site.assertStored(rows);
}
