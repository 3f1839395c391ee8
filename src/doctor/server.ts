import { clockTolerance } from '../run/horizon.ts';
import { withDatabases, writersBefore } from '../run/source-database.ts';
import { inReadOnly, type Database, type Transaction } from '../database/database.ts';
import type { UrlVariable } from '../database/problem.ts';
import { roleOf } from '../database/rights.ts';
import { isVerified, parametersOf } from '../database/url-parameters.ts';
import type { World } from '../world.ts';
import { ok, problem, warning, type DatabasePatient, type Examination, type Opinion } from './examination.ts';

/** The majors that the tests run on (.github/workflows/ci.yml). */
export const oldest = 14;
export const newest = 18;

/** That there is a database, and which. */
export const server: Examination<DatabasePatient> = {
  topic: 'database',
  async examine({ database }) {
    const { version, role, name, standby } = await inReadOnly(database, identify);
    const major = Number.parseInt(version, 10);
    const told = `PostgreSQL ${version}, database ${name}, as ${role}`;
    if (standby)
      return [
        problem(
          `${told}: a replica, where nobody writes.`,
          'Let DATABASE_URL name the main database, and SOURCE_DATABASE_URL this one.',
        ),
      ];
    if (major < oldest) return [problem(`${told}: too old.`, `Use PostgreSQL ${oldest} or newer.`)];
    if (major > newest)
      return [warning(`${told}: newer than what this recon was tested on (${oldest} to ${newest}).`, null)];
    return [ok(`${told}.`)];
  },
};

interface Identity {
  version: string;
  role: string;
  name: string;
  standby: boolean;
}

async function identify(transaction: Transaction): Promise<Identity> {
  const [row] = await transaction<Identity[]>`
    select
      current_setting('server_version') as version,
      current_user as role,
      current_database() as name,
      pg_is_in_recovery() as standby
  `;
  if (row === undefined) throw new Error('The database did not say what it is.');
  return row;
}

/** Whether somebody on the way could read along, or stand in for the server. Asks nobody. */
export const encryption: Examination = {
  topic: 'encryption',
  examine({ config: { databaseUrl, sourceDatabaseUrl } }) {
    const urls = [...new Set([databaseUrl, sourceDatabaseUrl])];
    return Promise.resolve(
      urls.map((url) => howProtected(url, url === databaseUrl ? 'DATABASE_URL' : 'SOURCE_DATABASE_URL')),
    );
  },
};

function howProtected(url: string, variable: UrlVariable): Opinion {
  const { hostname } = new URL(url);
  const parameters = parametersOf(url);
  const { sslmode: mode } = parameters;
  if (isVerified(parameters)) return ok('TLS; the certificate of the database is verified.');
  if (/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) return ok('The database is on this machine.');
  const fact =
    mode === undefined || mode === 'disable'
      ? 'The connection to the database is not encrypted'
      : 'Nobody verifies the server';
  return warning(
    `${fact} (${mode === undefined ? `no sslmode in ${variable}` : `sslmode=${mode}`}).`,
    `Add ?sslmode=verify-full to ${variable}, and &sslrootcert=FILE where the authority is your own or your provider’s.`,
  );
}

/** An hourly run stays so far behind its cut anyway. */
const longMs = 15 * 60_000;

/** Who else writes, and whether that can be seen: it decides how far an hourly run verifies. */
export const writers: Examination<DatabasePatient> = {
  topic: 'writers',
  async examine({ database, config, world }) {
    const {
      oldest: begun,
      hidden,
      seesAll,
    } = await withDatabases(config, world.signal, (databases) => writersBefore(databases, config, world.signal));
    if (hidden || !seesAll)
      return [
        warning(
          'The transactions of others are hidden from this role: while others are connected, hourly runs verify up to an hour ago only.',
          `As a database administrator: \`grant pg_read_all_stats to ${await inReadOnly(database, roleOf)};\``,
        ),
      ];
    if (begun === null) return [ok('No other transaction is open.')];
    const told = `The oldest open transaction began at ${begun}`;
    if (world.now().getTime() - Date.parse(begun) <= longMs) return [ok(`${told}.`)];
    return [
      warning(
        `${told}: hourly runs verify up to there only.`,
        'Find out whose it is: `select pid, usename, application_name, state, xact_start from pg_stat_activity order by xact_start;`, or pg_prepared_xacts.',
      ),
    ];
  },
};

/** An hourly run holds the clock of the machine against that of the database that the checks read. */
export const clock: Examination<DatabasePatient> = {
  topic: 'clock',
  examine({ config, world }) {
    return withDatabases(config, world.signal, async ({ main, source }) => {
      const clockIn = (database: Database, name: string) =>
        inReadOnly(database, (transaction) => clockOf(transaction, name, world));
      const opinions = [await clockIn(main, 'The database’s clock')];
      if (source !== main) opinions.push(await clockIn(source, 'The clock where the checks read'));
      return opinions;
    });
  },
};

async function clockOf(transaction: Transaction, name: string, world: World): Promise<Opinion> {
  const now = world.now().toISOString();
  const [row] = await transaction<{ seconds: number; apart: boolean }[]>`
    select
      extract(epoch from clock_timestamp() - ${now}::timestamptz)::integer as seconds,
      clock_timestamp() - ${now}::timestamptz
        not between -${clockTolerance}::interval and ${clockTolerance}::interval as apart
  `;
  if (row === undefined) throw new Error('The database gave no time.');
  const told = `${name} is ${Math.abs(row.seconds)} s ${row.seconds < 0 ? 'behind' : 'ahead of'} this machine’s`;
  return row.apart ? problem(`${told}.`, 'Set both by NTP.') : ok(`${told}.`);
}
