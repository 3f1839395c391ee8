-- Holds these accounts, in the order of their ids: whoever moves a balance waits. Foreign keys may still be checked.
select account.id
from ledger_accounts as account
cross join asked
where account.id = any (asked.ids)
order by account.id
for no key update of account
