import { subjectOf } from '../exceptions/exception.ts';
import { zero } from '../money.ts';
import type { Correction } from './correction.ts';
import { Refusal } from './refusal.ts';
import type { Site } from './site.ts';

/**
 * The transaction names the job, and both legs agree with it to the last digit, or the check would report another kind.
 * No other transaction names the job, in whatever state; the job names none, and no other job names the transaction. So
 * there is one answer, and writing it moves no money.
 */
export const linkJob: Correction = {
  name: 'link_job',
  kind: 'unlinked',
  by: 'machine',
  meaning: 'links the job to the one transaction that names it',
  tables: { conversion_jobs: 'conversion_jobs' },
  plan: async (site, { subject, metadata }) => {
    const { id = '' } = subjectOf(subject);
    if (metadata['ledger_transaction_id'] !== undefined)
      throw new Refusal('The job names another transaction: a person has to say which is right.');
    const transaction = await theOneThatNames(site, id);
    return {
      amount: zero,
      currency: null,
      action: `conversion job ${id} linked to transaction ${transaction}, the one that names it`,
      rows: [
        {
          table: 'conversion_jobs',
          id,
          before: { ledger_transaction_id: null },
          after: { ledger_transaction_id: transaction },
        },
      ],
      touches: {
        subjects: [subject, `transaction:${transaction}`],
        users: [],
        accounts: [],
        transactions: [transaction],
      },
    };
  },
};

async function theOneThatNames(site: Site, job: string): Promise<string> {
  const [only, ...others] = await site.naming('conversion_job', [job]);
  if (only === undefined || others.length > 0)
    throw new Refusal(`${others.length + (only ? 1 : 0)} transactions name the job: one is wanted.`);
  if (only.status !== 'completed' || only.transaction_type === 'reversal')
    throw new Refusal('The transaction that names the job is not a completed posting.');
  if (only.named_by_jobs !== '0') throw new Refusal('Another job names that transaction.');
  return only.id;
}
