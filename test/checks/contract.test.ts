import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { checks } from '../../src/checks/index.ts';
import { checkNames } from '../../src/checks/names.ts';
import type { Transaction } from '../../src/database/database.ts';
import { kinds } from '../../src/kinds.ts';
import { bind, compose, composeForReading, openSource, relations, type Relation } from '../../src/source.ts';
import { testDatabase } from '../support/database.ts';
import { knownUser } from '../../src/run/known-user.ts';
import { openPool, paramsOf, rolledBack, runCheck } from '../support/run-check.ts';

const { url, sql: host } = await testDatabase();
const database = openPool(url);
const source = openSource('stack_service');

const checkFolder = fileURLToPath(new URL('../../sql/checks/', import.meta.url));
const checkFiles = readdirSync(checkFolder).sort();
const relationFiles = Object.keys(relations) as Relation[];
function textOf(relation: Relation): string {
  return readFileSync(`${source.folder}/${relation}.sql`, 'utf8');
}

const allSql = [
  ...checkFiles.map((name) => ({ name, text: readFileSync(checkFolder + name, 'utf8') })),
  ...relationFiles.map((name) => ({ name: `${name}.sql`, text: textOf(name) })),
];

const statements = checkNames.flatMap((check) =>
  Object.entries(checks[check].statements).map(([name, statement]) => ({ check, name, statement })),
);

test('every file of sql/checks is used, and every file that is used exists', () => {
  const used = statements.flatMap(({ statement: { layers, file } }) => [...layers.map((layer) => layer.file), file]);
  expect([...new Set([...used, knownUser.file])].sort()).toEqual(checkFiles);
});

test('the registry holds every check under its own name', () => {
  expect(Object.keys(checks)).toEqual([...checkNames]);
  expect(Object.values(checks).map(({ name }) => name)).toEqual([...checkNames]);
});

test('every kind belongs to a check, and every kind of a check is in the table', () => {
  const reported = new Set(Object.values(checks).flatMap((check) => check.kinds));
  expect([...reported].sort()).toEqual(kinds.map(({ name }) => name).sort());
});

describe.each(['ledger_consistency', 'deposits', 'conversion_jobs', 'withdrawals'] as const)(
  'the SQL of %s',
  (check) => {
    test('reports no kind that the check does not list', () => {
      const file = checks[check].statements['findings']!.file;
      const known: readonly string[] = kinds.map(({ name }) => name);
      const named = [...readFileSync(checkFolder + file, 'utf8').matchAll(/'(\w+)'/g)].map((match) => match[1]!);
      const reported = [...new Set(named.filter((word) => known.includes(word)))];
      const listed: readonly string[] =
        check === 'ledger_consistency' ? checks[check].kinds : checks.conversion_jobs.kinds;
      expect(reported.sort()).toEqual([...listed].sort());
    });
  },
);

describe.each(statements)('$check $name', ({ check, statement }) => {
  test('reads the relations that it declares, and no other', () => {
    const files = [...statement.layers.map((layer) => layer.file), statement.file];
    const mentioned = new Set(files.flatMap((file) => relationsIn(readFileSync(checkFolder + file, 'utf8'))));
    expect([...mentioned].sort()).toEqual([...statement.relations].sort());
  });

  test('ends with order by', () => {
    const text = readFileSync(checkFolder + statement.file, 'utf8').trimEnd();
    expect(text.split('\n').at(-1)).toMatch(/^order by /);
  });

  test('runs as it is printed', async () => {
    const text = composeForReading(source, statement, paramsOf(check));
    expect(text.trimEnd().at(-1)).toBe(';');
    await host.unsafe(text);
  });
});

function relationsIn(text: string): string[] {
  const names = [...withoutComments(text).matchAll(/\b(?:from|join)\s+(\w+)/g)].map((match) => match[1]!);
  return names.filter((name) => name in relations);
}

function withoutComments(text: string): string {
  return text.replaceAll(/--.*$/gm, '');
}

describe.each(['findings', 'totals'])('all %s', (name) => {
  test('have the same columns of the same types', async () => {
    const shapes = new Map<string, string[]>();
    await rolledBack(database, async (transaction) => {
      for (const { check, name: other, statement } of statements)
        if (other === name && checks[check].read === undefined)
          shapes.set(check, await columnsOf(transaction, compose(source, statement), bind(paramsOf(check))));
    });
    const [first] = shapes.values();
    expect([...shapes.values()]).toEqual([...shapes.values()].map(() => first));
    expect(first).toEqual(name === 'findings' ? findingColumns : totalsColumns);
  });
});

const findingColumns = [
  'kind text',
  'subject text',
  'expected_value numeric',
  'actual_value numeric',
  'stake numeric',
  'currency text',
  'affected_user_id uuid',
  'metadata jsonb',
];
const totalsColumns = [
  'currency text',
  'compared bigint',
  'expected_value numeric',
  'actual_value numeric',
  'awaited bigint',
  'awaited_amount numeric',
  'in_flight bigint',
  'in_flight_amount numeric',
  'details jsonb',
];

test.each(relationFiles)('sql/source/stack_service/%s.sql returns what the relation promises', async (relation) => {
  const text = `with params as (select null::timestamptz as since) ${textOf(relation)}`;
  const shape = await rolledBack(database, (transaction) => columnsOf(transaction, text, []));
  const full: Record<string, string> = { timestamptz: 'timestamp with time zone' };
  const promised = Object.entries(relations[relation]).map(([name, type]) => `${name} ${full[type] ?? type}`);
  expect(shape).toEqual(promised);
});

/** Name and type of every column of a statement's result, also of one without rows. */
async function columnsOf(
  transaction: Transaction,
  text: string,
  parameters: Parameters<Transaction['unsafe']>[1],
): Promise<string[]> {
  const { columns } = await transaction.unsafe(text, parameters);
  const names = await transaction<{ oid: number; name: string }[]>`
    select oid::int as oid, format_type(oid, null) as name from pg_type`;
  const typeName = new Map(names.map(({ oid, name }) => [oid, name]));
  return columns.map(({ name, type }) => `${name} ${typeName.get(type)}`);
}

describe.each(allSql)('$name', ({ text }) => {
  const code = withoutComments(text);

  test('asks nobody for the time, and rolls no dice', () => {
    expect(code).not.toMatch(/\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|random|timeofday)\s*\(/);
    expect(code).not.toMatch(/\b(current_timestamp|current_date|current_time|localtimestamp|localtime)\b/);
  });

  test('is lower-case', () => {
    const words = code.replaceAll(/'[^']*'/g, '').match(/\b\w*[A-Z]\w*\b/g);
    expect(words).toBeNull();
  });
});

test('a check names no table and no column that only the host knows', async () => {
  const rows = await host<{ name: string }[]>`
    select table_name as name from information_schema.tables where table_schema = current_schema()
    union
    select column_name from information_schema.columns
    where table_schema = current_schema() and table_name not like 'reconciliation%'`;
  const ours = new Set([
    'description',
    ...relationFiles,
    ...relationFiles.flatMap((relation) => Object.keys(relations[relation])),
  ]);
  const hosts = rows.map(({ name }) => name).filter((name) => !ours.has(name) && !name.startsWith('reconciliation'));
  expect(hosts).toContain('alpaca_funded_at');
  for (const { name, text } of allSql.filter((file) => checkFiles.includes(file.name))) {
    const words = new Set(
      withoutComments(text)
        .replaceAll(/'[^']*'/g, '')
        .match(/\w+/g),
    );
    const own = new Set(['metadata']); // a column of the answer
    expect(
      hosts.filter((word) => words.has(word) && !own.has(word)),
      name,
    ).toEqual([]);
  }
});

test.each(checkNames.filter((name) => checks[name].read === undefined))(
  '%s on empty books: 0 compared, nothing found',
  async (name) => {
    const comparison = await rolledBack(database, (transaction) => runCheck(transaction, name));
    expect(comparison).toMatchObject({ compared: 0, findings: [], truncated: false });
  },
);
