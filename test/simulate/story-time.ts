import type postgres from 'postgres';

// Stories play in 2099, and the transactions that an application leaves open in them began today by the clock of
// PostgreSQL, which cannot be set. So recon is shown the sessions of the server with the times of the story.

/** Of a session with this name the transaction began at the moment that follows. */
const began = 'began ';

/** As long as the name of the schema that it stands for: what is put in its place keeps the length of a message. */
const schema = 'story_time';

export async function keepStoryTime(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`
    create schema ${schema};
    create view ${schema}.pg_stat_activity as
    select
      activity.datname, activity.pid, activity.usename, activity.application_name, activity.client_addr, activity.state,
      activity.query, activity.backend_type,
      case
        when activity.xact_start is not null and starts_with(activity.application_name, '${began}')
          then substr(activity.application_name, ${began.length + 1})::timestamptz
        else activity.xact_start
      end as xact_start
    from pg_catalog.pg_stat_activity as activity`);
}

/** What recon sends, asking for the sessions of the story. */
export function inStoryTime(bytes: Buffer): Buffer {
  if (!bytes.includes(asked)) return bytes;
  return Buffer.from(bytes.toString('latin1').replaceAll(asked, `${schema}.pg_stat_activity`), 'latin1');
}

const asked = 'pg_catalog.pg_stat_activity';

/** The next transactions of this session are of the story; null: they are not. */
export async function beginsAt(session: postgres.ReservedSql, moment: Date | null): Promise<void> {
  const name = moment === null ? '' : `${began}${moment.toISOString()}`;
  await session`select set_config('application_name', ${name}, false)`;
}
