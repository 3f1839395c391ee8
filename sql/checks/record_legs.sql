-- Which entries book a record, as the source says.
select record_leg.record_kind, record_leg.leg, record_leg.entry_type, record_leg.only_users
from record_legs as record_leg
order by record_leg.record_kind, record_leg.leg, record_leg.entry_type
