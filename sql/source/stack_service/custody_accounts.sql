-- Which Circle wallet and which Alpaca account belongs to which user.
select
  'circle'::text as custodian,
  wallet.circle_wallet_id::text as external_id,
  wallet.user_id::uuid as user_id
from wallets as wallet
where wallet.circle_wallet_id is not null
union all
select
  'alpaca'::text as custodian,
  holder.alpaca_account_id::text as external_id,
  holder.id::uuid as user_id
from users as holder
where holder.alpaca_account_id is not null
