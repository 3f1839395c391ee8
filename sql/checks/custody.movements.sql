-- What the books moved lately at one custodian: all that is pending and not stuck or was completed within the grace
-- period, and of what else is completed whatever moved as much as one of those, or as something at the custodian that
-- is under way or came to its end within the grace period: it may be that one's twin. Clocks differ by less than the
-- grace period: a time further ahead is wrong, and would explain a loss until it comes.
with
moved as (
  select
    movement.transaction_id,
    movement.user_id,
    sum(movement.amount) as amount,
    movement.status,
    movement.created_at,
    movement.status = 'pending' or movement.created_at >= params.as_of - params.grace_period as unsettled
  from custody_movements as movement
  cross join params
  where
    movement.custodian = params.custodian
    and movement.created_at >= params.as_of - params.deadline
    and movement.created_at <= params.as_of + params.grace_period
    and movement.status in ('pending', 'completed')
  group by
    movement.transaction_id, movement.user_id, movement.status, movement.created_at, params.as_of, params.grace_period
)
select
  moved.transaction_id,
  moved.user_id,
  moved.amount,
  moved.status,
  moved.created_at
from moved
cross join params
where
  moved.amount = any (params.amounts)
  or moved.amount in (select alike.amount from moved as alike where alike.unsettled)
order by moved.created_at, moved.transaction_id, moved.user_id
