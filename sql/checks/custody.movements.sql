-- What the books moved lately at one custodian: all that is pending and not stuck, and of the rest whatever moved as
-- much as something that is under way there.
select
  movement.transaction_id,
  movement.user_id,
  sum(movement.amount) as amount,
  movement.status,
  movement.created_at,
  movement.created_at >= params.as_of - interval '1 hour' as recent
from custody_movements as movement
cross join params
where
  movement.custodian = params.custodian
  and movement.created_at >= params.as_of - params.deadline
  and movement.status in ('pending', 'completed')
group by movement.transaction_id, movement.user_id, movement.status, movement.created_at, params.as_of, params.amounts
having movement.status = 'pending' or sum(movement.amount) = any (params.amounts)
order by movement.created_at, movement.transaction_id
