import type { KindName } from '../kinds.ts';
import { isOfCustodian, subjectOf, type StoredException } from '../exceptions/exception.ts';
import type { Transaction } from '../database/database.ts';
import type { Plan } from './correction.ts';
import { correctionOf } from './index.ts';
import { Refusal } from './refusal.ts';
import type { Site } from './site.ts';

/** Another exception that is not resolved. */
interface Other extends Pick<StoredException, 'check_type' | 'kind' | 'affected_entity'> {
  id: string;
  user_id: string | null;
  accepted: boolean;
  /** Whether its subject shows further kinds. */
  shows_more: boolean;
  /** Ids of the transactions and accounts that it names. */
  transactions: string[];
  accounts: string[];
}

interface Question {
  transaction: Transaction;
  schema: string;
  site: Site;
  exception: StoredException & { id: string };
  plan: Plan;
}

/**
 * Throws a Refusal if another exception that is not resolved touches what the correction touches: the same subject, user
 * or account, a transaction with an entry on the account, or a custodian whose position it is a part of. One cause may
 * show itself in both, and the right answer to one need not be right for the other. Which accounts these are the plan says:
 * of a posting those of its user, for on the firm's own every other posting has an entry too.
 */
export async function assertNothingElseTouches(question: Question): Promise<void> {
  const { touches } = question.plan;
  const known = await readOthers(question);
  const others = known.filter((other) => !isIndependent(other, question.exception));
  const touching = await subjectsTouching(question, others);
  const found = others.filter(
    (other) =>
      isDirect(other, touches) ||
      [other.affected_entity, ...other.transactions.map((id) => `transaction:${id}`)].some(
        (subject) => subject !== null && touching.has(subject),
      ),
  );
  // where one of them stays, to put another one right would not help
  const worst = found.find(({ accepted }) => accepted) ?? found.find(blocksBack) ?? found[0];
  if (worst !== undefined) throw refusalFor(worst);
  const independent = known.filter((other) => isIndependent(other, question.exception) && isDirect(other, touches));
  await assertStillNeverPosted(question.site, independent);
}

/**
 * Records of which none was ever posted do not explain each other: to post one leaves the other as it is. What was posted
 * amiss may be meant for either; it is an exception of its own, of another kind.
 */
function isIndependent(other: Other, { kind, affected_entity: subject }: StoredException): boolean {
  return (
    kind === neverPosted &&
    other.kind === neverPosted &&
    other.affected_entity !== subject &&
    other.transactions.length === 0 &&
    !other.shows_more
  );
}

const neverPosted: KindName = 'missing_in_ledger';

/** What was posted for one of them since a run found it may be meant for both. */
async function assertStillNeverPosted(site: Site, others: readonly Other[]): Promise<void> {
  const subjects = others.map(({ affected_entity: subject }) => subjectOf(subject));
  for (const type of new Set(subjects.map((subject) => subject.type))) {
    const ids = subjects.flatMap(({ type: own, id }) => (own === type && id !== undefined ? [id] : []));
    const posted = (await site.naming(type, ids)).find(({ status }) => status !== 'failed');
    if (posted !== undefined)
      throw new Refusal(
        `Transaction ${posted.id} names ${type} ${posted.record_id}, which a run found missing, and may be meant for both.`,
        posted.status === 'pending'
          ? 'The host has to complete it, or to fail it, first.'
          : 'Let recon look again first: `recon run`',
      );
  }
}

/**
 * Whether that one, too, has to wait for the one that is to be corrected: its own correction, or a custodian's difference,
 * of which the other exceptions are the likely cause. A link moves no money and waits for nothing of an account.
 */
function blocksBack(other: Other): boolean {
  const correction = correctionOf(other.kind, other.check_type);
  return isOfCustodian(other) || (correction !== undefined && correction.name !== 'link_job');
}

/** Whoever is refused is sent on only to what can be put right before this. */
function refusalFor(other: Other): Refusal {
  const { id, affected_entity: subject, accepted } = other;
  const touches = `Another exception touches it: ${id.slice(0, 8)}, ${subject ?? 'without a subject'}.`;
  if (accepted)
    return new Refusal(
      `${touches} That one is accepted, which does not make it right.`,
      'As long as it stands recon corrects nothing that it touches: put this one right by hand.',
    );
  if (blocksBack(other))
    return new Refusal(
      `${touches} Each blocks the other.`,
      'Put one of them right by hand: recon corrects neither while both stand.',
    );
  return new Refusal(touches, `Put that one right first: \`recon exceptions show ${id.slice(0, 8)}\``);
}

function isDirect(
  { affected_entity: subject, user_id: user, transactions, accounts }: Other,
  touches: Plan['touches'],
): boolean {
  return (
    (subject !== null && touches.subjects.includes(subject)) ||
    (user !== null && touches.users.includes(user)) ||
    touches.transactions.some((id) => transactions.includes(id)) ||
    touches.accounts.some((id) => accounts.includes(id))
  );
}

/** Also those that are snoozed or accepted: they are wrong all the same. */
async function readOthers({ transaction, schema, site, exception }: Question): Promise<Other[]> {
  const rows = await transaction<Other[]>`
    select
      other.id, other.check_type, other.kind, other.affected_entity, other.affected_user_id as user_id,
      coalesce(other.accepted_until > ${site.asOf}, false) as accepted, other.metadata ? 'also' as shows_more,
      array(
        select named.id
        from jsonb_array_elements_text(${listIn(transaction, 'transactions')} || ${listIn(transaction, 'reversals')}) as named (id)
        where named.id ~ ${uuidPattern}
      ) || array(
        select split_part(other.affected_entity, ':', 2) where other.affected_entity ~ ${`^transaction:${uuidPattern.slice(1)}`}
      ) as transactions,
      array(
        select named.id
        from jsonb_array_elements_text(
          ${listIn(transaction, 'accounts')} || coalesce(other.metadata -> 'account_id', '[]'::jsonb)
        ) as named (id)
      ) as accounts
    from ${transaction(`${schema}.reconciliation_exceptions`)} as other
    where other.resolved_at is null and other.id <> ${exception.id}
    order by other.fingerprint
  `;
  return [...rows];
}

const uuidPattern = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';

function listIn(transaction: Transaction, name: string) {
  return transaction`
    case jsonb_typeof(other.metadata -> ${name}::text) when 'array' then other.metadata -> ${name}::text else '[]'::jsonb end
  `;
}

/** `transaction:<id>` and `custodian:<name>` of those others that touch one of the accounts. */
async function subjectsTouching({ site, plan }: Question, others: readonly Other[]): Promise<Set<string>> {
  if (plan.touches.accounts.length === 0 || others.length === 0) return new Set();
  const rows = await site.ask<{ subject: string }>(
    'touched.sql',
    ['ledger_accounts', 'ledger_entries', 'custody_positions'],
    { accounts: [...plan.touches.accounts], transactions: others.flatMap(({ transactions }) => transactions) },
  );
  return new Set(rows.map(({ subject }) => subject));
}
