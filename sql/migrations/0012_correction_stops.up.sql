-- The kill switch of corrections is one row, which each correction locks; what was done with it stays in a table of its own.
-- A trigger writes that: also of whoever types the update by hand.
create table reconciliation_correction_stops (
  number bigint generated always as identity primary key,
  stopped boolean not null,
  changed_by text,
  host text,
  note text,
  changed_at timestamptz,
  login text default session_user
);

alter table reconciliation_correction_switch add column host text;

-- All that is known of what was before.
insert into reconciliation_correction_stops (stopped, changed_by, note, changed_at, login)
select switch.stopped, switch.changed_by, switch.note, switch.changed_at, null
from reconciliation_correction_switch as switch
where switch.stopped or switch.changed_at is not null;

create trigger append_only
  before update or delete or truncate on reconciliation_correction_stops
  for each statement execute function reconciliation_refuse_change();

create function reconciliation_log_switch() returns trigger
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

create trigger logged
  before insert or update or delete on reconciliation_correction_switch
  for each row execute function reconciliation_log_switch();

comment on table reconciliation_correction_stops is
  'Each time that all corrections were stopped or allowed again, in order. Append-only.';
comment on column reconciliation_correction_stops.stopped is 'false: they were allowed again.';
comment on column reconciliation_correction_stops.changed_by is
  'A person, or the login that changed the row by hand; null: from before this was kept, and nobody knows.';
comment on column reconciliation_correction_stops.login is
  'The role that the database knows, whatever name was signed with; null: from before this was kept.';
comment on column reconciliation_correction_stops.host is 'From which machine.';
comment on function reconciliation_log_switch() is
  'Writes down each change of the kill switch, and leaves who stopped corrections first in its row.';
comment on column reconciliation_correction_switch.changed_by is 'Who stopped corrections first, or allowed them last.';
