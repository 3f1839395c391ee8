-- What the books say that one custodian holds, per currency. A row for the whole wins over rows per user.
select
  position.currency,
  count(*)::bigint as positions,
  case
    when bool_or(position.user_id is null) then sum(position.expected) filter (where position.user_id is null)
    else sum(position.expected)
  end as expected_value,
  bool_or(position.expected is null) as incomplete -- a sum would hide it
from custody_positions as position
cross join params
where position.custodian = params.custodian
group by position.currency
order by position.currency
