-- Holds these jobs, in the order of their ids.
select job.id
from conversion_jobs as job
cross join asked
where job.id = any (asked.ids)
order by job.id
for no key update of job
