-- How many entries there are: a proof that joins them and sees more has met an id that stands twice.
select count(*) as entries
from ledger_entries as entry
order by entries
