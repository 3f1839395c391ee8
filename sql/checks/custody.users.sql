-- What the books say that one custodian holds for each user, where they say it per user.
select position.user_id, sum(position.expected) as expected_value
from custody_positions as position
cross join params
where position.custodian = params.custodian and position.user_id is not null
group by position.user_id
order by position.user_id
