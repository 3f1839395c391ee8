-- The header of one transaction. Its idempotency key is unique: the same posting cannot be written twice.
insert into ledger_transactions (
  id, user_id, transaction_type, reference_id, reference_type, status, idempotency_key, description, created_at,
  completed_at
)
select
  written.id,
  (written.after ->> 'user_id')::uuid,
  written.after ->> 'transaction_type',
  (written.after ->> 'reference_id')::uuid,
  written.after ->> 'reference_type',
  written.after ->> 'status',
  written.after ->> 'idempotency_key',
  written.after ->> 'description',
  written.at,
  written.at
from written
returning id
