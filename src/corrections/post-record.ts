import { subjectOf } from '../exceptions/exception.ts';
import { money } from '../money.ts';
import type { Correction } from './correction.ts';
import { planPosting, postedRecords } from './posting.ts';
import { Refusal } from './refusal.ts';

/**
 * The record is settled, its grace period is over, and no transaction names it but such as failed. That it is settled
 * is the word of the host's own table, which is why two people must believe it: one who looked at the custodian, and one
 * who looked again.
 */
export const postRecord: Correction = {
  name: 'post_record',
  kind: 'missing_in_ledger',
  by: 'people',
  meaning: 'posts the record as the host would have',
  tables: postedRecords,
  plan: async (site, { subject, expected }) => {
    const { type, id = '' } = subjectOf(subject);
    const named = (await site.naming(type, [id])).filter(({ status }) => status !== 'failed');
    if (named.length > 0) throw new Refusal(`Transaction ${named[0]?.id ?? ''} names the ${type} already.`);
    const amount = money(expected ?? 'NaN');
    if (!amount.isFinite() || !amount.isPositive()) throw new Refusal('The amount of the record cannot be posted.');
    return planPosting(
      site,
      {
        subject,
        amount,
        idempotencyKey: `recon-post-${type}-${id}`,
        action: `${type} ${id} posted in full`,
      },
      await site.entriesDue(type, id),
    );
  },
};
