import { randomBytes } from 'node:crypto';
import type postgres from 'postgres';
import { onTestFinished } from 'vitest';

/** A login that is a member of these roles and may do nothing else; gone with the test. */
export async function login(
  sql: postgres.Sql,
  url: string,
  ...groups: string[]
): Promise<{ name: string; password: string; url: string }> {
  const [name, password] = [`recon_test_${randomBytes(5).toString('hex')}`, 'canary-database-password'];
  await sql.unsafe(`create role ${name} login password '${password}'`);
  for (const group of groups) await sql.unsafe(`grant ${group} to ${name}`);
  onTestFinished(async () => {
    await sql.unsafe(`drop owned by ${name}`);
    await sql.unsafe(`drop role ${name}`);
  });
  const own = new URL(url);
  [own.username, own.password] = [name, password];
  return { name, password, url: own.href };
}
