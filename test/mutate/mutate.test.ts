import { expect, test } from 'vitest';
import { Choice } from './choice.ts';
import { mutantsBy, type Edit } from './mutant.ts';
import { sqlEdits } from './sql.ts';
import { Explanations } from './survivors.ts';
import { mutantsOf, targetFiles } from './targets.ts';
import { typescriptEdits } from './typescript.ts';

/** The text after each edit. */
function broken(text: string, edits: Edit[]): string[] {
  return mutantsBy(edits, 'file', text).map((mutant) => mutant.text);
}

test.each([
  ['select a from b where c < 1', ['where true', 'c <= 1', 'c >= 1', 'c < 2']],
  ['select a from b where c and not d', ['where true and', 'c or not d', 'c and true', 'c and  d']],
  ['select a from b where c or d is null', ['false or', 'c and d', 'c or false', 'd is not null']],
  ['select a from b left join c on d = e', ['b inner join c', 'on true', 'd <> e']],
  ['select a from b cross join c', ['b left join c on false']],
  ['select a is not true from b', ['a is true', 'a is false']],
  ['select a is distinct from b', ['a is not distinct from b', 'a <> b']],
  ['select coalesce(a, b) union select c', ['coalesce( b)', 'coalesce(a)', 'union all select']],
  ["select case a when 'b' then -c else d end", ["'b~'", 'then c', 'else null']],
  ['select case when a then b end', ['when false then b']],
  ['select sum(a) filter (where b) from c', ['max(a)', '(where true)']],
  ["select a from b where c in ('d')", ['where true', 'not in', "('d~')"]],
  ['select min(a) over (partition by b, c order by d)', ['max(a)', 'by  c', 'by b order', 'order by d desc']],
  ['select a * 2 from b order by a', ['a + 2', 'a * 3']],
])('%s', (sql, changes) => {
  const texts = broken(sql, sqlEdits(sql));
  expect(texts).toHaveLength(changes.length);
  for (const [index, change] of changes.entries()) expect(texts[index]).toContain(change);
});

test('TypeScript is broken as well, and the SQL in it', () => {
  const text = 'const a = b > 1 ? c : d ?? e;\nif (!f) await transaction`select ${g} from h where i = ${j}`;';
  expect(broken(text, typescriptEdits(text)).map((one) => one.replaceAll('\n', ' '))).toEqual(
    [
      ['b > 1 ?', 'true ?'],
      ['b > 1 ?', 'false ?'],
      ['b > 1', 'b >= 1'],
      ['b > 1', 'b <= 1'],
      ['> 1', '> 2'],
      ['d ?? e', 'd'],
      ['d ?? e', 'e'],
      ['!f', 'true'],
      ['!f', 'false'],
      ['!f', 'f'],
      ['i = ${j}', 'true'],
      ['i = ${j}', 'i <> ${j}'],
    ].map(([from, to]) => text.replaceAll('\n', ' ').replace(from!, () => to!)),
  );
});

test.each([
  [['sql/checks/zero'], true, (line: number) => line > 0],
  [['sql/checks/zero.sql:5'], false, (line: number) => line === 5],
  [
    ['sql/checks/zero.sql:2-5', 'sql/checks/zero.sql:7'],
    false,
    (line: number) => (line >= 2 && line <= 5) || line === 7,
  ],
])('%s is broken alone', (places, whole, isBroken) => {
  const choice = new Choice(places);
  expect(choice.files()).toEqual(['sql/checks/zero.sql']);
  expect(choice.hasAllOf('sql/checks/zero.sql')).toBe(whole);
  const lines = mutantsOf('sql/checks/zero.sql').map(({ line }) => line);
  const broken = choice.mutantsOf('sql/checks/zero.sql').map(({ line }) => line);
  expect(broken).toEqual(lines.filter(isBroken));
  expect(broken).not.toEqual([]);
});

test('a reason is of one place, and of no other that looks alike', () => {
  const text = 'select a from b where c = 1\nunion\nselect a from b where c = 2\nunion\nselect 3';
  const unions = mutantsBy(sqlEdits(text), 'file', text).filter(({ code }) => code === 'union');
  expect(unions.map(({ line, which }) => [line, which])).toEqual([
    [2, '1 of 2'],
    [4, '2 of 2'],
  ]);
  const union = { code: 'union', change: 'union → union all', why: 'as good' };
  const told = (reasons: object[]) => {
    const explanations = new Explanations(JSON.stringify({ file: reasons }));
    const whys = unions.map((mutant) => explanations.of(mutant));
    const survivors = unions.filter((_mutant, index) => whys[index] !== undefined);
    return [...whys, explanations.stale('file', survivors).length];
  };
  expect(told([union]), 'it does not say which').toEqual([undefined, undefined, 1]);
  expect(told([{ ...union, which: ['2 of 2'] }])).toEqual([undefined, 'as good', 0]);
  expect(told([{ ...union, which: ['1 of 2', '2 of 2'] }])).toEqual(['as good', 'as good', 0]);
  expect(told([{ ...union, which: ['2 of 3'] }]), 'one was there that is not').toEqual([undefined, undefined, 1]);
  const each = ['1 of 2', '2 of 2'].map((which) => ({ ...union, which: [which], why: which }));
  expect(told(each)).toEqual(['1 of 2', '2 of 2', 0]);
  expect(told([...each, each[0]!]), 'twice').toEqual(['1 of 2', '2 of 2', 1]);
  expect(new Explanations(JSON.stringify({ file: each })).stale('file', [unions[0]!]), 'noticed by now').toEqual([
    expect.stringContaining('2 of 2'),
  ]);
});

test('every explanation is of something that can be broken', () => {
  const explanations = new Explanations();
  expect(targetFiles().flatMap((file) => explanations.stale(file, mutantsOf(file)))).toEqual([]);
});
