-- Not to be run, but to be explained: PostgreSQL leaves the join out if a unique index proves that it adds nothing.
select records.id
from records
left join records as twin on twin.id = records.id
order by records.id
