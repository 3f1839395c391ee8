-- What the postings of all records must add up to, weighted as in books.proof.sql: in full if the record is settled,
-- nothing if it failed. Only of records that can be judged without a look at their postings; the others are listed by
-- record.open.sql. Sources and destinations apart, by the currency that the record names.
select
  due.source_currency,
  due.destination_currency,
  count(*) as records,
  count(*) filter (where due.judged) as judged,
  coalesce(sum(due.weight * due.source_amount) filter (where due.judged and due.state = 'settled'), 0) as source,
  coalesce(sum(due.weight * due.destination_amount) filter (where due.judged and due.state = 'settled'), 0) as destination
from due
cross join params
where params.records is null or due.id = any (params.records)
group by due.source_currency, due.destination_currency
order by due.source_currency, due.destination_currency
