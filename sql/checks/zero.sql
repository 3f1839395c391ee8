-- Transactions that move nothing: all of their entries are zero.
select distinct entry.transaction_id as id
from ledger_entries as entry
where
  entry.amount = 0
  and not exists (
    select from ledger_entries as other
    where other.transaction_id = entry.transaction_id and other.amount <> 0
  )
order by id
