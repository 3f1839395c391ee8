-- The wallets or accounts of one custodian that the host knows to belong to somebody. One that two users claim is
-- nobody's in particular.
select
  account.external_id,
  case when count(distinct account.user_id) = 1 then min(account.user_id::text) end as user_id
from custody_accounts as account
cross join params
where account.custodian = params.custodian and account.external_id is not null
group by account.external_id
order by account.external_id
