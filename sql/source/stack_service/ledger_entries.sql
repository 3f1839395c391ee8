-- One row per entry, exactly as the host stored it.
select
  entry.id::uuid as id,
  entry.transaction_id::uuid as transaction_id,
  entry.account_id::uuid as account_id,
  entry.entry_type::text as entry_type,
  entry.amount::numeric as amount,
  entry.currency::text as currency,
  entry.created_at::timestamptz as created_at
from ledger_entries as entry
