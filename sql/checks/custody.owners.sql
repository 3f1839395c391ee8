-- The wallets or accounts of one custodian that the host knows to belong to somebody.
select distinct account.external_id
from custody_accounts as account
cross join params
where account.custodian = params.custodian and account.external_id is not null
order by account.external_id
