-- The transactions that belong together with those asked for: a reversal and what it reverses, and whatever else names
-- the record of a reversal that names one. Asked again with the answer until nothing new comes, it gives whole families.
with
member as not materialized (
  select header.id, header.reference_id, header.transaction_type = 'reversal' as turned, header.record_kind
  from ledger_transactions as header
  cross join params
  where header.id = any (params.transactions)
)
select member.reference_id as id
from member
where member.turned and member.record_kind is null and member.reference_id is not null
union
select reversal.id
from ledger_transactions as reversal
cross join params
where
  reversal.reference_id = any (params.transactions)
  and reversal.transaction_type = 'reversal' and reversal.record_kind is null
union
select namesake.id
from ledger_transactions as namesake
cross join params
where
  namesake.reference_id = any (array(select member.reference_id from member where member.turned and member.record_kind is not null))
union
select reversal.id
from ledger_transactions as reversal
cross join params
where
  reversal.reference_id = any (array(select member.reference_id from member where member.record_kind is not null))
  and reversal.transaction_type = 'reversal' and reversal.record_kind is not null
order by id
