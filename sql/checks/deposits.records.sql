-- What the ledger should show for each deposit: one leg, on its user's account.
select
  deposit.id,
  deposit.user_id,
  deposit.state,
  deposit.status,
  deposit.settled_at,
  deposit.created_at,
  null::numeric as source_amount,
  null::text as source_currency,
  deposit.amount as destination_amount,
  deposit.currency as destination_currency,
  deposit.amount > 0 and deposit.amount < 'Infinity' -- NaN sorts above Infinity
  and deposit.id is not null and deposit.user_id is not null as valid, -- nobody could say where it belongs
  false as names_transaction,
  null::uuid as ledger_transaction_id
from deposits as deposit
