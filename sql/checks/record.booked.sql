-- The records that the transactions asked for name.
select distinct header.reference_id as id
from ledger_transactions as header
cross join params
where
  header.id = any (params.transactions)
  and header.record_kind = params.record_kind
  and header.reference_id is not null
order by id
