-- What writes down the changes of the kill switch has the rights of the owner, and 0012 let everybody hang it on a table
-- of his own: it then wrote, as the owner, into whatever had the name of the history in the schema of that table, and so
-- ran the triggers of others. Nobody needs the right to execute it, as PostgreSQL asks for that when a trigger is made.
revoke execute on function reconciliation_log_switch() from public;

-- And it looks by itself where it is, since a dump may come back without rights, and a table of others may have the
-- trigger by now.
create or replace function reconciliation_log_switch() returns trigger
language plpgsql
security definer -- so that nobody else can write that table, and nobody fails to stop corrections for want of a right
set search_path = pg_catalog, pg_temp
as $$
declare
  own_schema name;
begin
  -- before anything of the row is read: on a table of others its types could have casts of theirs
  select namespace.nspname into own_schema
  from pg_trigger as fired
  inner join pg_proc as itself on itself.oid = fired.tgfoid
  inner join pg_namespace as namespace on namespace.oid = itself.pronamespace
  inner join pg_class as switch on switch.oid = fired.tgrelid and switch.relnamespace = namespace.oid
  where
    fired.tgrelid = tg_relid
    and fired.tgname = tg_name
    and switch.relname = 'reconciliation_correction_switch';
  if own_schema is null then
    raise exception using
      errcode = 'restrict_violation',
      message = format('%I.%I is not the kill switch of corrections: nothing is written for it', tg_table_schema, tg_table_name),
      hint = 'That is the table reconciliation_correction_switch in the schema of the function reconciliation_log_switch().';
  end if;
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
    own_schema
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

create trigger never_emptied
  before truncate on reconciliation_correction_switch
  for each statement execute function reconciliation_refuse(
    'A truncate would stop all corrections without a line in their history: set stopped in its row instead.'
  );
