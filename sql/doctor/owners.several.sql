-- Accounts at a custodian that belong to more than one user.
with
shared as (
  select account.custodian, account.external_id
  from custody_accounts as account
  group by account.custodian, account.external_id
  having count(distinct account.user_id) > 1
)
select
  shared.custodian,
  count(*)::integer as accounts,
  (array_agg(shared.external_id order by shared.external_id))[1:3] as first
from shared
group by shared.custodian
order by shared.custodian
