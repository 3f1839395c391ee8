import { expect, test } from 'vitest';
import { beginsUuid, isUuid, uuidFrom, withDigits } from '../src/uuid.ts';

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

// printf '%s' NAME | sha256sum: a correction that is posted again by a later release must have the ids that it had
test.each([
  // 175f4197f9ca47c8f25736b61240d602e3c93eac3b65be6caafaef61809efc21
  ['deposits/missing_in_ledger/deposit:42', '175f4197-f9ca-847c-88f2-5736b61240d6'],
  // 4159b905de121884d38cd658649d646e6901ec4564306700ef74984e65fe84da
  ['Zoë 💶', '4159b905-de12-8188-84d3-8cd658649d64'],
])('the id that follows from "%s" is the same in every release', (name, id) => {
  expect(uuidFrom(name)).toBe(id);
  expect(isUuid(id)).toBe(true);
});
