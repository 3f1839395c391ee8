-- Records that came since the moment that is verified already.
select recent.record_id as id
from recent_records as recent
cross join params
where recent.record_kind = params.record_kind and recent.record_id is not null
order by id
