-- Records whose postings are not what they should be: by bucket first, then each record of those that are off
-- (unbalanced.sql says why).
with
side as not materialized (
  with
  part as (
    select
      posting.record_id as id,
      case when params.record_kind = any (params.kinds_with_user) then posting.user_id end as user_id,
      case
        when exists (select from records as named where coalesce(named.source_currency, named.destination_currency) is not null)
          then posting.currency
      end as currency,
      posting.leg,
      posting.amount
    from postings as posting
    cross join params
    where
      posting.record_id is not null
      and posting.status is distinct from 'failed' and posting.status is distinct from 'pending'
    union all
    select due.id, due.user_id, due.source_currency, 'source', -due.source_amount
    from records as due
    where due.state = 'settled' and due.source_amount is not null
    union all
    select due.id, due.user_id, due.destination_currency, 'destination', -due.destination_amount
    from records as due
    where due.state = 'settled' and due.destination_amount is not null
  )
  select part.*, uuid_hash_extended(part.id, params.seed) as hash
  from part
  cross join params
),
guilty as (
  select side.hash & 1023 as bucket
  from side
  group by 1, side.currency, side.leg
  having sum((case when side.user_id is null then side.hash >> 10 else uuid_hash_extended(side.user_id, side.hash) end & 2147483647) * side.amount) <> 0
)
select distinct off.id
from (
  select side.id
  from side
  where side.hash & 1023 = any (array(select guilty.bucket from guilty))
  group by side.id, side.user_id, side.currency, side.leg
  having sum(side.amount) <> 0
) as off
where off.id is not null
order by off.id
