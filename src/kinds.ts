/**
 * Every kind of finding, in order of rank: where one subject shows several, the one that stands first is reported and
 * the others go into its metadata. Checks, help, demo, oracle and documentation follow this table.
 */
export type Severity = 'low' | 'medium' | 'high' | 'critical';

export const severities: readonly Severity[] = ['low', 'medium', 'high', 'critical'];

/** This severity and those above it. */
export function severitiesFrom(lowest: Severity): readonly Severity[] {
  return severities.slice(severities.indexOf(lowest));
}

/** To count by severity, from nothing on. */
export function noneBySeverity(): Record<Severity, number> {
  return { low: 0, medium: 0, high: 0, critical: 0 };
}

export type SubjectType = 'transaction' | 'account' | 'record' | 'custodian';

export interface Kind {
  readonly name: string;
  /** What the finding is about. A transaction's finding may fall back to an entry, a record is named by its table. */
  readonly of: SubjectType;
  /** What `expected_value` and `actual_value` hold; null where such a value does not exist (then it is NULL, never 0). */
  readonly expected: string | null;
  readonly actual: string | null;
  /** `count`: expected and actual are numbers of things, not money, and say nothing about severity. */
  readonly unit: 'money' | 'count';
  /** The severity is never lower than this … */
  readonly floor: Severity;
  /** … nor higher than this. */
  readonly ceiling: Severity;
  /** One sentence for the screen, after the subject. */
  readonly meaning: string;
  /** What the person on call does next. */
  readonly remedy: string;
}

/** What is found for as long as its rows are there, and rows of a ledger stay: it is over when somebody accepts it. */
const stays = 'The entries themselves stay, and every run finds them: accept the exception then.';
/** The same where it depends on the host whether that changes the very thing that is found. */
const mayStay = 'What that leaves as it is every run finds: accept the exception then.';

const standard = { expected: null, actual: null, unit: 'money', ceiling: 'critical' } as const;

export const kinds = [
  {
    ...standard,
    name: 'orphaned_entry',
    of: 'transaction',
    expected: 'amount of the entries',
    floor: 'high',
    meaning: 'has entries that belong to no transaction or to no account',
    remedy: 'Find who deleted the transaction or the account; restore it from a backup.',
  },
  {
    ...standard,
    name: 'invalid_amount',
    of: 'transaction',
    floor: 'critical',
    meaning: 'has an entry that cannot be added up: its amount, type, currency or one of its keys is invalid',
    remedy: `Stop the writer; a constraint of the ledger is missing. Make up for the entry by compensating entries. ${stays}`,
  },
  {
    ...standard,
    name: 'empty_transaction',
    of: 'transaction',
    floor: 'high',
    meaning: 'is completed, but has no entries',
    remedy: 'Look for a crash between header and entries at that time; post the entries or void the transaction.',
  },
  {
    ...standard,
    name: 'one_sided_transaction',
    of: 'transaction',
    expected: 'debits',
    actual: 'credits',
    floor: 'high',
    meaning: 'has no debit or no credit',
    remedy: `Find the missing leg and post it. ${mayStay}`,
  },
  {
    ...standard,
    name: 'currency_mismatch',
    of: 'transaction',
    floor: 'high',
    meaning: 'has an entry in another currency than its account',
    remedy: `Reverse the transaction and post it to the account of the right currency. ${stays}`,
  },
  {
    ...standard,
    name: 'unbalanced_transaction',
    of: 'transaction',
    expected: 'debits',
    actual: 'credits',
    floor: 'high',
    meaning: 'has debits that differ from its credits',
    remedy: `Compare the entries with the record that it books; post the difference. ${mayStay}`,
  },
  {
    ...standard,
    name: 'wrong_entry_count',
    of: 'transaction',
    expected: 'two entries',
    actual: 'number of entries',
    unit: 'count',
    floor: 'high',
    meaning: 'does not have exactly two entries',
    remedy: `If three legs are legal here, set RECONCILIATION_ENTRIES_PER_TRANSACTION=any; if not, post what is missing or reverse it and post it anew. ${mayStay}`,
  },
  {
    ...standard,
    name: 'broken_reversal',
    of: 'transaction',
    expected: 'amount of the original',
    actual: 'amount reversed',
    floor: 'high',
    meaning: 'and its reversal do not cancel out exactly once',
    remedy: 'Compare original and reversal entry by entry; post the missing mirror or undo the second one.',
  },
  {
    ...standard,
    name: 'posted_while_unposted',
    of: 'transaction',
    expected: 'zero',
    actual: 'amount of the entries',
    floor: 'medium',
    meaning: 'has entries, although it failed or never left pending',
    remedy: 'Decide whether the money moved: complete the transaction, or reverse its entries and mark it reversed.',
  },
  {
    ...standard,
    name: 'zero_amount',
    of: 'transaction',
    floor: 'low',
    meaning: 'moves nothing: all its amounts are zero',
    remedy: `Harmless by itself; look for a caller that rounds an amount away. ${stays}`,
  },
  {
    ...standard,
    name: 'balance_drift',
    of: 'account',
    expected: 'opening balance and entries',
    actual: 'stored balance',
    floor: 'low',
    meaning: 'stores a balance that its entries do not add up to',
    remedy: 'Trust the entries; set the balance to their sum once no other exception touches the account.',
  },
  {
    ...standard,
    name: 'negative_balance',
    of: 'account',
    expected: 'zero',
    actual: 'stored balance',
    floor: 'high',
    meaning: 'of a user is below zero',
    remedy: 'Look for a withdrawal or an investment that was booked without the money for it.',
  },
  {
    ...standard,
    name: 'duplicate_account',
    of: 'account',
    expected: 'one account',
    actual: 'number of accounts',
    unit: 'count',
    floor: 'medium',
    meaning: 'is not the only one of its id, or of its user and type',
    remedy: `Move the balance to one of them by a transaction, then close the other. ${mayStay}`,
  },
  {
    ...standard,
    name: 'unknown_status',
    of: 'record',
    floor: 'medium',
    meaning: 'has a status that the source mapping does not know',
    remedy:
      'Say in deposits.sql, conversion_jobs.sql or withdrawals.sql of your mapping (RECONCILIATION_SOURCE; one that ships with recon is copied first) whether this status is pending, settled or failed.',
  },
  {
    ...standard,
    name: 'invalid_record',
    of: 'record',
    floor: 'medium',
    meaning: 'has an amount that is missing, zero, negative or not a number, or an id that is not unique',
    remedy: 'Correct the record from the provider’s own data.',
  },
  {
    ...standard,
    name: 'duplicate_posting',
    of: 'record',
    expected: 'amount of the record',
    actual: 'sum of its postings',
    floor: 'high',
    meaning: 'is posted more than once',
    remedy: 'Reverse the surplus transaction; its idempotency key tells why it was not refused.',
  },
  {
    ...standard,
    name: 'wrong_account',
    of: 'record',
    floor: 'high',
    meaning: 'is posted to another user or in another currency',
    remedy: 'Reverse the transaction and post it to the right account before the other user spends it.',
  },
  {
    ...standard,
    name: 'posted_for_failed',
    of: 'record',
    expected: 'zero',
    actual: 'amount posted',
    floor: 'high',
    meaning: 'failed, but its posting stands',
    remedy: 'Ask the provider what happened to the money; reverse the posting if it never moved.',
  },
  {
    ...standard,
    name: 'reversed_for_settled',
    of: 'record',
    expected: 'amount of the record',
    actual: 'zero',
    floor: 'high',
    meaning: 'is settled, but its posting was reversed',
    remedy: 'Find out who reversed it and why; post it again or mark the record failed.',
  },
  {
    ...standard,
    name: 'missing_in_ledger',
    of: 'record',
    expected: 'amount of the record',
    actual: 'zero',
    floor: 'low',
    meaning: 'is settled, but was never posted',
    remedy: 'Confirm it with the provider, then post it.',
  },
  {
    ...standard,
    name: 'amount_mismatch',
    of: 'record',
    expected: 'amount of the record',
    actual: 'amount posted',
    floor: 'low',
    meaning: 'is posted with another amount',
    remedy: 'Compare with the provider’s amount (a fee, a rounding, swapped digits); post the difference.',
  },
  {
    ...standard,
    name: 'unlinked',
    of: 'record',
    floor: 'low',
    meaning: 'and its ledger transaction do not name each other',
    remedy: 'Set ledger_transaction_id to the transaction that names the job.',
  },
  {
    ...standard,
    name: 'stuck',
    of: 'record',
    floor: 'low',
    ceiling: 'medium',
    meaning: 'has not become final within its deadline',
    remedy: 'Ask the provider for its state and finish or fail it.',
  },
  {
    ...standard,
    name: 'missing_in_source',
    of: 'transaction',
    expected: 'zero',
    actual: 'amount posted',
    floor: 'medium',
    meaning: 'books a record that does not exist',
    remedy: 'Look for the record in backups and at the provider; reverse the posting if there never was one.',
  },
  {
    ...standard,
    name: 'balance_mismatch',
    of: 'custodian',
    expected: 'what the books say',
    actual: 'what the custodian holds',
    floor: 'low',
    meaning: 'holds another amount than the books say',
    remedy: 'Start with the other exceptions of this run; then compare wallets and accounts with custody_accounts.',
  },
] as const satisfies readonly Kind[];

export type KindName = (typeof kinds)[number]['name'];

/** Position in the table: the lower rank is reported. */
export function rankOf(name: KindName): number {
  return kinds.findIndex((kind) => kind.name === name);
}

/** What the table says of a kind; undefined for one that it does not know, such as another version of recon may have found. */
export function kindOf(name: string): (Kind & { name: KindName }) | undefined {
  return kinds.find((kind) => kind.name === name);
}

/** Throws on a name that is not in the table: a check's SQL and this file disagree, which is a bug. */
export function kindNamed(name: string): Kind & { name: KindName } {
  const kind = kindOf(name);
  if (kind === undefined) throw new Error(`A check reported the kind "${name}", which src/kinds.ts does not know.`);
  return kind;
}
