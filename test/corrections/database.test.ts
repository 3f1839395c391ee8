import { expect, test } from 'vitest';
import { inTransaction } from '../../src/database/database.ts';
import { connectTo } from '../support/database.ts';
import { openPool } from '../support/run-check.ts';
import { operatorOf } from '../support/world.ts';
import { desk } from './desk.ts';

test('what was found in one database is not written into another, however alike', async () => {
  const at = await desk();
  const account = at.ledger.account(at.ada, 'usdc_balance').id;
  await at.drift(account, '0.5');
  await at.runs(['--check', 'ledger_consistency']);
  const [{ id } = { id: '' }] = await at.exceptions();
  const [name, other, maintenance] = [new URL(at.url).pathname.slice(1), new URL(at.url), new URL(at.url)];
  other.pathname = `/${name}_copy`;
  maintenance.pathname = '/postgres';
  await at.sql.end(); // nobody may be connected to what is copied
  await connectTo(maintenance.href).unsafe(`create database ${name}_copy template ${name}`);
  const elsewhere = connectTo(other.href);
  const balanceThere = () => elsewhere`select balance from ledger_accounts where id = ${account}`;
  const before = await balanceThere();

  const env = { RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY: 'true', CORRECTION_DATABASE_URL: other.href };
  const { runs, types } = operatorOf(at.url, env);
  const said = 'CORRECTION_DATABASE_URL names another database than DATABASE_URL';
  expect((await runs()).report.metadata['corrections']).toMatchObject({ not_made: `${said}: nothing is corrected.` });
  expect(await types(['corrections', 'propose', id])).toMatchObject({
    exitCode: 78,
    stderr: expect.stringContaining(said) as string,
  });
  expect((await types(['doctor'])).stdout).toContain(said);
  expect(await balanceThere()).toEqual(before);
});

test('nor into other tables of the same database', async () => {
  const at = await desk();
  await at.drift(at.ledger.account(at.ada, 'usdc_balance').id, '0.5');
  await at.sql.unsafe(`
    create schema shadow; create table shadow.ledger_accounts (like public.ledger_accounts including all);
  `);
  const url = new URL(at.url);
  url.searchParams.set('options', '-c search_path=shadow,public');
  const correctedAs = async (href: string) =>
    (
      await operatorOf(at.url, {
        RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY: 'true',
        CORRECTION_DATABASE_URL: href,
      }).runs()
    ).report.metadata['corrections'];
  expect(await correctedAs(url.href)).toMatchObject({
    not_made: 'CORRECTION_DATABASE_URL leads to other tables of the host than DATABASE_URL: nothing is corrected.',
  });
  url.searchParams.delete('options');
  expect(await correctedAs(url.href)).toMatchObject({ corrected: 1 });
});

test('what is wrong with the connection names the variable of corrections', async () => {
  const at = await desk();
  const url = new URL(at.url);
  url.pathname = '/nowhere';
  const { runs } = operatorOf(at.url, {
    RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY: 'true',
    CORRECTION_DATABASE_URL: url.href,
  });
  const { report } = await runs();
  expect(report.metadata['corrections']).toMatchObject({
    not_made: expect.stringMatching(/^The server of CORRECTION_DATABASE_URL has no such database/) as string,
  });
});

test('a transaction that writes sees what others committed, whatever the default of the database is', async () => {
  const at = await desk();
  await at.sql.unsafe(
    `alter database ${new URL(at.url).pathname.slice(1)} set default_transaction_isolation = 'serializable'`,
  );
  const pool = openPool(at.url);
  const [level] = await inTransaction(pool, 'read write', (transaction) => transaction`show transaction_isolation`);
  expect(level).toEqual({ transaction_isolation: 'read committed' });
});
