import { join } from 'node:path';
import type { Config } from '../config.ts';
import { databaseProblem, placeOf } from '../database/problem.ts';
import { Incomplete } from '../incomplete.ts';
import { relations, type Source } from '../source.ts';

/**
 * The same reason with the file of the mapping that has to be mended, as far as PostgreSQL tells: a statement is made
 * of many files, and nobody who wrote one of them knows the whole. Of what is not there also with the database: the
 * mapping may be right, and that another one.
 */
export function withPlace(reason: Incomplete, error: unknown, { source, config }: Read): Incomplete {
  const problem = databaseProblem(error);
  if (problem === undefined || problem.code === insufficientPrivilege || reason.exitCode !== 78) return reason;
  const relation = relationAt(statementOf(error), problem.position);
  const place = relation === undefined ? source.folder : join(source.folder, `${relation}.sql`);
  const where = missing.includes(problem.code) ? ` ${databaseOf(config)}` : '';
  return new Incomplete(`${reason.message} The mapping is ${place}.${where}`, 78, { cause: error });
}

interface Read {
  source: Source;
  config: Pick<Config, 'databaseUrl' | 'sourceDatabaseUrl'>;
}

/** A table or a schema. */
const missing = ['42P01', '3F000'];

function databaseOf({ databaseUrl, sourceDatabaseUrl }: Read['config']): string {
  const variable = sourceDatabaseUrl === databaseUrl ? 'DATABASE_URL' : 'SOURCE_DATABASE_URL';
  return `The database is ${placeOf(sourceDatabaseUrl)}, by ${variable}.`;
}

/** What a role may not read, no mapping can mend. */
const insufficientPrivilege = '42501';

function statementOf(error: unknown): string {
  const { query } = error as { query?: unknown }; // where the driver keeps it
  return typeof query === 'string' ? query : '';
}

/** The relation that the statement makes at that place; undefined inside the SQL of a check. */
function relationAt(statement: string, position: number | undefined): string | undefined {
  if (position === undefined) return undefined;
  const before = Array.from(statement).slice(0, position).join('');
  const name = [...before.matchAll(/^(?:mapped_)?(\w+) as not materialized \($/gm)].at(-1)?.[1];
  return name !== undefined && name in relations ? name : undefined;
}
