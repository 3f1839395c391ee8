import { expect, test } from 'vitest';
import { toJsonb } from '../../src/database/jsonb.ts';

test.each([
  ['plain', { a: ['1', null, { b: true }] }, '{"a":["1",null,{"b":true}]}'],
  ['U+0000', { a: 'x\0y' }, '{"a":"x\ufffdy"}'],
  ['half a surrogate pair', ['\ud83d', '\ude00x'], '["\ufffd","\ufffdx"]'],
  ['a whole surrogate pair', '😀', '"😀"'],
  ['a backslash and what looks like an escape', '\\u0000', String.raw`"\\u0000"`],
])('%s', (_, value, json) => {
  expect(toJsonb(value)).toBe(json);
});
