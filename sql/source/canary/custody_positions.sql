-- The canary has nothing at a custodian (custody_accounts.sql).
select null::text as custodian, null::text as currency, null::uuid as user_id, null::numeric as expected
where false
