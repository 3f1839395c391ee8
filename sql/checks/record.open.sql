-- Records that are looked at one by one: what is not final, may not be posted yet, is invalid or is not what its link
-- says.
select due.id
from due
where due.verdict is null and due.id is not null
order by due.id
