-- The schema is the host's again.
drop schema bench cascade;
