-- The canary has nothing at a custodian (custody_accounts.sql).
select
  null::text as custodian,
  null::text as currency,
  null::uuid as user_id,
  null::uuid as transaction_id,
  null::numeric as amount,
  null::text as status,
  null::timestamptz as created_at
where false
