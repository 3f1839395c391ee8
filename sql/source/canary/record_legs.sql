-- Which entries of a transaction book its record: those on this side, for some kinds only those on users' accounts.
select leg.record_kind, leg.leg, leg.entry_type, leg.only_users
from (
  values
    ('deposit', 'destination', 'debit', true),
    ('withdrawal', 'source', 'credit', true),
    ('conversion_job', 'source', 'credit', false),
    ('conversion_job', 'destination', 'debit', false)
) as leg (record_kind, leg, entry_type, only_users)
