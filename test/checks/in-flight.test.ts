import { describe, expect, test } from 'vitest';
import type { BooksMovement, CustodyBooks } from '../../src/checks/custody-books.ts';
import { describeInFlight, explainedBy, inFlightOf } from '../../src/checks/in-flight.ts';
import { twinsOf } from '../../src/checks/twins.ts';
import type { Movement } from '../../src/custodians/custodian.ts';
import { money, toText } from '../../src/money.ts';

const at = '2026-03-01T11:00:00Z';
const asOf = '2026-03-01T12:00:00Z';
const patience = { asOf, reach: '2026-03-01T10:00:00Z', graceMs: 300_000, deadlineMs: 72 * 3_600_000 };

/** So many seconds after `at`. */
function after(seconds: number): string {
  return new Date(Date.parse(at) + 1000 * seconds).toISOString();
}

function movement(id: string, amount: string, changes: Partial<Movement> = {}): Movement {
  const usual = { of: 'transaction', externalId: 'wallet', state: 'SENT', booked: false, underWay: true } as const;
  return { ...usual, id, amount: money(amount), createdAt: at, endedAt: undefined, ...changes };
}

const confirmed = { state: 'CONFIRMED', booked: true };
const complete = { state: 'COMPLETE', booked: true, underWay: false };

function posted(transactionId: string, amount: string, changes: Partial<BooksMovement> = {}): BooksMovement {
  return { transactionId, userId: null, amount: money(amount), pending: true, createdAt: at, ...changes };
}

function booksWith(movements: BooksMovement[], owner: string | null = null): CustodyBooks {
  return { expected: money('0'), owners: new Map([['wallet', owner]]), users: new Map(), movements };
}

/** Each item with what it explains; `?` where it counts only if the two sides do not agree without it. */
function explanations(movements: Movement[], books: BooksMovement[], owner?: string): string[] {
  const items = inFlightOf(movements, booksWith(books, owner), patience);
  return items.map(({ id, explains, awaited }) => `${id} ${toText(explains)}${awaited ? '?' : ''}`);
}

describe('an item explains what one side has and the other has not', () => {
  const done = { pending: false };
  test.each<[what: string, movements: Movement[], books: BooksMovement[], explains: string[]]>([
    ['nothing under way', [movement('a', '5', complete)], [], []],
    ['on its way, and not in the books', [movement('a', '-5')], [], ['a 0']],
    ['on its way, pending in the books', [movement('a', '-5')], [posted('t', '-5')], ['a 5']],
    ['on its way, completed in the books', [movement('a', '-5')], [posted('t', '-5', done)], ['a 5']],
    ['in a block, and not in the books', [movement('a', '7', confirmed)], [], ['a 7']],
    ['in a block and in the books', [movement('a', '7', confirmed)], [posted('t', '7', done)], ['a 0']],
    ['in a block and pending in the books', [movement('a', '7', confirmed)], [posted('t', '7')], ['a 0']],
    ['complete, and still pending in the books', [movement('a', '7', complete)], [posted('t', '7')], []],
    ['pending in the books alone', [], [posted('t', '-9')], ['t 9']],
    [
      'pending in the books alone, since before the custodian was asked',
      [],
      [posted('t', '-9', { createdAt: after(-3601) })],
      ['t 0'],
    ],
    [
      'failed at the custodian',
      [movement('a', '-5', { state: 'FAILED', underWay: false })],
      [posted('t', '-5')],
      ['t 5'],
    ],
    ['in a state that we do not know', [movement('a', '-5', { booked: undefined })], [posted('t', '-5')], ['a 0']],
    ['of an amount that nobody tells', [movement('a', '1', { amount: undefined })], [], ['a 0']],
    [
      'in a block, and no further for longer than anything may take',
      [movement('a', '7', { ...confirmed, createdAt: after(3600 - 72 * 3600 - 1) })],
      [],
      ['a 0'],
    ],
    ['in another token', [movement('a', '0')], [], []],
  ])('%s', (_what, movements, books, explains) => {
    expect(explanations(movements, books)).toEqual(explains);
  });
});

describe('what ended on one side within the grace period explains its part, until it is over', () => {
  const ended = (seconds: number) => movement('a', '5', { ...complete, endedAt: after(seconds) });
  const booked = (seconds: number) => posted('t', '-5', { pending: false, createdAt: after(seconds) });
  const [inTime, tooOld, tooNew] = [3301, 3300, 3900];

  test('at the custodian', () => {
    const seen = [inTime, tooOld, tooNew].map((seconds) => explanations([ended(seconds)], []));
    expect(seen).toEqual([['a 5?'], [], []]);
    expect(explanations([movement('a', '5', complete)], [])).toEqual([]); // nobody says when
  });

  test('in the books', () => {
    const seen = [inTime, tooOld, tooNew].map((seconds) => explanations([], [booked(seconds)]));
    expect(seen).toEqual([['t 5?'], [], []]);
  });

  test('and nothing where both have it', () => {
    const twin = posted('t', '5', { pending: false, createdAt: after(3500) });
    expect(
      explanations([movement('a', '5', { ...complete, createdAt: after(3400), endedAt: after(3450) })], [twin]),
    ).toEqual([]);
  });
});

describe('two sides are one event', () => {
  test('only if they are worth the same, to the last digit', () => {
    const items = inFlightOf([movement('a', '-5')], booksWith([posted('t', '-5.000000000000000001')]), patience);
    expect(items.map(({ id }) => id)).toEqual(['t', 'a']);
    expect(toText(explainedBy(items))).toBe('5.000000000000000001');
  });

  test('only if no two owners are named for it', () => {
    const of = (owner: string | null, userId: string | null) => {
      const books = booksWith([posted('t', '-5', { userId })], owner);
      return toText(explainedBy(inFlightOf([movement('a', '-5', confirmed)], books, patience)));
    };
    expect([of('ada', 'ada'), of('ada', null), of(null, 'ada')]).toEqual(['0', '0', '0']);
    expect(of('ada', 'bob')).toBe('0'); // -5 that is in no books, and 5 that is at no custodian
    expect(explanations([movement('a', '-5')], [posted('t', '-5', { userId: 'bob' })], 'ada')).toEqual(['t 5', 'a 0']);
  });

  test('only if they are no more than an hour apart, or the deadline where one is not at its end', () => {
    const apart = (seconds: number, changes: Partial<Movement>, pending: boolean) =>
      twinsOf(
        [movement('a', '-5', { createdAt: after(seconds), ...changes })],
        booksWith([posted('t', '-5', { pending })]),
        patience,
      ).size;
    expect([apart(3600, complete, false), apart(3601, complete, false)]).toEqual([1, 0]);
    expect([apart(72 * 3600, complete, true), apart(72 * 3600, {}, false)]).toEqual([1, 1]);
    expect([apart(72 * 3600 + 1, complete, true), apart(72 * 3600 + 1, {}, true)]).toEqual([0, 0]);
    expect(apart(0, { createdAt: undefined }, true)).toBe(1);
  });

  test('in the same state, if there is a choice', () => {
    const books = [posted('begun', '-5'), posted('done', '-5', { pending: false })];
    expect(explanations([movement('final', '-5', complete)], books)).toEqual(['begun 5']);
    expect(explanations([movement('block', '-5', confirmed)], books)).toEqual(['begun 5', 'block 0']);
    expect(explanations([movement('sent', '-5')], books)).toEqual(['sent 5']);
  });

  test('what is completed before what is pending and nearer, for what is final', () => {
    const books = [
      posted('approved late', '-5', { pending: false, createdAt: after(-1200) }),
      posted('waits', '-5', { createdAt: after(120) }),
    ];
    expect(explanations([movement('final', '-5', complete)], books)).toEqual(['waits 5']);
  });

  test('not with what may have a twin from before the custodian was asked, unless they are close together', () => {
    const old = (seconds: number) => posted('t', '5', { pending: false, createdAt: after(seconds) });
    const fresh = (seconds: number) => movement('a', '5', { ...confirmed, createdAt: after(seconds) });
    expect(explanations([fresh(0)], [old(-3601)])).toEqual(['a 5']); // reach is at -3600
    expect(explanations([fresh(60)], [old(-3600)])).toEqual(['a 0']);
    expect(explanations([fresh(-1)], [old(-3601)])).toEqual(['a 0']);
  });

  test('once: what is final takes its twin before what is under way', () => {
    const movements = [movement('way', '-5'), movement('final', '-5', complete)];
    expect(explanations(movements, [posted('t', '-5', { pending: false })])).toEqual(['way 0']);
  });

  test('the nearest in time: what has no twin does not take its neighbour’s', () => {
    const movements = [600, 1200, 1800].map((seconds) =>
      movement(`at ${seconds}`, '5', { ...complete, createdAt: after(seconds) }),
    );
    const books = [1205, 1805, 1230].map((seconds) =>
      posted(`t ${seconds}`, '5', { createdAt: after(seconds), pending: false }),
    );
    const twins = twinsOf(movements, booksWith(books.slice(0, 2)), patience);
    expect(Array.from(twins, ([{ id }, { transactionId }]) => `${id} ${transactionId}`)).toEqual([
      'at 1200 t 1205',
      'at 1800 t 1805',
    ]);
    expect(twinsOf(movements, booksWith(books), patience).size).toBe(3); // the last within an hour will do
  });

  test('without a time, it leaves theirs to those that have one', () => {
    const movements = [movement('day', '5', { ...complete, createdAt: undefined }), movement('time', '5', complete)];
    const twins = twinsOf(movements, booksWith([posted('t', '5', { pending: false })]), patience);
    expect(Array.from(twins.keys(), ({ id }) => id)).toEqual(['time']);
  });

  test('among four thousand at once that are alike', () => {
    const wallets = Array.from({ length: 4_000 }, (_, index) => `wallet ${index}`);
    const movements = wallets.map((wallet) => movement(wallet, '5', { ...complete, externalId: wallet }));
    const books = wallets.map((wallet) => posted(wallet, '5', { userId: wallet, pending: false }));
    const owned = { ...booksWith(books), owners: new Map(wallets.map((wallet) => [wallet, wallet])) };
    expect(twinsOf(movements, owned, patience).size).toBe(4_000);
    expect(twinsOf(movements, booksWith(books), patience).size).toBe(4_000);
  });

  test('among three days of them that are alike', () => {
    const seconds = Array.from({ length: 40_000 }, (_, index) => 6 * (index - 39_000));
    const movements = seconds
      .slice(-1000)
      .map((second) => movement(`a${second}`, '5', { ...complete, createdAt: after(second) }));
    const books = seconds.map((second) => posted(`t${second}`, '5', { createdAt: after(second + 20), pending: false }));
    expect(twinsOf(movements, booksWith(books), patience).size).toBe(1000);
  });
});

test('the largest come first, fifty are listed, and the sums count all of them', () => {
  const books = booksWith(Array.from({ length: 60 }, (_, index) => posted(`t${index}`, `-${index + 1}`)));
  const described = describeInFlight(inFlightOf([], books, patience));
  expect(described).toMatchObject({ count: 60, explains: '1830' });
  expect(described['items']).toHaveLength(50);
  expect((described['items'] as unknown[])[0]).toEqual({
    of: 'ledger_transaction',
    id: 't59',
    state: 'pending',
    amount: '-60',
    explains: '60',
  });
});
