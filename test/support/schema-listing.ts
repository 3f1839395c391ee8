import type { Sql } from 'postgres';

/** Everything that has a name in a schema, one line each, with its definition, and without the schema's own name. */
export async function listSchema(sql: Sql, schema = 'public'): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`
    with relation as (
      select oid, relname, relkind from pg_class where relnamespace = (select oid from pg_namespace where nspname = ${schema})
    )
    select format('%s %s', relkind, relname) as line from relation
    union all
    select format(
      'column %s.%s %s%s%s', relname, attname, format_type(atttypid, atttypmod),
      case when attnotnull then ' not null' else '' end, ' default ' || pg_get_expr(adbin, adrelid)
    )
    from relation
    join pg_attribute a on a.attrelid = oid and attnum > 0 and not attisdropped
    left join pg_attrdef on adrelid = a.attrelid and adnum = attnum
    where relkind = 'r'
    union all
    select format('constraint %s %s', conname, pg_get_constraintdef(r.oid))
    from pg_constraint r join relation on conrelid = relation.oid
    where contype <> 'n'
    union all
    select format('index %s', pg_get_indexdef(oid)) from relation where relkind = 'i'
    union all
    select format('trigger %s', pg_get_triggerdef(t.oid)) from pg_trigger t join relation on tgrelid = relation.oid
    where not tgisinternal
    union all
    select format(
      'function %s%s%s %s', oid::regprocedure, case when prosecdef then ' as its owner' else '' end,
      case when has_function_privilege('public', oid, 'execute') then ' by everybody' else '' end,
      md5(concat(proconfig, prosrc))
    )
    from pg_proc
    where pronamespace = (select oid from pg_namespace where nspname = ${schema})
    union all
    select format('type %s', typname) from pg_type
    where typnamespace = (select oid from pg_namespace where nspname = ${schema}) and typtype <> 'c' and typelem = 0
    order by line`;
  return rows.map(({ line }) => line.replaceAll(`${schema}.`, ''));
}
