import { expect, test } from 'vitest';
import { inReadOnly, withDatabase } from '../../src/database/database.ts';
import { testDatabase } from '../support/database.ts';

const { url } = await testDatabase();

test('arrays come back as they went, whatever their texts hold', async () => {
  const texts = ['', 'null', 'NULL', ' a ', 'a,b', '{}', '"', '\\', '\\"', 'new\nline', 'ünïcödé', '{"a": [1]}'];
  const id = '00000000-0000-4000-8000-000000000001';
  await withDatabase(url, { connections: 1 }, async (database) => {
    const [row] = await inReadOnly(
      database,
      (transaction) => transaction`
      select
        ${texts}::text[] as texts, ${[]}::text[] as none, array['a', null, 'null'] as holes, ${[id]}::uuid[] as ids,
        ${['0.10', 'NaN', '-1e-18']}::numeric[] as amounts, ${[1, -2]}::integer[] as numbers,
        array[9007199254740993]::bigint[] as large, array['name'::name] as names
    `,
    );
    expect(row).toEqual({
      texts,
      none: [],
      holes: ['a', null, 'null'],
      ids: [id],
      amounts: ['0.10', 'NaN', '-0.000000000000000001'],
      numbers: [1, -2],
      large: ['9007199254740993'],
      names: ['name'],
    });
  });
});
