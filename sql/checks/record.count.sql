-- How many records there are.
select count(*)::integer as records
from records
order by records
