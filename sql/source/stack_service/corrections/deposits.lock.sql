-- Holds these deposits, in the order of their ids: nobody posts or fails one meanwhile.
select deposit.id
from deposits as deposit
cross join asked
where deposit.id = any (asked.ids)
order by deposit.id
for no key update of deposit
