-- Users of whom the books say that a custodian holds something, and who have no account there.
with
exposed as (
  select position.custodian, position.user_id, sum(position.expected) as expected
  from custody_positions as position
  where position.user_id is not null
  group by position.custodian, position.user_id
  having sum(position.expected) <> 0
)
select
  exposed.custodian,
  count(*)::integer as users,
  sum(abs(exposed.expected)) as amount,
  (array_agg(exposed.user_id::text order by abs(exposed.expected) desc, exposed.user_id))[1:3] as largest
from exposed
where
  not exists (
    select
    from custody_accounts as account
    where account.custodian = exposed.custodian and account.user_id = exposed.user_id
  )
group by exposed.custodian
order by exposed.custodian
