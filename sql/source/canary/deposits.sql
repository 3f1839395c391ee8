-- The deposits of the canary.
select
  lpad(deposit.id::text, 32, '0')::uuid as id,
  lpad(deposit.user_id::text, 32, '0')::uuid as user_id,
  deposit.amount,
  'USDC' as currency,
  deposit.state,
  deposit.state as status,
  deposit.at as settled_at,
  deposit.at as created_at,
  null::timestamptz as updated_at
from (
  values
    (301, 1, 100::numeric, 'settled', timestamptz '2001-01-01 00:00:00Z'),
    (302, 1, 50, 'failed', timestamptz '2001-01-01 00:00:00Z'), -- was posted, and that was reversed
    (303, 1, 60, 'settled', timestamptz '2001-01-02 11:59:00Z'), -- expected: in its grace period
    (304, 2, 25, 'pending', timestamptz '2001-01-02 11:00:00Z'), -- in flight: posted, not final yet
    (311, 1, 12, 'unknown', timestamptz '2001-01-01 00:00:00Z'), -- unknown_status
    (312, 1, 0, 'settled', timestamptz '2001-01-01 00:00:00Z'), -- invalid_record
    (313, 1, 13, 'settled', timestamptz '2001-01-01 00:00:00Z'), -- duplicate_posting
    (314, 1, 14, 'settled', timestamptz '2001-01-01 00:00:00Z'), -- wrong_account
    (315, 1, 15, 'failed', timestamptz '2001-01-01 00:00:00Z'), -- posted_for_failed
    (316, 1, 16, 'settled', timestamptz '2001-01-01 00:00:00Z'), -- reversed_for_settled
    (317, 1, 17, 'settled', timestamptz '2001-01-01 00:00:00Z'), -- missing_in_ledger: its posting failed
    (318, 1, 18, 'settled', timestamptz '2001-01-01 00:00:00Z'), -- amount_mismatch
    (319, 1, 19, 'pending', timestamptz '2001-01-01 00:00:00Z'), -- stuck
    (320, 2, 14, 'settled', timestamptz '2001-01-01 00:00:00Z'), -- wrong_account: 314 and this one stand on each other's
    (321, 1, 17, 'settled', timestamptz '2001-01-01 00:00:00Z'), -- amount_mismatch: 318 and this one have each other's
    (322, 1, 23, 'settled', timestamptz '2001-01-01 00:00:00Z') -- wrong_account: posted in USD
) as deposit (id, user_id, amount, state, at)
