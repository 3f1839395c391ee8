-- Whether anything in the source belongs to the user that a run is narrowed to.
select
  exists (select from ledger_accounts as account where account.user_id = params.user_id)
  or exists (select from custody_accounts as account where account.user_id = params.user_id)
  or exists (select from deposits as deposit where deposit.user_id = params.user_id)
  or exists (select from withdrawals as withdrawal where withdrawal.user_id = params.user_id)
  or exists (select from ledger_transactions as booked where booked.user_id = params.user_id)
  as known
from params
order by known
