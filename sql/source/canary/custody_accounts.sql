-- The canary has nothing at a custodian: what they hold is compared with what they answered, not by a query.
select null::text as custodian, null::text as external_id, null::uuid as user_id
where false
