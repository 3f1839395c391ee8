-- What happens within five minutes, to at most 5,000 users so that each ledger changes as much: new deposits and, every fifth, new withdrawals, each booked and settled at once.
--   bench.changes    a setting of this session: how many
create temporary table change on commit drop as
select
  series.number,
  series.number % 5 = 0 as pays_out,
  md5('change ' || series.number)::uuid as record_id,
  md5('transaction of change ' || series.number)::uuid as transaction_id,
  users.id as user_id,
  account.id as account_id,
  (1 + series.number % 49)::numeric + 0.01 * (series.number % 100) as amount,
  now() - interval '1 second' * (300.0 * (1 - series.number / current_setting('bench.changes')::float8)) as at
from generate_series(1, current_setting('bench.changes')::int) as series (number)
inner join users
  on users.id = md5('user ' || 1 + series.number % (select least(count(*), 5000) from users))::uuid
inner join ledger_accounts as account on account.user_id = users.id and account.account_type = 'usdc_balance'
order by series.number;

insert into ledger_transactions (
  id, user_id, transaction_type, reference_id, reference_type, status, idempotency_key, created_at, completed_at
)
select
  change.transaction_id, change.user_id, kind.name, change.record_id, kind.name, 'completed',
  kind.name || '_' || change.transaction_id, change.at, change.at
from change
cross join lateral (select case when change.pays_out then 'withdrawal' else 'deposit' end as name) as kind
order by change.number;

insert into ledger_entries (id, transaction_id, account_id, entry_type, amount, currency, created_at)
select
  md5(side.entry_type || ' of change ' || change.number)::uuid,
  change.transaction_id,
  case when (side.entry_type = 'debit') <> change.pays_out then change.account_id else buffer.id end,
  side.entry_type,
  change.amount,
  'USDC',
  change.at
from change
cross join (values ('debit'), ('credit')) as side (entry_type)
cross join (select id from ledger_accounts where account_type = 'system_buffer_usdc') as buffer
order by change.number;

insert into deposits (
  id, user_id, chain, tx_hash, token, amount, status, confirmed_at, off_ramp_initiated_at, off_ramp_completed_at,
  alpaca_funded_at, created_at
)
select
  change.record_id, change.user_id, 'BASE',
  '0x' || md5('hash of change ' || change.number) || md5('rest of change ' || change.number),
  'USDC', change.amount, 'completed', change.at, change.at, change.at, change.at, change.at
from change
where not change.pays_out
order by change.number;

insert into withdrawals (
  id, user_id, amount, destination_chain, destination_address, status, tx_hash, created_at, updated_at, completed_at
)
select
  change.record_id, change.user_id, change.amount, 'BASE',
  '0x' || md5('address of change ' || change.number) || '00000000',
  'completed', '0x' || md5('hash of change ' || change.number) || md5('rest of change ' || change.number),
  change.at at time zone 'UTC', change.at at time zone 'UTC', change.at at time zone 'UTC'
from change
where change.pays_out
order by change.number;

with
signed as (
  select
    entry.account_id,
    case entry.entry_type when 'debit' then entry.amount else -entry.amount end as amount
  from change
  inner join ledger_entries as entry on entry.transaction_id = change.transaction_id
),
moved as (
  select signed.account_id, sum(signed.amount) as amount
  from signed
  group by signed.account_id
)
update ledger_accounts as account
set balance = account.balance + moved.amount, updated_at = now()
from moved
where moved.account_id = account.id;
