-- The records of the canary that an hourly run would find new: all but the withdrawal that has been stuck for weeks.
select
  recent.record_kind,
  lpad(number.id::text, 32, '0')::uuid as record_id
from (
  values
    ('deposit', 301, 322),
    ('withdrawal', 401, 418),
    ('withdrawal', 420, 421),
    ('conversion_job', 501, 516)
) as recent (record_kind, first_id, last_id)
cross join lateral generate_series(recent.first_id, recent.last_id) as number (id)
