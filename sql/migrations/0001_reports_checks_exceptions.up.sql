-- Reports, checks and exceptions. Runs in one transaction, with search_path set to the schema of recon's tables, the
-- time zone UTC, and its own row already in reconciliation_migrations.
--
-- A first version of these three tables that is there already is adopted: the table, its rows, its primary key, its
-- further columns and its plain indexes stay. Its types are widened; its check, unique and foreign key constraints are
-- dropped (they name a closed list of checks, cascade, or point into the host's tables), and their definitions kept in
-- reconciliation_migrations.details.

-- The columns of the first version, and what recon makes of each.
create function reconciliation_first_version()
returns table (
  table_name text, column_name text, type text, required boolean, default_value text,
  value_if_null text -- what stands for a null in an adopted row of a column that is required
)
language sql immutable
as $$
  values
    ('reconciliation_reports', 'id', 'uuid', true, 'gen_random_uuid()', null),
    ('reconciliation_reports', 'run_type', 'text', true, null, null),
    ('reconciliation_reports', 'status', 'text', true, null, null),
    ('reconciliation_reports', 'started_at', 'timestamptz', true, 'now()', 'created_at'),
    ('reconciliation_reports', 'completed_at', 'timestamptz', false, null, null),
    ('reconciliation_reports', 'total_checks', 'integer', true, '0', '0'),
    ('reconciliation_reports', 'passed_checks', 'integer', true, '0', '0'),
    ('reconciliation_reports', 'failed_checks', 'integer', true, '0', '0'),
    ('reconciliation_reports', 'exceptions_count', 'integer', true, '0', '0'),
    ('reconciliation_reports', 'error_message', 'text', false, null, null),
    ('reconciliation_reports', 'metadata', 'jsonb', true, $d$'{}'$d$, $d$'{}'$d$),
    ('reconciliation_reports', 'created_at', 'timestamptz', true, 'now()', 'coalesce(started_at, now())'),
    ('reconciliation_checks', 'id', 'uuid', true, 'gen_random_uuid()', null),
    ('reconciliation_checks', 'report_id', 'uuid', true, null, null),
    ('reconciliation_checks', 'check_type', 'text', true, null, null),
    ('reconciliation_checks', 'status', 'text', true, null, null),
    ('reconciliation_checks', 'expected_value', 'numeric', false, null, null),
    ('reconciliation_checks', 'actual_value', 'numeric', false, null, null),
    ('reconciliation_checks', 'difference', 'numeric', false, null, null),
    ('reconciliation_checks', 'passed', 'boolean', true, null, 'false'),
    ('reconciliation_checks', 'error_message', 'text', false, null, null),
    ('reconciliation_checks', 'execution_time_ms', 'bigint', false, null, null),
    ('reconciliation_checks', 'metadata', 'jsonb', true, $d$'{}'$d$, $d$'{}'$d$),
    ('reconciliation_checks', 'created_at', 'timestamptz', true, 'now()', 'now()'),
    ('reconciliation_exceptions', 'id', 'uuid', true, 'gen_random_uuid()', null),
    ('reconciliation_exceptions', 'report_id', 'uuid', true, null, null),
    ('reconciliation_exceptions', 'check_id', 'uuid', false, null, null),
    ('reconciliation_exceptions', 'check_type', 'text', true, null, null),
    ('reconciliation_exceptions', 'severity', 'text', true, null, null),
    ('reconciliation_exceptions', 'description', 'text', true, null, $d$''$d$),
    ('reconciliation_exceptions', 'expected_value', 'numeric', false, null, null),
    ('reconciliation_exceptions', 'actual_value', 'numeric', false, null, null),
    ('reconciliation_exceptions', 'difference', 'numeric', false, null, null),
    ('reconciliation_exceptions', 'currency', 'text', false, null, null),
    ('reconciliation_exceptions', 'affected_user_id', 'uuid', false, null, null),
    ('reconciliation_exceptions', 'affected_entity', 'text', false, null, null),
    ('reconciliation_exceptions', 'auto_corrected', 'boolean', true, 'false', 'false'),
    ('reconciliation_exceptions', 'correction_action', 'text', false, null, null),
    ('reconciliation_exceptions', 'resolved_at', 'timestamptz', false, null, null),
    ('reconciliation_exceptions', 'resolved_by', 'text', false, null, null),
    ('reconciliation_exceptions', 'resolution_notes', 'text', false, null, null),
    ('reconciliation_exceptions', 'metadata', 'jsonb', true, $d$'{}'$d$, $d$'{}'$d$),
    ('reconciliation_exceptions', 'created_at', 'timestamptz', true, 'now()', 'now()')
$$;

-- Refuses whatever has one of the three names and is not that first version.
do $$
declare
  problems text;
begin
  with present as (
    select c.oid, c.relname::text as table_name, c.relkind
    from pg_class c
    where c.relnamespace = quote_ident(current_schema())::regnamespace
      and c.relname in (select f.table_name from reconciliation_first_version() f)
  ),
  existing as (
    select p.table_name, a.attname::text as column_name, format_type(a.atttypid, null) as type, t.typtype,
      a.attnotnull and not a.atthasdef and a.attidentity = '' as must_be_given
    from present p
    join pg_attribute a on a.attrelid = p.oid and a.attnum > 0 and not a.attisdropped
    join pg_type t on t.oid = a.atttypid
    where p.relkind = 'r'
  ),
  accepted (type, existing_types) as (
    values
      ('uuid', array['uuid']),
      ('text', array['text', 'character varying', 'character', 'uuid']), -- and enums
      ('numeric', array['numeric', 'bigint', 'integer', 'smallint']),
      ('timestamptz', array['timestamp with time zone', 'timestamp without time zone']),
      ('integer', array['integer', 'smallint', 'bigint']),
      ('bigint', array['bigint', 'integer', 'smallint']),
      ('boolean', array['boolean']),
      ('jsonb', array['jsonb', 'json'])
  ),
  problem (table_name, text) as (
    select p.table_name, 'is not a plain table'
    from present p
    where p.relkind <> 'r'
    union all
    select p.table_name, 'its primary key is not (id)'
    from present p
    where p.relkind = 'r' and not exists (
      select from pg_index i
      join pg_attribute a on a.attrelid = p.oid and a.attnum = i.indkey[0]
      where i.indrelid = p.oid and i.indisprimary and i.indnkeyatts = 1 and a.attname = 'id'
    )
    union all
    select p.table_name, format('it has no column %s', f.column_name)
    from present p
    join reconciliation_first_version() f on f.table_name = p.table_name
    left join existing e on e.table_name = f.table_name and e.column_name = f.column_name
    where p.relkind = 'r' and e.column_name is null
    union all
    select e.table_name, format('its column %s is %s, not %s', e.column_name, e.type, f.type)
    from existing e
    join reconciliation_first_version() f on f.table_name = e.table_name and f.column_name = e.column_name
    join accepted a on a.type = f.type
    where not e.type = any (a.existing_types) and not (f.type = 'text' and e.typtype = 'e')
    union all
    -- A further column must neither be in the way of recon's own nor ask for a value that recon does not know.
    select e.table_name, format('its column %s is not of the first version', e.column_name)
    from existing e
    left join reconciliation_first_version() f on f.table_name = e.table_name and f.column_name = e.column_name
    where f.column_name is null
      and (
        e.must_be_given
        or e.table_name = 'reconciliation_exceptions'
        and e.column_name in (
          'kind', 'fingerprint', 'last_report_id', 'last_seen_at', 'occurrences', 'previous_exception_id'
        )
      )
  )
  select string_agg(format('%s: %s', p.table_name, p.text), '; ' order by p.table_name, p.text)
  into problems
  from problem p;

  if problems is not null then
    raise exception using
      errcode = 'RECON',
      message = format('The schema %I holds something else of the name of a table of recon. %s.', current_schema(), problems),
      hint = 'Rename it, or set RECONCILIATION_SCHEMA to another schema; nothing was changed.';
  end if;
end
$$;

-- Notes which tables are adopted and which of their constraints go; then drops those.
do $$
declare
  adopted regclass[] := array(
    select c.oid::regclass
    from pg_class c
    where c.relnamespace = quote_ident(current_schema())::regnamespace
      and c.relname in (select f.table_name from reconciliation_first_version() f)
    order by c.relname
  );
  dropped text[] := '{}';
  item record;
begin
  for item in
    select r.conrelid::regclass as relation, r.conname, pg_get_constraintdef(r.oid) as definition
    from pg_constraint r
    where r.conrelid = any (adopted) and r.contype in ('c', 'f', 'u', 'x')
    order by r.contype <> 'f', r.conrelid::regclass::text, r.conname -- a foreign key may need one of the unique ones
  loop
    dropped := dropped || format('alter table %s add constraint %I %s', item.relation, item.conname, item.definition);
    execute format('alter table %s drop constraint %I', item.relation, item.conname);
  end loop;

  for item in
    select i.indexrelid::regclass as index, pg_get_indexdef(i.indexrelid) as definition
    from pg_index i
    where i.indrelid = any (adopted) and i.indisunique and not i.indisprimary
    order by 1
  loop
    dropped := dropped || item.definition;
    execute format('drop index %s', item.index);
  end loop;

  update reconciliation_migrations
  set details = jsonb_build_object(
    'adopted', (select coalesce(jsonb_agg(c.relname order by c.relname), '[]') from pg_class c where c.oid = any (adopted)),
    'dropped', to_jsonb(dropped)
  )
  where version = 1;
end
$$;

create table if not exists reconciliation_reports (
  id uuid primary key default gen_random_uuid(),
  run_type text not null,
  status text not null,
  started_at timestamptz not null default now(),
  completed_at timestamptz,
  total_checks integer not null default 0,
  passed_checks integer not null default 0,
  failed_checks integer not null default 0,
  exceptions_count integer not null default 0,
  error_message text,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now()
);

create table if not exists reconciliation_checks (
  id uuid primary key default gen_random_uuid(),
  report_id uuid not null,
  check_type text not null,
  status text not null,
  expected_value numeric,
  actual_value numeric,
  difference numeric,
  passed boolean not null,
  error_message text,
  execution_time_ms bigint,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now()
);

create table if not exists reconciliation_exceptions (
  id uuid primary key default gen_random_uuid(),
  report_id uuid not null,
  check_id uuid,
  check_type text not null,
  severity text not null,
  description text not null,
  expected_value numeric,
  actual_value numeric,
  difference numeric,
  currency text,
  affected_user_id uuid,
  affected_entity text,
  auto_corrected boolean not null default false,
  correction_action text,
  resolved_at timestamptz,
  resolved_by text,
  resolution_notes text,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now()
);

-- Gives the columns of adopted tables the same types, defaults and nullability. `alter column … using` changes rows
-- without firing the host's triggers. A column whose type is right already is left alone: a view may depend on it.
do $$
declare
  item record;
  has_nulls boolean;
  value text;
begin
  for item in
    select f.*, a.attgenerated, format_type(a.atttypid, a.atttypmod) as existing_type
    from reconciliation_migrations m
    cross join jsonb_array_elements_text(m.details -> 'adopted') as adopted (table_name)
    join reconciliation_first_version() f on f.table_name = adopted.table_name
    join pg_attribute a on a.attrelid = f.table_name::regclass and a.attname = f.column_name
    where m.version = 1
    order by a.attgenerated = '', f.table_name, a.attnum -- generated columns first: their expression holds the others
  loop
    if item.attgenerated <> '' then
      execute format('alter table %I alter column %I drop expression', item.table_name, item.column_name);
    else
      execute format('alter table %I alter column %I drop default', item.table_name, item.column_name);
    end if;

    execute format('select exists (select from %I where %I is null)', item.table_name, item.column_name) into has_nulls;
    if item.existing_type <> format_type(item.type::regtype, null) or has_nulls and item.value_if_null is not null then
      value := format(
        case when item.existing_type like 'timestamp%without%' then '%I at time zone ''UTC''' else '%I::%s' end,
        item.column_name, item.type
      );
      if item.value_if_null is not null then
        value := format('coalesce(%s, %s)', value, item.value_if_null);
      end if;
      execute format('alter table %I alter column %I type %s using %s', item.table_name, item.column_name, item.type, value);
    end if;

    if item.default_value is not null then
      execute format('alter table %I alter column %I set default %s', item.table_name, item.column_name, item.default_value);
    end if;
    execute format(
      'alter table %I alter column %I %s not null',
      item.table_name, item.column_name, case when item.required then 'set' else 'drop' end
    );
  end loop;
end
$$;

drop function reconciliation_first_version();

-- What the life of an exception needs. Adopted rows were never classified: each is its own subject.
alter table reconciliation_exceptions
  add column kind text not null default 'unclassified',
  add column fingerprint text,
  add column last_report_id uuid,
  add column last_seen_at timestamptz,
  add column occurrences integer not null default 1,
  add column previous_exception_id uuid;

alter table reconciliation_exceptions
  alter column kind drop default,
  alter column fingerprint type text using check_type || '/legacy/' || id,
  alter column last_report_id type uuid using report_id,
  alter column last_seen_at type timestamptz using created_at;

alter table reconciliation_exceptions
  alter column fingerprint set not null,
  alter column last_report_id set not null,
  alter column last_seen_at set not null,
  alter column last_seen_at set default now();

alter table reconciliation_reports
  add constraint reconciliation_reports_run_type_check check (run_type in ('hourly', 'daily', 'manual')),
  add constraint reconciliation_reports_status_check check (status in ('pending', 'in_progress', 'completed', 'failed'));

alter table reconciliation_exceptions
  add constraint reconciliation_exceptions_severity_check check (severity in ('low', 'medium', 'high', 'critical')),
  add constraint reconciliation_exceptions_occurrences_check check (occurrences >= 1);

-- Not valid yet: adopted rows may name a report that the host has deleted. They stay; new rows are checked.
alter table reconciliation_checks
  add constraint reconciliation_checks_report_id_fkey
    foreign key (report_id) references reconciliation_reports (id) on delete restrict not valid;

alter table reconciliation_exceptions
  add constraint reconciliation_exceptions_report_id_fkey
    foreign key (report_id) references reconciliation_reports (id) on delete restrict not valid,
  add constraint reconciliation_exceptions_last_report_id_fkey
    foreign key (last_report_id) references reconciliation_reports (id) on delete restrict not valid,
  add constraint reconciliation_exceptions_check_id_fkey
    foreign key (check_id) references reconciliation_checks (id) on delete restrict not valid,
  add constraint reconciliation_exceptions_previous_exception_id_fkey
    foreign key (previous_exception_id) references reconciliation_exceptions (id) on delete restrict not valid;

do $$
declare
  item record;
begin
  for item in
    select r.conrelid::regclass as relation, r.conname
    from pg_constraint r
    where r.contype = 'f' and not r.convalidated
      and r.conrelid in ('reconciliation_checks'::regclass, 'reconciliation_exceptions'::regclass)
  loop
    begin
      execute format('alter table %s validate constraint %I', item.relation, item.conname);
    exception
      when foreign_key_violation then null;
    end;
  end loop;
end
$$;

create index reconciliation_reports_newest on reconciliation_reports (created_at desc);
create index reconciliation_checks_of_report on reconciliation_checks (report_id);
create index reconciliation_checks_newest on reconciliation_checks (check_type, created_at desc);

-- At most one unresolved exception per subject and kind.
create unique index reconciliation_exceptions_one_unresolved on reconciliation_exceptions (fingerprint)
  where resolved_at is null;
create index reconciliation_exceptions_unresolved on reconciliation_exceptions (severity, created_at desc)
  where resolved_at is null;
create index reconciliation_exceptions_newest on reconciliation_exceptions (created_at desc);
create index reconciliation_exceptions_history on reconciliation_exceptions (fingerprint, created_at desc);
create index reconciliation_exceptions_of_report on reconciliation_exceptions (report_id);
create index reconciliation_exceptions_of_last_report on reconciliation_exceptions (last_report_id);
create index reconciliation_exceptions_of_check on reconciliation_exceptions (check_id);
create index reconciliation_exceptions_of_previous on reconciliation_exceptions (previous_exception_id)
  where previous_exception_id is not null;

comment on table reconciliation_reports is 'One row per execution of recon run.';
comment on column reconciliation_reports.status is
  'completed: every check gave an answer. failed: at least one proves nothing, or the run was interrupted.';
comment on column reconciliation_reports.failed_checks is
  'Checks that found something or prove nothing; passed_checks + failed_checks = total_checks.';
comment on column reconciliation_reports.exceptions_count is 'Findings of this run, new ones and those seen again.';
comment on column reconciliation_reports.metadata is 'The verdict (passed, failed, incomplete) and what led to it.';

comment on table reconciliation_checks is 'One comparison of one run.';
comment on column reconciliation_checks.status is
  'failed with an error_message and null values: the check is incomplete, it proves nothing.';
comment on column reconciliation_checks.expected_value is
  'What one side says, summed, USDC and USD at par; null if the check is incomplete. Per currency in metadata.';
comment on column reconciliation_checks.actual_value is 'What the other side says.';
comment on column reconciliation_checks.difference is 'actual_value - expected_value.';
comment on column reconciliation_checks.passed is 'No finding that is not accepted. False also for an incomplete check.';

comment on table reconciliation_exceptions is
  'A discrepancy with a life: found, seen again, resolved. Every change is in reconciliation_exception_events.';
comment on column reconciliation_exceptions.report_id is 'The run that found it first.';
comment on column reconciliation_exceptions.check_id is 'The check that found it first; null only in rows older than recon.';
comment on column reconciliation_exceptions.severity is 'Of the amount at stake when it was seen last.';
comment on column reconciliation_exceptions.expected_value is 'As seen last; null where there is no such value, never 0.';
comment on column reconciliation_exceptions.actual_value is 'As seen last; null where there is no such value, never 0.';
comment on column reconciliation_exceptions.difference is 'actual_value - expected_value.';
comment on column reconciliation_exceptions.affected_user_id is 'A user of the host; no foreign key, the host may delete its rows.';
comment on column reconciliation_exceptions.affected_entity is 'The subject: deposit:<id>, transaction:<id>, account:<id>, custodian:circle, …';
comment on column reconciliation_exceptions.resolved_by is 'A person, or system: a complete check looked again and found nothing.';
comment on column reconciliation_exceptions.kind is
  'What is wrong, as recon checks explains it; unclassified in rows older than recon.';
comment on column reconciliation_exceptions.fingerprint is
  'Identity: check/kind/subject; at most one unresolved row each. check/legacy/<id> in rows older than recon.';
comment on column reconciliation_exceptions.last_report_id is 'The run that saw it last.';
comment on column reconciliation_exceptions.last_seen_at is 'When that run saw it.';
comment on column reconciliation_exceptions.occurrences is 'In how many runs it was seen.';
comment on column reconciliation_exceptions.previous_exception_id is 'The resolved exception that this one is the return of.';
