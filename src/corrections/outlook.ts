import type { CheckName } from '../checks/names.ts';
import type { StoredException } from '../exceptions/exception.ts';
import type { KindName } from '../kinds.ts';
import type { Correction } from './correction.ts';
import { correctionOf } from './index.ts';

/** Who puts right what an exception or a kind says: a run by itself, two people, or nobody; and how, or why not. */
export interface Outlook {
  by: Correction['by'] | 'nobody';
  sentence: string;
}

/** What recon can do about an exception, as far as the exception itself tells. */
export function outlookOf(exception: StoredException): Outlook {
  const correction = correctionOf(exception.kind, exception.check_type);
  if (correction === undefined) return notCorrectable(exception.kind);
  const obstacle = obstacleTo(correction, exception);
  return obstacle === undefined ? correctable(correction) : nobody(obstacle);
}

function obstacleTo({ by }: Correction, { kind, severity, difference, metadata }: StoredException): string | undefined {
  if (by === 'machine' && severity !== 'low') return 'it is not of low severity';
  if (kind === 'amount_mismatch' && difference?.startsWith('-') !== true)
    return 'more was posted than the record says, which is reversed and posted again';
  if (kind === 'unlinked' && metadata['ledger_transaction_id'] !== undefined)
    return `the job names another transaction, and ${whoWasRight}`;
  return undefined;
}

/** What recon can do about a kind that this check finds. */
export function outlookOfKind(kind: KindName, check: CheckName): Outlook {
  const correction = correctionOf(kind, check);
  return correction === undefined ? notCorrectable(kind) : correctable(correction);
}

function correctable({ by, meaning }: Correction): Outlook {
  const who = by === 'machine' ? 'A run (RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY), or two people:' : 'Two people:';
  return { by, sentence: `${who} recon ${meaning}.` };
}

function notCorrectable(kind: string): Outlook {
  const why = (whyNobody as Partial<Record<string, string>>)[kind] ?? 'no check of recon made this exception';
  return nobody(why);
}

function nobody(why: string): Outlook {
  return { by: 'nobody', sentence: `recon does not correct it: ${why}.` };
}

const booksOfJobs = 'which accounts a conversion moves is known to the host only';
const whoWasRight = 'the books do not say which side is right';

/** Why there is no right answer that follows from proven data. */
const whyNobody: Readonly<Record<KindName, string>> = {
  orphaned_entry: 'what was deleted cannot be made up',
  invalid_amount: 'what the entry should say is not in the books',
  empty_transaction: 'what the entries were is not in the books',
  one_sided_transaction: 'the other account is not in the books',
  currency_mismatch: 'whether the entry or the account is wrong is not in the books',
  unbalanced_transaction: 'which of its entries is wrong is not in the books',
  wrong_entry_count: 'which entry is too many or missing is not in the books',
  broken_reversal: 'whether the reversal or the original should stand is a decision',
  posted_while_unposted: 'whether the money moved is known to the host or the provider only',
  zero_amount: 'nothing moved, and entries are never deleted',
  balance_drift: whoWasRight,
  negative_balance: 'the balance may be right: money was spent that was not there',
  duplicate_account: 'which of the accounts is the right one is a decision',
  unknown_status: 'the mapping or the host has to say what the status means',
  invalid_record: 'what the record should say is not in the books',
  duplicate_posting: 'which of the postings should stand is a decision',
  wrong_account: 'money may have been spent from the account that it went to',
  posted_for_failed: 'whether the record failed or the posting is right is known to the provider only',
  reversed_for_settled: 'somebody reversed it on purpose',
  missing_in_ledger: booksOfJobs,
  amount_mismatch: booksOfJobs,
  unlinked: whoWasRight,
  stuck: 'only the provider knows how it ended',
  missing_in_source: 'whether there ever was such a record is known to the provider only',
  balance_mismatch: 'a custodian’s money is never made to fit the books, nor the books to it',
};
