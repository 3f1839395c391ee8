-- What each check must find in the canary, and nothing else: at least one fault of every kind that a query can find.
-- What the sums of a proof have to show, they are asked question by question, with the faults of all other questions
-- known; the last column is the search that has to follow. The faults of one question do not help each other: they are
-- searched for in different ways, or cancel each other out unless the sums weigh what the remark says.
select
  planted.check_type,
  planted.kind,
  planted.subject_type || ':' || lpad(planted.subject_id::text, 32, '0')::uuid as subject,
  planted.severity,
  planted.expected_value::text as expected,
  planted.actual_value::text as actual,
  planted.currency,
  lpad(planted.user_id::text, 32, '0')::uuid as "affectedUserId",
  planted.question,
  planted.search
from (
  values
    ('ledger_consistency', 'orphaned_entry', 'transaction', 211, 'high', 3::numeric, null::numeric, 'USDC', null::integer, 1, 'suspicious'), -- no transaction
    ('ledger_consistency', 'invalid_amount', 'transaction', 212, 'critical', null, null, 'USDC', 1, 2, 'suspicious'), -- amount below zero
    ('ledger_consistency', 'empty_transaction', 'transaction', 213, 'high', null, null, null, 1, 1, 'empty'), -- presence
    ('ledger_consistency', 'one_sided_transaction', 'transaction', 214, 'high', 4, 0, 'USDC', 1, 2, 'unbalanced'), -- one side
    ('ledger_consistency', 'currency_mismatch', 'transaction', 215, 'high', null, null, 'USD', 1, 3, 'suspicious'), -- currency
    ('ledger_consistency', 'unbalanced_transaction', 'transaction', 216, 'high', 8, 7, 'USDC', 1, 1, 'unbalanced'), -- transaction
    ('ledger_consistency', 'wrong_entry_count', 'transaction', 217, 'high', 2, 4, null, 1, 1, 'wrongCount'), -- presence
    ('ledger_consistency', 'broken_reversal', 'transaction', 218, 'high', 9, 0, 'USDC', 1, null, null),
    ('ledger_consistency', 'posted_while_unposted', 'transaction', 219, 'medium', 0, 17, 'USDC', 1, 4, 'suspicious'), -- status
    ('ledger_consistency', 'zero_amount', 'transaction', 220, 'low', null, null, 'USDC', 1, 1, 'zero'), -- zero
    ('ledger_consistency', 'unbalanced_transaction', 'transaction', 223, 'high', 7, 8, 'USDC', 1, 1, 'unbalanced'), -- transaction
    ('ledger_consistency', 'unbalanced_transaction', 'transaction', 225, 'high', 5, 6, null, 1, 3, 'unbalanced'), -- across currencies
    ('ledger_consistency', 'one_sided_transaction', 'transaction', 253, 'high', 9, 0, 'USD', null, 1, 'jobs'), -- conversion of a job
    ('ledger_consistency', 'balance_drift', 'account', 111, 'low', 40, 40.01, 'USDC', 3, 1, 'drifted'), -- account
    ('ledger_consistency', 'negative_balance', 'account', 112, 'high', 0, -5, 'USDC', 4, null, null),
    ('ledger_consistency', 'duplicate_account', 'account', 113, 'medium', 1, 2, null, 5, null, null),
    ('ledger_consistency', 'balance_drift', 'account', 115, 'low', 40, 39.99, 'USDC', 6, 1, 'drifted'), -- account
    ('deposits', 'unknown_status', 'deposit', 311, 'medium', null, null, 'USDC', 1, null, null),
    ('deposits', 'invalid_record', 'deposit', 312, 'medium', null, null, 'USDC', 1, null, null),
    ('deposits', 'duplicate_posting', 'deposit', 313, 'high', 13, 26, 'USDC', 1, 6, 'suspects'), -- twice
    ('deposits', 'wrong_account', 'deposit', 314, 'high', null, null, 'USDC', 1, 1, 'suspects'), -- user
    ('deposits', 'posted_for_failed', 'deposit', 315, 'high', 0, 15, 'USDC', 1, 5, 'suspects'), -- state
    ('deposits', 'reversed_for_settled', 'deposit', 316, 'high', 16, 0, 'USDC', 1, null, null),
    ('deposits', 'missing_in_ledger', 'deposit', 317, 'low', 17, 0, 'USDC', 1, 4, 'suspects'), -- status
    ('deposits', 'amount_mismatch', 'deposit', 318, 'low', 18, 17, 'USDC', 1, 2, 'suspects'), -- amount
    ('deposits', 'stuck', 'deposit', 319, 'medium', null, null, 'USDC', 1, null, null),
    ('deposits', 'wrong_account', 'deposit', 320, 'high', null, null, 'USDC', 2, 1, 'suspects'), -- user
    ('deposits', 'amount_mismatch', 'deposit', 321, 'low', 17, 18, 'USDC', 1, 2, 'suspects'), -- amount
    ('deposits', 'wrong_account', 'deposit', 322, 'high', null, null, 'USDC', 1, 3, 'suspects'), -- currency
    ('deposits', 'missing_in_source', 'transaction', 238, 'medium', 0, 19, 'USDC', 1, 7, 'suspects'), -- no record
    ('deposits', 'missing_in_source', 'transaction', 239, 'critical', 0, 24, 'USDC', 1, null, null),
    ('withdrawals', 'wrong_account', 'withdrawal', 414, 'high', null, null, 'USDC', 1, 1, 'suspects'), -- user
    ('withdrawals', 'missing_in_ledger', 'withdrawal', 417, 'high', 22, 0, null, 1, 3, 'suspects'), -- no posting
    ('withdrawals', 'amount_mismatch', 'withdrawal', 418, 'low', 18, 17, 'USDC', 1, 2, 'suspects'), -- amount
    ('withdrawals', 'stuck', 'withdrawal', 419, 'medium', null, null, null, 1, null, null),
    ('withdrawals', 'wrong_account', 'withdrawal', 420, 'high', null, null, 'USDC', 2, 1, 'suspects'), -- user
    ('withdrawals', 'amount_mismatch', 'withdrawal', 421, 'low', 17, 18, 'USDC', 1, 2, 'suspects'), -- amount
    ('withdrawals', 'missing_in_source', 'transaction', 248, 'medium', 0, 19, 'USDC', 1, 4, 'suspects'), -- no record
    ('conversion_jobs', 'unlinked', 'conversion_job', 511, 'low', null, null, 'USDC', null, null, null),
    ('conversion_jobs', 'amount_mismatch', 'conversion_job', 512, 'low', 23, 22, 'USD', null, 1, 'suspects'), -- destination
    ('conversion_jobs', 'missing_in_ledger', 'conversion_job', 513, 'critical', 24, 0, 'USDC', null, null, null),
    ('conversion_jobs', 'stuck', 'conversion_job', 514, 'medium', null, null, 'USDC', null, null, null),
    ('conversion_jobs', 'amount_mismatch', 'conversion_job', 515, 'low', 9, 0, 'USDC', null, 2, 'suspects'), -- source
    ('conversion_jobs', 'amount_mismatch', 'conversion_job', 516, 'low', 21, 22, 'USD', null, 1, 'suspects') -- destination
) as planted (check_type, kind, subject_type, subject_id, severity, expected_value, actual_value, currency, user_id, question, search)
order by planted.check_type, planted.kind, planted.subject_id
