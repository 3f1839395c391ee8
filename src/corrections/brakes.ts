import type { Finding } from '../checks/check.ts';
import type { Config } from '../config.ts';
import type { Transaction } from '../database/database.ts';
import type { StoredException } from '../exceptions/exception.ts';
import { money, toText } from '../money.ts';
import type { Correction, Plan } from './correction.ts';
import { Refusal } from './refusal.ts';
import type { Site } from './site.ts';
import { assertNothingElseTouches } from './touched.ts';

/** What a correction is held against before anything is written. */
export interface Case {
  transaction: Transaction;
  schema: string;
  config: Config;
  site: Site;
  correction: Correction;
  exception: StoredException & { id: string };
  /** What the check says now, in this transaction. */
  finding: Finding;
  plan: Plan;
  /** The run that corrects by itself; null: two people do. */
  reportId: string | null;
}

type Brake = (one: Case) => void | Promise<void>;

/** Of every correction, whoever makes it. */
const forAll: readonly Brake[] = [assertSmall, assertOnce, assertNothingElseTouches];

/** Of a run that corrects by itself. */
const forMachines: readonly Brake[] = [assertNobodyHasIt, assertNeverCorrected, assertWithinCaps];

/** Throws a Refusal with the reason of the first brake that holds. */
export async function applyBrakes(one: Case): Promise<void> {
  for (const brake of [...forAll, ...(one.reportId === null ? [] : forMachines)]) await brake(one);
}

const atPar = ['USDC', 'USD'];

/** By what is left of the difference now, not by what the exception said when it was stored. */
function assertSmall({ correction, finding, plan, config }: Case): void {
  if (correction.by === 'people') return;
  if (plan.currency !== null && !atPar.includes(plan.currency))
    throw new Refusal(`It is in ${plan.currency}: the limits are in USDC and USD, at par.`);
  if (finding.severity !== 'low' || !plan.amount.lessThanOrEqualTo(config.severityUpTo.low))
    throw new Refusal(`It is of ${finding.severity} severity: this kind is corrected only while it is low.`);
}

/** The database refuses it too. Whoever reopens an exception that was corrected cannot have it corrected twice. */
async function assertOnce({ transaction, schema, exception }: Case): Promise<void> {
  const [earlier] = await transaction<{ id: string }[]>`
    select correction.id
    from ${transaction(`${schema}.reconciliation_corrections`)} as correction
    where correction.exception_id = ${exception.id} and correction.state = 'applied' and correction.undoes is null
  `;
  if (earlier !== undefined)
    throw new Refusal(`It was corrected already (${earlier.id}): what is still wrong, a run finds as a new exception.`);
}

/** Whoever took it up, put it aside or agreed to it knows more than a machine. */
function assertNobodyHasIt({ exception, site }: Case): void {
  const { acknowledged_by: by, assignee, snoozed_until: snoozed, accepted_until: accepted } = exception;
  if (assignee !== null) throw new Refusal(`It is assigned to ${assignee}.`);
  if (by !== null) throw new Refusal(`${by} looks into it.`);
  const isOver = (until: string) => Date.parse(until) <= Date.parse(site.asOf); // not of a time that cannot be read
  if ([snoozed, accepted].some((until) => until !== null && !isOver(until)))
    throw new Refusal('It is snoozed or accepted.');
}

/** What came back has a cause that a correction does not end. Also what people undid: they had a reason. */
async function assertNeverCorrected({ transaction, schema, exception }: Case): Promise<void> {
  const [earlier] = await transaction<{ id: string }[]>`
    select correction.id
    from ${transaction(`${schema}.reconciliation_corrections`)} as correction
    inner join ${transaction(`${schema}.reconciliation_exceptions`)} as corrected on corrected.id = correction.exception_id
    where corrected.fingerprint = ${exception.fingerprint} and correction.state = 'applied'
    limit 1
  `;
  if (earlier !== undefined)
    throw new Refusal(`It came back after correction ${earlier.id}: a machine does not correct it again.`);
}

/**
 * Counted in the database and by its clock, USDC and USD at par; nobody else corrects meanwhile, because exceptions are
 * locked.
 */
async function assertWithinCaps({ transaction, schema, config, site, plan, reportId }: Case): Promise<void> {
  const [moved] = await transaction<{ in_run: string; in_day: string }[]>`
    select
      coalesce(sum(correction.amount) filter (where correction.report_id = ${reportId}), 0) as in_run,
      coalesce(sum(correction.amount), 0) as in_day
    from ${transaction(`${schema}.reconciliation_corrections`)} as correction
    where
      correction.state = 'applied'
      and correction.proposed_by = 'system'
      and (correction.report_id = ${reportId} or correction.ended_at > ${site.asOf}::timestamptz - interval '24 hours')
  `;
  const { perRun, perDay } = config.corrections;
  if (
    !money(moved?.in_run ?? 'NaN')
      .plus(plan.amount)
      .lessThanOrEqualTo(perRun)
  )
    throw new Refusal(`The limit of a run, ${toText(perRun)}, would be passed.`);
  if (
    !money(moved?.in_day ?? 'NaN')
      .plus(plan.amount)
      .lessThanOrEqualTo(perDay)
  )
    throw new Refusal(`The limit of 24 hours, ${toText(perDay)}, would be passed.`);
}
