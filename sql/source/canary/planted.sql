-- What each check must find in the canary, and nothing else: at least one fault of every kind that a query can find.
select
  planted.check_type,
  planted.kind,
  planted.subject_type || ':' || lpad(planted.subject_id::text, 32, '0')::uuid as subject,
  planted.expected_value::text as expected,
  planted.actual_value::text as actual
from (
  values
    ('ledger_consistency', 'orphaned_entry', 'transaction', 211, 3::numeric, null::numeric),
    ('ledger_consistency', 'invalid_amount', 'transaction', 212, null, null),
    ('ledger_consistency', 'empty_transaction', 'transaction', 213, null, null),
    ('ledger_consistency', 'one_sided_transaction', 'transaction', 214, 4, 0),
    ('ledger_consistency', 'currency_mismatch', 'transaction', 215, null, null),
    ('ledger_consistency', 'unbalanced_transaction', 'transaction', 216, 8, 7),
    ('ledger_consistency', 'wrong_entry_count', 'transaction', 217, 2, 3),
    ('ledger_consistency', 'broken_reversal', 'transaction', 218, 9, 0),
    ('ledger_consistency', 'posted_while_unposted', 'transaction', 219, 0, 11),
    ('ledger_consistency', 'zero_amount', 'transaction', 220, null, null),
    ('ledger_consistency', 'balance_drift', 'account', 111, 40, 40.01),
    ('ledger_consistency', 'negative_balance', 'account', 112, 0, -5),
    ('ledger_consistency', 'duplicate_account', 'account', 113, 1, 2),
    ('deposits', 'unknown_status', 'deposit', 311, null, null),
    ('deposits', 'invalid_record', 'deposit', 312, null, null),
    ('deposits', 'duplicate_posting', 'deposit', 313, 13, 26),
    ('deposits', 'wrong_account', 'deposit', 314, null, null),
    ('deposits', 'posted_for_failed', 'deposit', 315, 0, 15),
    ('deposits', 'reversed_for_settled', 'deposit', 316, 16, 0),
    ('deposits', 'missing_in_ledger', 'deposit', 317, 17, 0),
    ('deposits', 'amount_mismatch', 'deposit', 318, 18, 17),
    ('deposits', 'stuck', 'deposit', 319, null, null),
    ('deposits', 'missing_in_source', 'transaction', 238, 0, 19),
    ('withdrawals', 'wrong_account', 'withdrawal', 414, null, null),
    ('withdrawals', 'missing_in_ledger', 'withdrawal', 417, 17, 0),
    ('withdrawals', 'amount_mismatch', 'withdrawal', 418, 18, 17),
    ('withdrawals', 'stuck', 'withdrawal', 419, null, null),
    ('withdrawals', 'missing_in_source', 'transaction', 248, 0, 19),
    ('conversion_jobs', 'unlinked', 'conversion_job', 511, null, null),
    ('conversion_jobs', 'amount_mismatch', 'conversion_job', 512, 23, 22),
    ('conversion_jobs', 'missing_in_ledger', 'conversion_job', 513, 24, 0),
    ('conversion_jobs', 'stuck', 'conversion_job', 514, null, null)
) as planted (check_type, kind, subject_type, subject_id, expected_value, actual_value)
order by planted.check_type, planted.kind, planted.subject_id
