import { expect, test } from 'vitest';
import { listOf } from '../../src/database/list-of.ts';
import { toJson } from '../../src/output/json.ts';

test('version first, then the members, the list item by item', async () => {
  const items = [{ n: '1' }, { n: '2' }];
  const chunks = await listOf(toJson({ report: { id: 'a' } }, { name: 'exceptions', items }));
  expect(chunks.join('')).toBe('{"version":1,"report":{"id":"a"},"exceptions":[\n{"n":"1"},\n{"n":"2"}\n]}\n');
  expect(chunks).toHaveLength(4);
});

test('an empty list, no list', async () => {
  expect((await listOf(toJson({}, { name: 'reports', items: [] }))).join('')).toBe('{"version":1,"reports":[\n]}\n');
  expect((await listOf(toJson({ exception: null }))).join('')).toBe('{"version":1,"exception":null}\n');
});

test('is read one item at a time, and no further than somebody wants to know', async () => {
  let read = 0;
  let closed = false;
  async function* endless() {
    try {
      for (;;) yield await Promise.resolve({ n: (read += 1) });
    } finally {
      closed = true;
    }
  }
  const chunks = toJson({}, { name: 'items', items: endless() });
  for (let count = 0; count < 3; count += 1) await chunks.next();
  expect(read).toBeLessThanOrEqual(3);
  await chunks.return(undefined);
  expect(closed).toBe(true);
});

test('what a terminal would obey is escaped; the value is the same', async () => {
  const hostile = { text: '\u009b2J\u001b[31m\u202egpj.exe\u2028 \u{e0001} Zoë 💶' };
  const json = (await listOf(toJson({ hostile }, { name: 'items', items: [hostile] }))).join('');
  expect(json).toMatch(/^[ -~ë💶\n]*$/u);
  expect(JSON.parse(json)).toEqual({ version: 1, hostile, items: [hostile] });
});
