-- Transactions that moved something, says their status, and have no entries.
select header.id
from ledger_transactions as header
where
  header.status is distinct from 'failed' and header.status is distinct from 'pending'
  and not exists (select from ledger_entries as entry where entry.transaction_id = header.id)
order by header.id
