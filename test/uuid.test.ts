import { expect, test } from 'vitest';
import { beginsUuid, isUuid, withDigits } from '../src/uuid.ts';

const whole = '3f2a91bc-0d4e-4c7b-9a61-5e8f7c2d1b30';

test('an id begins with each of its beginnings, and lies between the lowest and the highest that begin so', () => {
  for (let length = 1; length <= whole.length; length += 1) {
    const beginning = whole.slice(0, length);
    const [lowest, highest] = [withDigits(beginning, '0'), withDigits(beginning, 'f')];
    expect([beginsUuid(beginning), isUuid(lowest), isUuid(highest)]).toEqual([true, true, true]);
    expect(lowest <= whole && whole <= highest && lowest.startsWith(beginning) && highest.startsWith(beginning)).toBe(
      true,
    );
  }
  expect(beginsUuid(whole.toUpperCase())).toBe(true);
});

test.each(['', '-', '3f2a91bc0', '3f2a-', '3f2a91bc--', 'g', `${whole}0`, whole.replaceAll('-', ''), "a' or true --"])(
  'no id begins with "%s"',
  (text) => {
    expect(beginsUuid(text)).toBe(false);
  },
);
