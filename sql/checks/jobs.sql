-- Conversions whose amounts are those of a job: each is looked at where one is not a debit and a credit in two
-- currencies.
select header.id
from header
where header.movement like 'job%' and header.id is not null
order by header.id
