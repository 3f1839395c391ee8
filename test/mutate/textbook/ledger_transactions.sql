-- The transactions of stack_service as another host might keep them: what a reversal reverses needs no word of its own,
-- and each tells when it last changed.
select
  header.id::uuid as id,
  header.user_id::uuid as user_id,
  header.transaction_type::text as transaction_type,
  header.reference_id::uuid as reference_id,
  lower(header.reference_type::text) as reference_type,
  header.status::text as status,
  header.idempotency_key::text as idempotency_key,
  case
    when lower(header.reference_type::text) in ('deposit', 'allocation_split') then 'deposit'
    when lower(header.reference_type::text) = 'withdrawal' then 'withdrawal'
    when lower(header.reference_type::text) = 'conversion_job' and header.reference_id is not null then 'conversion_job'
  end as record_kind,
  coalesce(header.idempotency_key::text, '') not like 'migration%' as expects_record,
  header.created_at::timestamptz as created_at,
  header.completed_at::timestamptz as updated_at,
  header.completed_at::timestamptz as completed_at
from ledger_transactions as header
