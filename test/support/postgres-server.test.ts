import { expect, test } from 'vitest';
import { emptyDatabase, testDatabase } from './database.ts';

const file = await testDatabase();

test('a file has its database', async () => {
  expect(await file.sql`select 1 as one`).toEqual([{ one: 1 }]);
});

test('a test has its own', async () => {
  const own = await emptyDatabase();
  expect(own.url).not.toBe(file.url);
  await own.sql`create table t (a numeric)`;
});
