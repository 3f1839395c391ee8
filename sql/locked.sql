-- What others have locked, or are about to, so that the statement $1 may have waited for it: of the tables that it names,
-- and of what their views and partitions are made of. One row per session: who it is, and the tables. A lock on an index
-- is one on its table; a prepared transaction has no session; on a replica the main database's locks are replayed by a
-- session of the server's own. Source: PostgreSQL, "Explicit Locking", "pg_locks".
with recursive
part as (
  select rewrite.ev_class as whole, depend.refobjid as piece
  from pg_catalog.pg_rewrite as rewrite
  inner join pg_catalog.pg_depend as depend
    on depend.classid = 'pg_catalog.pg_rewrite'::regclass and depend.objid = rewrite.oid
  where depend.refclassid = 'pg_catalog.pg_class'::regclass
  union
  select inherits.inhparent, inherits.inhrelid
  from pg_catalog.pg_inherits as inherits
),
named as (
  select class.oid
  from pg_catalog.pg_class as class
  where
    class.relkind in ('r', 'p', 'm', 'v')
    and lower(class.relname) in (select regexp_split_to_table(lower($1::text), '[^[:alnum:]_]+'))
  union
  select part.piece
  from named
  inner join part on part.whole = named.oid
),
locked as (
  select lock.pid, coalesce(index.indrelid, lock.relation) as relation
  from pg_catalog.pg_locks as lock
  inner join pg_catalog.pg_database as here on here.oid = lock.database and here.datname = current_database()
  left join pg_catalog.pg_index as index on index.indexrelid = lock.relation
  where
    lock.locktype = 'relation'
    and lock.pid is distinct from pg_backend_pid()
    and (
      lock.mode = 'AccessExclusiveLock'
      -- readers pass these, who writes does not
      or lock.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock')
      and $1 ~* '\m(insert|update|delete|merge)\M'
    )
)
select
  locked.pid,
  activity.usename::text as role,
  date_trunc('second', activity.xact_start) as since,
  pg_is_in_recovery() as "isReplayed",
  array_agg(distinct locked.relation::regclass::text order by locked.relation::regclass::text) as tables
from locked
inner join named on named.oid = locked.relation
left join pg_catalog.pg_stat_activity as activity on activity.pid = locked.pid
group by locked.pid, activity.usename, activity.xact_start
order by activity.xact_start, locked.pid
