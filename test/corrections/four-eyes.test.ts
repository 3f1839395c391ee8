import { expect, test } from 'vitest';
import { readMigrations } from '../../src/migrations/files.ts';
import { isSamePerson } from '../../src/exceptions/actions.ts';
import { desk } from './desk.ts';
import { testDatabase } from '../support/database.ts';

test('the database takes for one person whom recon takes for one', async () => {
  const { sql } = await testDatabase();
  const ignored = Array.from({ length: 0x110000 }, (_, code) => code).filter((code) =>
    /[\p{Default_Ignorable_Code_Point}\p{Cc}\s]/u.test(String.fromCodePoint(code)),
  );
  const names = [
    ...ignored.filter((code) => code !== 0).map((code) => `A${String.fromCodePoint(code)}da`),
    ...['Ada', 'ada', ' ADA\t', 'A da', 'A  da', 'Ada', 'Ａｄａ', 'Ада', 'Adá', 'Ada\u0301', 'Grace', 'ﬁ', 'fi', ''],
  ];
  for (const other of ['ada', 'A da', 'adá', 'FI', '']) {
    const same = await sql<{ name: string }[]>`
      select name from unnest(${names}::text[]) with ordinality as given (name, place)
      where reconciliation_signature(name) = reconciliation_signature(${other})
      order by place`;
    expect(
      same.map(({ name }) => name),
      other,
    ).toEqual(names.filter((name) => isSamePerson(name, other)));
  }
});

test('what was proposed before stays on record through the migration, and back', async () => {
  const at = await desk();
  at.ledger.deposit(at.ada, '5', { post: false });
  await at.save();
  const [exception] = (await at.runs()).exceptions;
  const migrations = await readMigrations();
  const fourEyes = migrations.findIndex(({ name }) => name === '0009_four_eyes');
  for (const later of migrations.slice(fourEyes + 1).reverse()) await at.sql.unsafe(later.down);
  const { up, down } = migrations[fourEyes]!;
  await at.sql.unsafe(down);
  const states = ['applied', 'failed', 'proposed', 'refused', 'rejected'];
  for (const state of states)
    await at.sql`insert into reconciliation_corrections ${at.sql({
      exception_id: exception!.id,
      correction: 'post_record',
      state,
      action: 'x',
      amount: '1',
      proposed_by: 'Ada',
      decided_by: state === 'proposed' ? null : 'A\u200bda',
      rows_written: at.sql.json([{ row: state }]),
      created_at: new Date(),
      ended_at: state === 'proposed' ? null : new Date(),
    })}`;
  const rows = () => at.sql`select * from reconciliation_corrections order by state`;
  const before = await rows();
  await at.sql.begin((transaction) => transaction.unsafe(up));
  expect(await rows()).toMatchObject(
    states.map((state) => ({
      state,
      rows_proposed: [{ row: state }],
      rows_written: state === 'applied' ? [{ row: state }] : [],
    })),
  );
  await at.sql.begin((transaction) => transaction.unsafe(down));
  expect(await rows()).toEqual(before);
});
