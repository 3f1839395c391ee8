import { subjectOf } from '../exceptions/exception.ts';
import { money } from '../money.ts';
import type { Correction } from './correction.ts';
import { planPosting, postedRecords } from './posting.ts';
import { Refusal } from './refusal.ts';

/**
 * One completed transaction books the record, on the accounts on which the host books such records, and with less than
 * the record says. A second pair of entries on the same accounts, for the same record, makes up for the rest: a record
 * booked in parts that add up is in order. What was posted in excess cannot be adjusted so: it has to be reversed.
 */
export const adjustAmount: Correction = {
  name: 'adjust_amount',
  kind: 'amount_mismatch',
  by: 'people',
  meaning: 'posts what is missing of the record',
  tables: postedRecords,
  plan: async (site, { subject, expected, actual, difference }) => {
    const { type, id = '' } = subjectOf(subject);
    const amount = money(difference ?? 'NaN').negated();
    if (!amount.isFinite()) throw new Refusal('The difference is not a number.');
    if (amount.isNegative())
      throw new Refusal('More was posted than the record says: that is reversed and posted again, not adjusted.');
    const [only, ...others] = (await site.naming(type, [id])).filter(({ status }) => status !== 'failed');
    if (only === undefined || others.length > 0 || only.status !== 'completed')
      throw new Refusal(`The ${type} is not booked by one completed transaction.`);
    const entries = await site.entriesDue(type, id);
    const due = entries.map(({ account_id: account }) => account).sort();
    if (due.join() !== only.accounts.join())
      throw new Refusal(`Transaction ${only.id} books the ${type} on other accounts than the host's own.`);
    return planPosting(
      site,
      {
        subject,
        amount,
        idempotencyKey: `recon-adjust-${type}-${id}`,
        action: `${type} ${id} adjusted from ${actual ?? ''} to ${expected ?? ''}`,
      },
      entries,
    );
  },
};
