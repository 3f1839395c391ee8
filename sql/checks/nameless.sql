-- Transactions that book a record of this kind without saying which.
select distinct posting.transaction_id as id
from postings as posting
where posting.record_id is null
order by id
