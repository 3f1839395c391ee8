-- What the ledger should show for each withdrawal: one leg, on its user's account.
select
  withdrawal.id,
  withdrawal.user_id,
  withdrawal.state,
  withdrawal.status,
  withdrawal.settled_at,
  withdrawal.created_at,
  withdrawal.amount as source_amount,
  withdrawal.currency as source_currency,
  null::numeric as destination_amount,
  null::text as destination_currency,
  withdrawal.amount > 0 and withdrawal.amount < 'Infinity' -- NaN sorts above Infinity
  and withdrawal.id is not null and withdrawal.user_id is not null as valid, -- nobody could say where it belongs
  false as names_transaction,
  null::uuid as ledger_transaction_id
from withdrawals as withdrawal
