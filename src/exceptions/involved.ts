import type { Config } from '../config.ts';
import { everything, paramsOf, whyIncomplete } from '../run/cut.ts';
import { inTransaction, lockedIn, query, type Transaction } from '../database/database.ts';
import { isTimeout } from '../database/problem.ts';
import { OperatorError } from '../operator-error.ts';
import { withDatabases } from '../run/source-database.ts';
import { bind, compose, openSource, type Params, type Relation, type Source, type Statement } from '../source.ts';
import { subjectOf } from './exception.ts';

/** The records, postings, entries and accounts of the host that belong to an exception, as they are now. */
export interface Involved {
  records: InvolvedRecord[];
  /** Of the record that the exception is about. */
  postings: InvolvedPosting[];
  /** Of the transactions that book it, reverse it or are meant by it; of an account the newest. */
  entries: InvolvedEntry[];
  accounts: InvolvedAccount[];
  /** Why they could not be read; null: they were. */
  unreadable: string | null;
}

/** A deposit, a withdrawal or a conversion job. Amounts are exact decimal text, times RFC 3339 in UTC. */
export interface InvolvedRecord {
  record_kind: string;
  id: string;
  user_id: string | null;
  amount: string | null;
  currency: string | null;
  destination_amount: string | null;
  destination_currency: string | null;
  fees: string | null;
  ledger_transaction_id: string | null;
  state: string;
  status: string | null;
  created_at: string | null;
  settled_at: string | null;
}

/** What one entry books for the record; negative where it takes something back. */
export interface InvolvedPosting {
  entry_id: string | null;
  transaction_id: string;
  leg: string;
  user_id: string | null;
  account_type: string | null;
  currency: string | null;
  amount: string | null;
  status: string | null;
  posted_at: string | null;
}

/** An entry beside the header of its transaction; either may be missing. */
export interface InvolvedEntry {
  transaction_id: string | null;
  transaction_type: string | null;
  status: string | null;
  record_kind: string | null;
  reference_type: string | null;
  reference_id: string | null;
  created_at: string | null;
  entry_id: string | null;
  entry_type: string | null;
  amount: string | null;
  currency: string | null;
  account_id: string | null;
  account_type: string | null;
  user_id: string | null;
}

export interface InvolvedAccount {
  id: string;
  user_id: string | null;
  account_type: string | null;
  currency: string | null;
  balance: string | null;
  opening_balance: string | null;
  normal_side: string | null;
}

const recordRelations: readonly Relation[] = ['deposits', 'withdrawals', 'conversion_jobs'];
const ledger: readonly Relation[] = ['ledger_accounts', 'ledger_transactions', 'ledger_entries'];

/** What is asked about a subject, by the name under which `recon exceptions show ID --sql` prints it. */
export const stories = {
  records: { relations: recordRelations, layers: [], file: 'stories/records.sql' },
  postings: {
    relations: [...ledger, 'record_legs'],
    layers: [{ name: 'postings', file: 'postings.sql' }],
    file: 'stories/postings.sql',
  },
  entries: { relations: ledger, layers: [], file: 'stories/entries.sql' },
  account_entries: { relations: ledger, layers: [], file: 'stories/account.entries.sql' },
  accounts: { relations: ['ledger_accounts'], layers: [], file: 'stories/accounts.sql' },
} as const satisfies Record<string, Statement>;

/** No statement of them returns more rows. */
export const involvedMax = 100;

type Story = keyof typeof stories;

/** Which statements tell about a subject, and with which parameters. `waiting`: records that were not final at last. */
export function questionsOf(
  affectedEntity: string | null,
  waiting: readonly string[] = [],
): { asked: readonly Story[]; about: Partial<Params> } {
  const { type, id } = subjectOf(affectedEntity);
  if (type === 'custodian') return { asked: ['records'], about: { records: [...waiting] } };
  if (id === undefined) return { asked: [], about: {} };
  if (type === 'transaction') return { asked: ['entries'], about: { transactions: [id] } };
  if (type === 'account') return { asked: ['accounts', 'account_entries'], about: { accounts: [id] } };
  if (type === 'entry') return { asked: [], about: {} };
  return { asked: ['records', 'postings', 'entries'], about: { record_kind: type, records: [id] } };
}

const nothing: Involved = { records: [], postings: [], entries: [], accounts: [], unreadable: null };

/** A person waits: a host without the indexes of the README must not keep the rest of the story from the screen. */
const patience = '10s';

/** Reads what belongs to an exception. Never throws for what the host's tables or the mapping refuse: it says why. */
export async function readInvolved(
  config: Config,
  questions: ReturnType<typeof questionsOf>,
  asOf: string,
): Promise<Involved> {
  if (questions.asked.length === 0) return nothing;
  try {
    const source = openSource(config.source);
    const params = { ...paramsOf(config, everything, asOf), ...questions.about };
    return await withDatabases(config, undefined, (databases) =>
      inTransaction(databases.source, 'isolation level repeatable read, read only', async (transaction) => {
        await transaction`select set_config('statement_timeout', ${patience}, true)`;
        return read(transaction, source, questions.asked, params);
      }).catch(async (error: unknown) => {
        throw isTimeout(error) ? whyIncomplete(error, await lockedIn(databases.source, error)) : error;
      }),
    );
  } catch (error) {
    const reason = error instanceof OperatorError ? error : whyIncomplete(error);
    if (reason === undefined) throw error;
    return { ...nothing, unreadable: reason.message };
  }
}

async function read(
  transaction: Transaction,
  source: Source,
  asked: readonly Story[],
  params: Params,
): Promise<Involved> {
  const ask = <Row extends object>(story: Story, about = params) =>
    query<Row>(transaction, compose(source, stories[story]), bind(about));
  const askIf = <Row extends object>(story: Story) => (asked.includes(story) ? ask<Row>(story) : []);
  const entries = [...(await askIf<InvolvedEntry>('entries')), ...(await askIf<InvolvedEntry>('account_entries'))];
  const named = entries.filter(({ record_kind: kind }) => kind !== null).map(({ reference_id: id }) => id);
  const records = params.records ?? [...new Set(named.filter((id) => id !== null))];
  return {
    records: asked.includes('accounts') ? [] : await ask<InvolvedRecord>('records', { ...params, records }),
    postings: await askIf<InvolvedPosting>('postings'),
    entries,
    accounts: await askIf<InvolvedAccount>('accounts'),
    unreadable: null,
  };
}
