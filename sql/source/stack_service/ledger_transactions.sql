-- One row per transaction header, with the record that it books and how.
--   a deposit:     the debits on users' accounts
--   a withdrawal:  the credits on users' accounts
--   a conversion:  its credits are the source leg, its debits the destination leg
-- A reversal that names a record turns the sides round; one that names another transaction is followed by recon itself.
select
  header.id::uuid as id,
  header.user_id::uuid as user_id,
  header.transaction_type::text as transaction_type,
  header.reference_id::uuid as reference_id,
  reference.type as reference_type,
  header.status::text as status,
  header.idempotency_key::text as idempotency_key,
  -- opening balances name no record, and a conversion that names no job is an ordinary movement of a user's money
  coalesce(header.idempotency_key::text, '') not like 'migration\_%'
  and (
    reference.type in ('deposit', 'allocation_split', 'withdrawal')
    or (reference.type in ('conversion', 'conversion_job') and header.reference_id is not null)
  ) as expects_record,
  case
    when reference.type in ('deposit', 'allocation_split') then 'deposit' -- a split is a deposit over several accounts
    when reference.type = 'withdrawal' then 'withdrawal'
    when reference.type in ('conversion', 'conversion_job') and header.reference_id is not null then 'conversion_job'
  end as record_kind,
  case when reference.type in ('withdrawal', 'conversion', 'conversion_job') then 'credit' end as source_side,
  case when reference.type in ('deposit', 'allocation_split', 'conversion', 'conversion_job') then 'debit' end
  as destination_side,
  reference.type in ('deposit', 'allocation_split', 'withdrawal') as only_users,
  header.created_at::timestamptz as created_at,
  null::timestamptz as updated_at, -- the host keeps none
  header.completed_at::timestamptz as completed_at
from ledger_transactions as header
cross join lateral (
  -- the host writes the type in either case, and leaves it out where it equals the transaction's own type
  select lower(coalesce(header.reference_type::text, header.transaction_type::text)) as type
) as reference
