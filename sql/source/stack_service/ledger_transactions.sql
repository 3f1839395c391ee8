-- One row per transaction header.
with header as (
  select
    stored.*,
    -- the host writes the type in either case, and leaves it out where it equals the transaction's own type
    lower(coalesce(stored.reference_type::text, stored.transaction_type::text)) as reference
  from ledger_transactions as stored
)
select
  header.id::uuid as id,
  header.user_id::uuid as user_id,
  header.transaction_type::text as transaction_type,
  header.reference_id::uuid as reference_id,
  header.reference as reference_type,
  header.status::text as status,
  header.idempotency_key::text as idempotency_key,
  -- opening balances name no record, and a conversion that names no job is an ordinary movement of a user's money
  coalesce(header.idempotency_key::text, '') not like 'migration\_%'
  and (
    header.reference in ('deposit', 'allocation_split', 'withdrawal')
    or (header.reference in ('conversion', 'conversion_job') and header.reference_id is not null)
  ) as expects_record,
  header.created_at::timestamptz as created_at,
  null::timestamptz as updated_at, -- the host keeps none
  header.completed_at::timestamptz as completed_at
from header
