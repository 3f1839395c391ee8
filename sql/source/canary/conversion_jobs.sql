-- The conversion jobs of the canary.
select
  lpad(job.id::text, 32, '0')::uuid as id,
  'usdc_to_usd' as direction,
  job.source_amount,
  'USDC' as source_currency,
  job.destination_amount,
  'USD' as destination_currency,
  null::numeric as rate,
  null::numeric as fees,
  lpad(job.ledger_transaction_id::text, 32, '0')::uuid as ledger_transaction_id,
  job.state,
  job.state as status,
  job.at as settled_at,
  job.at as created_at,
  null::timestamptz as updated_at
from (
  values
    (501, 1000::numeric, 999.5, 204, 'settled', timestamptz '2001-01-01 00:00:00Z'),
    (511, 21, 21, null, 'settled', timestamptz '2001-01-01 00:00:00Z'), -- unlinked: 251 names it
    (512, 22, 23, 252, 'settled', timestamptz '2001-01-01 00:00:00Z'), -- amount_mismatch
    (513, 24, 24, null, 'settled', timestamptz '2001-01-01 00:00:00Z'), -- missing_in_ledger
    (514, 25, 25, null, 'pending', timestamptz '2001-01-01 00:00:00Z'), -- stuck
    (515, 9, 9, 253, 'settled', timestamptz '2001-01-01 00:00:00Z'), -- amount_mismatch of its source
    (516, 22, 21, 254, 'settled', timestamptz '2001-01-01 00:00:00Z') -- amount_mismatch: 512 and this one make it good
) as job (id, source_amount, destination_amount, ledger_transaction_id, state, at)
