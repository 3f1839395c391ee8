import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { checks } from '../src/checks/index.ts';
import { OperatorError } from '../src/operator-error.ts';
import { bind, compose, composeForReading, openSource } from '../src/source.ts';
import { emptyDatabase, testDatabase } from './support/database.ts';
import { paramsOf } from './support/run-check.ts';

const stackService = fileURLToPath(new URL('../sql/source/stack_service', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'recon-source-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function problemOf(action: () => unknown): OperatorError {
  try {
    action();
  } catch (error) {
    if (error instanceof OperatorError) return error;
  }
  return expect.fail('no OperatorError was thrown');
}

function copyOfSource(name: string): string {
  const copy = join(folder, name);
  cpSync(stackService, copy, { recursive: true });
  return copy;
}

describe('openSource', () => {
  test('a name is a folder of sql/source', () => {
    expect(openSource('stack_service')).toEqual({ name: 'stack_service', folder: stackService });
  });

  test.each(['stak_service', '/nowhere/at/all', './nowhere'])('an unknown folder is named: %s', (name) => {
    const problem = problemOf(() => openSource(name));
    expect(problem.exitCode).toBe(78);
    expect(problem.message).toContain('RECONCILIATION_SOURCE');
    expect(problem.message).toContain(name.replace('./', ''));
    expect(problem.hint).toContain('stack_service');
  });

  test('a file is no folder', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(problemOf(() => openSource(file)).exitCode).toBe(78);
  });

  test('every relation that is missing is named', () => {
    const copy = copyOfSource('incomplete');
    rmSync(join(copy, 'deposits.sql'));
    rmSync(join(copy, 'withdrawals.sql'));
    const problem = problemOf(() => openSource(copy));
    expect(problem.exitCode).toBe(78);
    expect(problem.message).toContain('lacks deposits.sql, withdrawals.sql');
    mkdirSync(join(folder, 'empty'));
    expect(problemOf(() => openSource(join(folder, 'empty'))).message).toContain('custody_positions.sql');
  });
});

test('a file without a select is named, a semicolon at the end is forgiven', async () => {
  const copy = copyOfSource('edited');
  writeFileSync(join(copy, 'deposits.sql'), '');
  writeFileSync(join(copy, 'withdrawals.sql'), '-- select id from withdrawals\n/* later */\n');
  const problem = problemOf(() => openSource(copy));
  expect(problem.exitCode).toBe(78);
  expect(problem.message).toBe(`${join(copy, 'deposits.sql')}, ${join(copy, 'withdrawals.sql')}: holds no select.`);

  const { sql } = await testDatabase();
  for (const relation of ['deposits', 'withdrawals']) {
    const original = readFileSync(join(stackService, `${relation}.sql`), 'utf8');
    writeFileSync(join(copy, `${relation}.sql`), `${original.trimEnd()} ;\n-- that was all;\n`);
  }
  for (const name of ['deposits', 'withdrawals'] as const)
    expect(
      await sql.unsafe(compose(openSource(copy), checks[name].statements['findings']!), bind(paramsOf(name))),
    ).toEqual([]);
});

const { findings } = checks.deposits.statements;

test('a folder by path takes the place of the built-in one', async () => {
  const copy = copyOfSource('own');
  const mapping = join(copy, 'deposits.sql');
  const original = readFileSync(mapping, 'utf8');
  writeFileSync(mapping, original.replace('from deposits as deposit', 'from treasury_inflows as deposit'));
  const { sql } = await testDatabase();
  await sql`alter table deposits rename to treasury_inflows`;
  const params = bind(paramsOf('deposits'));
  expect(await sql.unsafe(compose(openSource(copy), findings!), params)).toEqual([]);
  await expect(sql.unsafe(compose(openSource('stack_service'), findings!), params)).rejects.toThrow('"deposits"');
});

test('a host may have a table with the name of any relation or layer', async () => {
  const { sql } = await testDatabase();
  for (const name of ['postings', 'custody_accounts', 'custody_positions', 'params', 'records', 'comparison'])
    await sql`create table ${sql(name)} (nothing_of_ours text)`;
  for (const name of ['deposits', 'ledger_consistency', 'alpaca_balance'] as const)
    for (const statement of Object.values(checks[name].statements))
      await sql.unsafe(compose(openSource('stack_service'), statement), bind(paramsOf(name)));
});

test('what is printed for psql runs as it is, and values cannot break out of it', async () => {
  const { sql } = await testDatabase();
  const params = {
    ...paramsOf('deposits'),
    record_kind: "deposit'; drop table deposits; --",
    entries_per_transaction: 2,
  };
  const text = composeForReading(openSource('stack_service'), findings!, params);
  expect(text).toContain("'deposit''; drop table deposits; --'::text as record_kind");
  expect(text).toContain('2::integer as entries_per_transaction');
  expect(text).not.toMatch(/\$\d/);
  await sql.unsafe(text);
  expect(await sql`select count(*) from deposits`).toEqual([{ count: '0' }]);
});

test('a table that is not there is named by PostgreSQL, not hidden', async () => {
  const { sql } = await emptyDatabase();
  const text = compose(openSource('stack_service'), findings!);
  await expect(sql.unsafe(text, bind(paramsOf('deposits')))).rejects.toThrow('does not exist');
});
