import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { shipped } from '../shipped.ts';

/** One numbered pair of files under sql/migrations. */
export interface Migration {
  version: number;
  /** `0001_reports_checks_exceptions`, what comes before `.up.sql` and `.down.sql`. */
  name: string;
  up: string;
  down: string;
  /** Of `up`: an applied file must stay as it is. */
  sha256: string;
  /** The tables that `up` makes, or adopts. */
  tables: string[];
}

const folder = shipped('sql/migrations/');

/** All migrations, in order. */
export async function readMigrations(): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.up.sql')).sort();
  return Promise.all(files.map((file) => readMigration(file.replace('.up.sql', ''))));
}

async function readMigration(name: string): Promise<Migration> {
  const [up, down] = await Promise.all([readSql(`${name}.up.sql`), readSql(`${name}.down.sql`)]);
  const sha256 = createHash('sha256').update(up).digest('hex');
  const tables = [...up.matchAll(/^create table (?:if not exists )?(\w+)/gm)].map(([, table]) => table ?? '');
  return { version: Number.parseInt(name, 10), name, up, down, sha256, tables };
}

/** Without the line ends of Windows, which a checkout may have put in: they would look like an edited file. */
async function readSql(file: string): Promise<string> {
  return (await readFile(new URL(file, folder), 'utf8')).replaceAll('\r\n', '\n');
}
