-- The records that are booked by the transactions asked for.
select distinct posting.record_id as id
from postings as posting
cross join params
where
  posting.transaction_id = any (params.transactions)
  and posting.record_id is not null
order by id
