import { describe, expect, test } from 'vitest';
import type { BooksMovement, CustodyBooks } from '../../src/checks/custody-books.ts';
import { describeInFlight, explainedBy, inFlightOf } from '../../src/checks/in-flight.ts';
import type { Movement } from '../../src/custodians/custodian.ts';
import { money, toText } from '../../src/money.ts';

const at = '2026-03-01T12:00:00Z';
const later = '2026-03-01T13:00:01Z';

function movement(id: string, amount: string, changes: Partial<Movement> = {}): Movement {
  const usual = { of: 'transaction', externalId: 'wallet', state: 'SENT', booked: false, underWay: true } as const;
  return { ...usual, id, amount: money(amount), createdAt: at, ...changes };
}

const confirmed = { state: 'CONFIRMED', booked: true };
const complete = { state: 'COMPLETE', booked: true, underWay: false };

function posted(transactionId: string, amount: string, changes: Partial<BooksMovement> = {}): BooksMovement {
  return { transactionId, userId: null, amount: money(amount), pending: true, recent: true, createdAt: at, ...changes };
}

function booksWith(movements: BooksMovement[], owner: string | null = null): CustodyBooks {
  return { expected: money('0'), owners: new Map([['wallet', owner]]), users: new Map(), movements };
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
    ['pending in the books alone, for long', [], [posted('t', '-9', { recent: false })], ['t 0']],
    [
      'failed at the custodian',
      [movement('a', '-5', { state: 'FAILED', underWay: false })],
      [posted('t', '-5')],
      ['t 5'],
    ],
    ['in a state that we do not know', [movement('a', '-5', { booked: undefined })], [posted('t', '-5')], ['a 0']],
    ['of an amount that nobody tells', [movement('a', '1', { amount: undefined })], [], ['a 0']],
    ['in another token', [movement('a', '0')], [], []],
  ])('%s', (_what, movements, books, explains) => {
    const items = inFlightOf(movements, booksWith(books));
    expect(items.map((item) => `${item.id} ${toText(item.explains)}`)).toEqual(explains);
  });
});

describe('two sides are one event', () => {
  test('only if they are worth the same, to the last digit', () => {
    const items = inFlightOf([movement('a', '-5')], booksWith([posted('t', '-5.000000000000000001')]));
    expect(items.map(({ id }) => id)).toEqual(['t', 'a']);
    expect(toText(explainedBy(items))).toBe('5.000000000000000001');
  });

  test('only if no two owners are named for it', () => {
    const of = (owner: string | null, userId: string | null) =>
      toText(
        explainedBy(inFlightOf([movement('a', '-5', confirmed)], booksWith([posted('t', '-5', { userId })], owner))),
      );
    expect([of('ada', 'ada'), of('ada', null), of(null, 'ada')]).toEqual(['0', '0', '0']);
    expect(of('ada', 'bob')).toBe('0'); // -5 that is in no books, and 5 that is at no custodian
    const unpaired = inFlightOf([movement('a', '-5')], booksWith([posted('t', '-5', { userId: 'bob' })], 'ada'));
    expect(unpaired.map((item) => `${item.id} ${toText(item.explains)}`)).toEqual(['t 5', 'a 0']);
  });

  test('only if they are no more than an hour apart', () => {
    const apart = inFlightOf([movement('a', '-5', { createdAt: later })], booksWith([posted('t', '-5')]));
    expect(apart.map(({ id }) => id)).toEqual(['t', 'a']);
    const anyTime = inFlightOf([movement('a', '-5', { createdAt: undefined })], booksWith([posted('t', '-5')]));
    expect(anyTime.map(({ id }) => id)).toEqual(['a']);
  });

  test('in the same state, if there is a choice', () => {
    const books = [posted('begun', '-5'), posted('done', '-5', { pending: false })];
    const explained = (movement: Movement) =>
      inFlightOf([movement], booksWith(books)).map((item) => `${item.id} ${toText(item.explains)}`);
    expect(explained(movement('final', '-5', complete))).toEqual(['begun 5']);
    expect(explained(movement('block', '-5', confirmed))).toEqual(['begun 5', 'block 0']);
    expect(explained(movement('sent', '-5'))).toEqual(['sent 5']);
  });

  test('once: what is final takes its twin before what is under way', () => {
    const movements = [movement('way', '-5'), movement('final', '-5', complete)];
    const items = inFlightOf(movements, booksWith([posted('t', '-5', { pending: false })]));
    expect(items.map((item) => `${item.id} ${toText(item.explains)}`)).toEqual(['way 0']);
  });
});

test('the largest come first, fifty are listed, and the sums count all of them', () => {
  const books = booksWith(Array.from({ length: 60 }, (_, index) => posted(`t${index}`, `-${index + 1}`)));
  const described = describeInFlight(inFlightOf([], books));
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
