-- What was under way when the ledger was filled is under way now: the ledger may be days old, and would be stuck.
update deposits
set created_at = now() - interval '2 hours', confirmed_at = case when confirmed_at is not null then now() - interval '2 hours' end
where status in ('pending', 'confirmed');

update withdrawals
set
  created_at = (now() - interval '2 hours') at time zone 'UTC',
  updated_at = (now() - interval '2 hours') at time zone 'UTC'
where status = 'initiated';
