-- Ids that stand twice, where no unique index keeps them from it.
select records.id
from records
where records.id is not null
group by records.id
having count(*) > 1
order by records.id
