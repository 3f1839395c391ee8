-- The transactions of the canary: first what is in order and must not be found, then one fault of each kind.
select
  lpad(header.id::text, 32, '0')::uuid as id,
  lpad(header.user_id::text, 32, '0')::uuid as user_id,
  header.transaction_type,
  lpad(header.reference_id::text, 32, '0')::uuid as reference_id,
  header.transaction_type as reference_type,
  header.status,
  header.id::text as idempotency_key,
  header.record_kind,
  header.expects_record,
  header.created_at,
  null::timestamptz as updated_at,
  case header.status when 'completed' then header.created_at end as completed_at
from (
  select listed.*, true as expects_record, timestamptz '2001-01-01 00:00:00Z' as created_at
  from (
    values
      (201, 1, 'deposit', 301, 'deposit', 'completed'),
      (202, 1, 'withdrawal', 401, 'withdrawal', 'completed'),
      (203, 1, 'investment', null, null, 'completed'), -- crosses currencies, one for one
      (204, null, 'conversion', 501, 'conversion_job', 'completed'), -- crosses them at the rate of its job
      (205, 1, 'deposit', 302, 'deposit', 'reversed'),
      (206, 1, 'reversal', 205, null, 'completed'), -- the exact mirror of 205
      (209, 2, 'deposit', 304, 'deposit', 'completed'), -- in flight: its deposit is not final yet
      (210, null, 'internal_transfer', null, null, 'completed'),
      -- 211: orphaned_entry, has entries and no header
      (212, 1, 'internal_transfer', null, null, 'completed'), -- invalid_amount: below zero
      (213, 1, 'internal_transfer', null, null, 'completed'), -- empty_transaction
      (214, 1, 'internal_transfer', null, null, 'completed'), -- one_sided_transaction
      (215, 1, 'internal_transfer', null, null, 'completed'), -- currency_mismatch
      (216, 1, 'internal_transfer', null, null, 'completed'), -- unbalanced_transaction: more debits …
      (217, 1, 'internal_transfer', null, null, 'completed'), -- wrong_entry_count: four
      (218, 1, 'internal_transfer', null, null, 'reversed'), -- broken_reversal: nothing reverses it
      (219, 1, 'deposit', 317, 'deposit', 'failed'), -- posted_while_unposted
      (220, 1, 'internal_transfer', null, null, 'completed'), -- zero_amount
      (221, 3, 'internal_transfer', null, null, 'completed'), -- fills the account that drifted
      (222, 4, 'internal_transfer', null, null, 'completed'), -- empties the account below zero
      (223, 1, 'internal_transfer', null, null, 'completed'), -- unbalanced_transaction: … as many fewer
      (224, 6, 'internal_transfer', null, null, 'completed'), -- fills the other account that drifted
      (225, 1, 'investment', null, null, 'completed'), -- unbalanced_transaction, across currencies
      (226, 5, 'internal_transfer', null, null, 'completed'), -- fills one of the twins
      (231, 1, 'deposit', 313, 'deposit', 'completed'), -- duplicate_posting …
      (232, 1, 'deposit', 313, 'deposit', 'completed'), -- … the second one
      (233, 2, 'deposit', 314, 'deposit', 'completed'), -- wrong_account
      (234, 1, 'deposit', 315, 'deposit', 'completed'), -- posted_for_failed
      (235, 1, 'deposit', 316, 'deposit', 'reversed'), -- reversed_for_settled …
      (236, 1, 'reversal', 235, null, 'completed'), -- … by this one
      (237, 1, 'deposit', 318, 'deposit', 'completed'), -- amount_mismatch
      (238, 1, 'deposit', 399, 'deposit', 'completed'), -- missing_in_source
      (239, 1, 'deposit', null, 'deposit', 'completed'), -- missing_in_source: names no deposit
      (240, 1, 'deposit', 320, 'deposit', 'completed'), -- wrong_account, the other way round
      (241, 1, 'deposit', 321, 'deposit', 'completed'), -- amount_mismatch, as much too much
      (242, 1, 'deposit', 322, 'deposit', 'completed'), -- wrong_account: of another currency
      (243, 2, 'withdrawal', 414, 'withdrawal', 'completed'), -- wrong_account
      (247, 1, 'withdrawal', 418, 'withdrawal', 'completed'), -- amount_mismatch
      (248, 1, 'withdrawal', 499, 'withdrawal', 'completed'), -- missing_in_source
      (249, 1, 'withdrawal', 420, 'withdrawal', 'completed'), -- wrong_account, the other way round
      (250, 1, 'withdrawal', 421, 'withdrawal', 'completed'), -- amount_mismatch, as much too much
      (251, null, 'conversion', 511, 'conversion_job', 'completed'), -- unlinked
      (252, null, 'conversion', 512, 'conversion_job', 'completed'), -- amount_mismatch of its destination
      (253, null, 'conversion', 515, 'conversion_job', 'completed'), -- one_sided_transaction, and amount_mismatch of its source
      (254, null, 'conversion', 516, 'conversion_job', 'completed') -- amount_mismatch of its destination, as much too much
  ) as listed (id, user_id, transaction_type, reference_id, record_kind, status)
  union all
  select listed.*
  from (
    values
      -- in its grace period, may still be written
      (207, 1, 'internal_transfer', null::integer, null, 'pending', true, timestamptz '2001-01-02 11:59:00Z'),
      -- an opening balance looks like a deposit
      (208, 2, 'deposit', null, 'deposit', 'completed', false, timestamptz '2001-01-01 00:00:00Z')
  ) as listed (id, user_id, transaction_type, reference_id, record_kind, status, expects_record, created_at)
) as header
