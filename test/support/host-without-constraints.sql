-- Switches off whatever keeps the host's tables in order: keys, checks, not null, triggers, enums, scales. The checks
-- assume none of it, because they exist to find out that one was switched off. Indexes stay, but none is unique.
do $$
declare
  host_tables constant text[] := array[
    'users', 'wallets', 'ledger_accounts', 'ledger_transactions', 'ledger_entries', 'deposits', 'withdrawals',
    'conversion_jobs'
  ];
  statement text;
begin
  for statement in
    select format('alter table %s drop constraint %I', con.conrelid::regclass, con.conname)
    from pg_constraint as con
    inner join pg_class as rel on rel.oid = con.conrelid
    where rel.relnamespace = current_schema()::regnamespace and rel.relname = any (host_tables) and con.contype in ('f', 'c')
    union all
    select format('drop trigger %I on %s', trg.tgname, trg.tgrelid::regclass)
    from pg_trigger as trg
    inner join pg_class as rel on rel.oid = trg.tgrelid
    where rel.relnamespace = current_schema()::regnamespace and rel.relname = any (host_tables) and not trg.tgisinternal
  loop
    execute statement;
  end loop;

  for statement in
    select
      case
        when con.oid is not null then format('alter table %s drop constraint %I', idx.indrelid::regclass, con.conname)
        else format('drop index %s', idx.indexrelid::regclass)
      end
      || '; '
      || replace(pg_get_indexdef(idx.indexrelid), 'CREATE UNIQUE INDEX', 'create index')
    from pg_index as idx
    inner join pg_class as rel on rel.oid = idx.indrelid
    left join pg_constraint as con on con.conindid = idx.indexrelid and con.contype in ('p', 'u')
    where rel.relnamespace = current_schema()::regnamespace and rel.relname = any (host_tables) and idx.indisunique
  loop
    execute statement;
  end loop;

  for statement in
    select format('alter table %s alter column %I drop not null', att.attrelid::regclass, att.attname)
    from pg_attribute as att
    inner join pg_class as rel on rel.oid = att.attrelid
    where rel.relnamespace = current_schema()::regnamespace and rel.relname = any (host_tables) and att.attnotnull and att.attnum > 0
    union all
    select
      format('alter table %s alter column %I drop default', att.attrelid::regclass, att.attname)
    from pg_attribute as att
    inner join pg_class as rel on rel.oid = att.attrelid
    inner join pg_type as typ on typ.oid = att.atttypid
    where rel.relnamespace = current_schema()::regnamespace and rel.relname = any (host_tables) and att.atthasdef and typ.typtype = 'e'
    union all
    select
      format(
        'alter table %s alter column %I type %s',
        att.attrelid::regclass, att.attname, case when typ.typname = 'numeric' then 'numeric' else 'text' end
      )
    from pg_attribute as att
    inner join pg_class as rel on rel.oid = att.attrelid
    inner join pg_type as typ on typ.oid = att.atttypid
    where
      rel.relnamespace = current_schema()::regnamespace
      and rel.relname = any (host_tables)
      and rel.relkind = 'r'
      and att.attnum > 0
      and not att.attisdropped
      and (typ.typtype = 'e' or typ.typname = 'numeric')
  loop
    execute statement;
  end loop;
end
$$;
