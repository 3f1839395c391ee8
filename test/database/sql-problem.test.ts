import { expect, test } from 'vitest';
import { openDatabase, query } from '../../src/database/database.ts';
import { databaseProblem } from '../../src/database/problem.ts';
import { describeSqlProblem } from '../../src/database/sql-problem.ts';
import { emptyDatabase } from '../support/database.ts';

const { url } = await emptyDatabase();

/** What is shown when `text` is run as the file x.sql. */
async function shown(text: string): Promise<string> {
  const database = openDatabase(url, { connections: 1 });
  try {
    await database.begin((transaction) => query(transaction, text));
    throw new Error('The statement succeeded.');
  } catch (error) {
    const problem = databaseProblem(error);
    if (problem === undefined) throw error;
    return describeSqlProblem('x.sql', text, problem);
  } finally {
    await database.end();
  }
}

test('shows the line and a caret under the place, characters counted as PostgreSQL does', async () => {
  expect(await shown("create table a (id int);\ncomment on table a is '𝒳€';\n  alter table b add c int;")).toBe(
    'x.sql: relation "b" does not exist (42P01).',
  );
  expect(await shown("select '𝒳€';\nselect 1,\n  '𝒳', missing\n;")).toBe(
    ['x.sql:3: column "missing" does not exist (42703).', "3 |   '𝒳', missing", `${' '.repeat(11)}^`].join('\n'),
  );
});

test('says what PostgreSQL said where it names no place', async () => {
  expect(await shown('create table c (id int); insert into c values (1); alter table c add check (id > 1) ;')).toBe(
    'x.sql: check constraint "c_id_check" of relation "c" is violated by some row (23514).',
  );
});
