-- One entry of a transaction.
insert into ledger_entries (id, transaction_id, account_id, entry_type, amount, currency, created_at)
select
  written.id,
  (written.after ->> 'transaction_id')::uuid,
  (written.after ->> 'account_id')::uuid,
  written.after ->> 'entry_type',
  (written.after ->> 'amount')::numeric,
  written.after ->> 'currency',
  written.at
from written
returning id
