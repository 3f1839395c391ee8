import type { Plan } from './correction.ts';
import type { StoredException } from '../exceptions/exception.ts';
import type { Transaction } from '../database/database.ts';
import { Refusal } from './refusal.ts';
import type { Site } from './site.ts';

interface Other {
  id: string;
  subject: string | null;
  user_id: string | null;
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
 * show itself in both, and the right answer to one need not be right for the other.
 */
export async function assertNothingElseTouches(question: Question): Promise<void> {
  const others = await readOthers(question);
  const { touches } = question.plan;
  const direct = others.find((other) => isDirect(other, touches));
  if (direct !== undefined) throw refusalFor(direct);
  const touching = await subjectsTouching(question, others);
  const indirect = others.find(({ subject, transactions }) =>
    [subject, ...transactions.map((id) => `transaction:${id}`)].some((one) => one !== null && touching.has(one)),
  );
  if (indirect !== undefined) throw refusalFor(indirect);
}

function refusalFor({ id, subject }: Other): Refusal {
  return new Refusal(
    `Another exception touches it: ${id.slice(0, 8)}, ${subject ?? 'without a subject'}.`,
    `Put that one right first: \`recon exceptions show ${id.slice(0, 8)}\``,
  );
}

function isDirect({ subject, user_id: user, transactions, accounts }: Other, touches: Plan['touches']): boolean {
  return (
    (subject !== null && touches.subjects.includes(subject)) ||
    (user !== null && touches.users.includes(user)) ||
    touches.transactions.some((id) => transactions.includes(id)) ||
    touches.accounts.some((id) => accounts.includes(id))
  );
}

/** Also those that are snoozed or accepted: they are wrong all the same. */
async function readOthers({ transaction, schema, exception }: Question): Promise<Other[]> {
  const rows = await transaction<Other[]>`
    select
      other.id, other.affected_entity as subject, other.affected_user_id as user_id,
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
