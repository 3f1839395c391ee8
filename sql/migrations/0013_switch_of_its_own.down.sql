drop trigger never_emptied on reconciliation_correction_switch;

create or replace function reconciliation_log_switch() returns trigger
language plpgsql
security definer -- so that nobody else can write that table, and nobody fails to stop corrections for want of a right
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'DELETE' then
    new := old;
    new.stopped := true; -- without the row nothing is corrected
    new.note := 'the row of the switch was deleted';
  end if;
  -- recon says a time with each change: whoever does not has typed it, and is known by his login
  if new.changed_at is not distinct from old.changed_at then
    new.changed_by := coalesce(nullif(new.changed_by, old.changed_by), session_user);
    new.host := nullif(new.host, old.host);
    new.note := nullif(new.note, old.note);
    new.changed_at := now();
  end if;
  execute format(
    'insert into %I.reconciliation_correction_stops (stopped, changed_by, host, note, changed_at) values ($1, $2, $3, $4, $5)',
    tg_table_schema
  )
  using new.stopped, new.changed_by, new.host, new.note, new.changed_at;
  -- whoever stops what stands still already does not take the place of who did it first
  if new.stopped and old.stopped then
    new.changed_by := old.changed_by;
    new.host := old.host;
    new.note := old.note;
    new.changed_at := old.changed_at;
  end if;
  return new;
end
$$;

grant execute on function reconciliation_log_switch() to public;
