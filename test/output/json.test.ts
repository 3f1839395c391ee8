import { expect, test } from 'vitest';
import { toJson } from '../../src/output/json.ts';

test('version first, then the members, the list item by item', () => {
  const chunks = [...toJson({ report: { id: 'a' } }, { name: 'exceptions', items: [{ n: '1' }, { n: '2' }] })];
  expect(chunks.join('')).toBe('{"version":1,"report":{"id":"a"},"exceptions":[\n{"n":"1"},\n{"n":"2"}\n]}\n');
  expect(chunks).toHaveLength(4);
});

test('an empty list, no list', () => {
  expect([...toJson({}, { name: 'reports', items: [] })].join('')).toBe('{"version":1,"reports":[\n]}\n');
  expect([...toJson({ exception: null })].join('')).toBe('{"version":1,"exception":null}\n');
});

test('is read one item at a time', () => {
  let read = 0;
  function* endless() {
    for (;;) yield { n: (read += 1) };
  }
  const chunks = toJson({}, { name: 'items', items: endless() });
  for (let count = 0; count < 3; count += 1) chunks.next();
  expect(read).toBeLessThanOrEqual(3);
});
