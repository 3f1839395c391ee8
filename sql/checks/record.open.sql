-- Records that are looked at one by one: what is not final, may not be posted yet, is invalid or is not what its link
-- says; whatever was reversed by a transaction that names the posting, not the record; and ids that stand twice.
select due.id
from due
where not due.judged and due.id is not null
union
select original.reference_id
from ledger_transactions as reversal
cross join params
inner join ledger_transactions as original on original.id = reversal.reference_id
where
  reversal.transaction_type = 'reversal' and reversal.record_kind is null
  and original.record_kind = params.record_kind and original.reference_id is not null
union
select twice.id
from (select records.id from records group by records.id having count(*) > 1) as twice
where twice.id is not null
order by id
