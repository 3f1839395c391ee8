-- What the books moved lately at one custodian: all that is pending and not stuck, and of what is completed whatever
-- moved as much as something pending, or as something that is under way at the custodian: it may be that one's twin.
with
moved as (
  select
    movement.transaction_id,
    movement.user_id,
    sum(movement.amount) as amount,
    movement.status,
    movement.created_at
  from custody_movements as movement
  cross join params
  where
    movement.custodian = params.custodian
    and movement.created_at >= params.as_of - params.deadline
    and movement.status in ('pending', 'completed')
  group by movement.transaction_id, movement.user_id, movement.status, movement.created_at
)
select
  moved.transaction_id,
  moved.user_id,
  moved.amount,
  moved.status,
  moved.created_at,
  moved.created_at >= params.as_of - interval '1 hour' as recent
from moved
cross join params
where
  moved.status = 'pending'
  or moved.amount = any (params.amounts)
  or moved.amount in (select pending.amount from moved as pending where pending.status = 'pending')
order by moved.created_at, moved.transaction_id
