-- Which record each of the transactions asked for books.
select header.id, header.record_kind, header.reference_id as record_id
from ledger_transactions as header
cross join params
where
  header.id = any (params.transactions)
  and header.record_kind is not null
  and header.expects_record -- an opening balance looks like a deposit
order by header.id
