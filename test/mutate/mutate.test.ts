import { expect, test } from 'vitest';
import { Choice } from './choice.ts';
import { mutantOf, type Edit } from './mutant.ts';
import { sqlEdits } from './sql.ts';
import { Explanations } from './survivors.ts';
import { mutantsOf, targetFiles } from './targets.ts';
import { typescriptEdits } from './typescript.ts';

/** The text after each edit. */
function broken(text: string, edits: Edit[]): string[] {
  return edits.map((edit) => mutantOf('file', text, edit).text);
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

test('every explanation is of something that can be broken', () => {
  const explanations = new Explanations();
  for (const file of targetFiles()) for (const mutant of mutantsOf(file)) explanations.of(mutant);
  expect(targetFiles().flatMap((file) => explanations.stale(file))).toEqual([]);
});
