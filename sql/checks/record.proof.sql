-- What the postings of all records must add up to, weighted as in books.proof.sql: in full if the record is settled,
-- nothing if it failed. Of records that can be judged without a look at their postings only the row `settled` counts;
-- the others are listed by record.open.sql. Sources and destinations apart, by the currency that the record names.
select
  due.source_currency,
  due.destination_currency,
  (due.verdict = 'settled') is true as settled, -- a boolean, of which the planner knows that there are two
  count(*) as records,
  coalesce(sum(due.weight * due.source_amount), 0) as source,
  coalesce(sum(due.weight * due.destination_amount), 0) as destination
from due
cross join params
where params.records is null or due.id = any (params.records)
group by due.source_currency, due.destination_currency, (due.verdict = 'settled') is true
order by due.source_currency, due.destination_currency, settled
