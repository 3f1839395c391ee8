-- Remembers and drops the host's keys and indexes: rows load several times as fast without. The checks of each row stay.
create unlogged table bench.host_key as
select
  host_constraint.conrelid::regclass as host_table,
  host_constraint.conname as name,
  case host_constraint.contype when 'f' then 3 else 1 end as turn, -- a foreign key needs the key that it refers to
  format(
    'alter table %s add constraint %I %s',
    host_constraint.conrelid::regclass, host_constraint.conname, pg_get_constraintdef(host_constraint.oid)
  ) as definition
from pg_constraint as host_constraint
where host_constraint.connamespace = 'public'::regnamespace and host_constraint.contype in ('p', 'u', 'f')
union all
select host_index.indrelid::regclass, class.relname, 2, pg_get_indexdef(host_index.indexrelid)
from pg_index as host_index
inner join pg_class as class on class.oid = host_index.indexrelid and class.relnamespace = 'public'::regnamespace
where not exists (select from pg_constraint as owner where owner.conindid = host_index.indexrelid);

do $$
declare
  host_key record;
begin
  for host_key in select * from bench.host_key order by turn desc loop
    if host_key.turn = 2 then
      execute format('drop index %I', host_key.name);
    else
      execute format('alter table %s drop constraint %I', host_key.host_table, host_key.name);
    end if;
  end loop;
end
$$;
