-- Holds these withdrawals, in the order of their ids: nobody posts or fails one meanwhile.
select withdrawal.id
from withdrawals as withdrawal
cross join asked
where withdrawal.id = any (asked.ids)
order by withdrawal.id
for no key update of withdrawal
