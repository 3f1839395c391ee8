-- Records whose verdict time alone may change: what is not final, and what was settled so lately that its posting may
-- still come. The next hourly run looks at them again, whenever they came.
select distinct records.id
from records
cross join params
where
  records.id is not null
  and (
    (records.state in ('settled', 'failed')) is not true
    or (
      records.state = 'settled'
      and records.settled_at > params.as_of - params.grace_period
      and records.settled_at <= params.as_of + params.grace_period -- one further ahead is judged already
    )
  )
  and (params.records is null or records.id = any (params.records))
order by records.id
