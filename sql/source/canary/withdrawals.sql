-- The withdrawals of the canary.
select
  lpad(withdrawal.id::text, 32, '0')::uuid as id,
  lpad(withdrawal.user_id::text, 32, '0')::uuid as user_id,
  withdrawal.amount,
  null::text as currency,
  withdrawal.state,
  withdrawal.state as status,
  withdrawal.at as settled_at,
  withdrawal.at as created_at,
  null::timestamptz as updated_at
from (
  values
    (401, 1, 30::numeric, 'settled', timestamptz '2001-01-01 00:00:00Z'),
    (402, 1, 31, 'pending', timestamptz '2000-12-31 00:00:00Z'), -- within its deadline, which is longer
    (414, 1, 14, 'settled', timestamptz '2001-01-01 00:00:00Z'), -- wrong_account
    (417, 1, 22, 'settled', timestamptz '2001-01-01 00:00:00Z'), -- missing_in_ledger
    (418, 1, 18, 'settled', timestamptz '2001-01-01 00:00:00Z'), -- amount_mismatch
    (419, 1, 19, 'pending', timestamptz '2000-12-01 00:00:00Z'), -- stuck
    (420, 2, 14, 'settled', timestamptz '2001-01-01 00:00:00Z'), -- wrong_account: 414 and this one stand on each other's
    (421, 1, 17, 'settled', timestamptz '2001-01-01 00:00:00Z') -- amount_mismatch: 418 and this one have each other's
) as withdrawal (id, user_id, amount, state, at)
