-- One row per transaction header, with the kind of record that it books (record_legs.sql says by which entries). A
-- reversal that names a record takes back a posting of it; one that names another transaction is followed by recon.
select
  header.id::uuid as id,
  header.user_id::uuid as user_id,
  header.transaction_type::text as transaction_type,
  header.reference_id::uuid as reference_id,
  -- the host writes the type in either case, and leaves it out where it equals the transaction's own type
  lower(coalesce(header.reference_type::text, header.transaction_type::text)) as reference_type,
  header.status::text as status,
  header.idempotency_key::text as idempotency_key,
  case lower(coalesce(header.reference_type::text, header.transaction_type::text))
    when 'deposit' then 'deposit'
    when 'allocation_split' then 'deposit' -- one deposit, booked over several accounts
    when 'withdrawal' then 'withdrawal'
    -- a conversion that names no job is an ordinary movement of a user's money
    when 'conversion_job' then case when header.reference_id is not null then 'conversion_job' end
    when 'conversion' then case when header.reference_id is not null then 'conversion_job' end
  end as record_kind,
  -- an opening balance books no record, whatever its type
  coalesce(header.idempotency_key::text, '') not like 'migration\_%' as expects_record,
  header.created_at::timestamptz as created_at,
  null::timestamptz as updated_at, -- the host keeps none
  header.completed_at::timestamptz as completed_at
from ledger_transactions as header
