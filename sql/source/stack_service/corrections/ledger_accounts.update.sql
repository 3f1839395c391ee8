-- Sets the balance of one account, if it still is what was read.
update ledger_accounts as account
set balance = (written.after ->> 'balance')::numeric
from written
where account.id = written.id and account.balance = (written.before ->> 'balance')::numeric
returning account.id
