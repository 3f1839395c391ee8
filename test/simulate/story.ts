import fc from 'fast-check';
import { actionNames, type ActionName } from '../../src/exceptions/actions.ts';

/** Later than any clock that these tests run by: what goes by another one is seen. */
export const storyBegins = new Date('2099-03-01T12:00:00Z');

/** How a transaction is written in another way than it was meant. */
const spoiled = ['marked failed', 'marked reversed', 'negative entry', 'other currency', 'legs differ'] as const;
/** The same of a record, and of what is booked for it. */
const spoiledRecord = ['not posted', 'other amount', 'unknown status', 'failed after all', 'negative record'] as const;

const ofRecord = {
  own: ['header only', 'one leg', 'no header', 'record rolled back', 'posted twice', 'other user', 'paid and refunded'],
  common: [...spoiled, ...spoiledRecord],
} as const;
const ofMove = { own: ['nothing moves', 'account twice', 'user deleted'], common: spoiled } as const;

/** What the host books, and how it breaks meanwhile: in a way of its own, or in one that is common. */
const bookings = {
  deposit: ofRecord,
  withdrawal: ofRecord,
  'conversion job': { own: ['no link'], common: ofRecord.common },
  investment: ofMove,
  split: ofMove,
  transfer: ofMove,
} as const;

type Crash = 'none' | (typeof bookings)[keyof typeof bookings]['own' | 'common'][number];

/** What is written in a transaction that stays open. */
export type Late = 'not posted' | 'header only';

export type CustodianName = 'circle' | 'alpaca';

/** What goes wrong at a custodian until the next run is over: what passes by itself, and what the run cannot get over. */
export const troubles = {
  passing: [
    { at: 'circle', what: 'passing rate limit' },
    { at: 'circle', what: 'passing bad gateway' },
    { at: 'circle', what: 'wallet listed twice' },
    { at: 'alpaca', what: 'passing unavailability' },
    { at: 'alpaca', what: 'passing rate limit' },
  ],
  lasting: [
    { at: 'circle', what: 'rate limit for good' },
    { at: 'circle', what: 'bad gateway' },
    { at: 'circle', what: 'JSON that breaks off' },
    { at: 'circle', what: 'listing that lost a wallet' },
    { at: 'alpaca', what: 'unavailability' },
    { at: 'alpaca', what: 'JSON that breaks off' },
    { at: 'alpaca', what: 'too many journals' },
  ],
} as const;

export type Trouble = (typeof troubles)['passing' | 'lasting'][number];

/** How a run ends: by itself, because the database is gone at its nth message, or told to stop at that moment. */
export type End = { how: 'by itself' } | { how: 'cut off' | 'SIGTERM'; atMessage: number };

/** One thing that happens. It holds every choice in it, so that a story is played twice in the same way. */
export type Step = CommonStep | OwnStep;

/** What happens to everybody: where stories are played side by side, that of the first few. */
export type CommonStep =
  | { does: 'wait'; minutes: number }
  | { does: 'act'; action: ActionName; which: number; hours: number }
  | { does: 'mend'; which: number }
  | { does: 'lose'; at: CustodianName; amount: string }
  | { does: 'send'; amount: string }
  | { does: 'arrive' }
  | { does: 'trouble'; trouble: Trouble }
  | { does: 'deafen' }
  | { does: 'correct'; isOn: boolean }
  | { does: 'begin'; late: Late; minutes: number }
  | { does: 'commit' }
  /** `rest`: for so many minutes before it nothing happens. */
  | { does: 'run'; type: 'hourly' | 'daily' | 'manual' | 'narrowed'; rest: number; end: End };

/** What happens to one customer. */
export type OwnStep =
  | Booking
  | { does: 'finish'; which: number; posts: boolean }
  | { does: 'reverse'; which: number }
  | { does: 'drift' | 'change'; which: number; amount: string };

export interface Booking {
  does: 'book';
  what: keyof typeof bookings;
  crash: Crash;
  pending: boolean;
  amount: string;
  minutesAgo: number;
}

/** A step of a story that is played beside others. */
export interface Turn {
  /** Whose story it is. */
  customer: number;
  step: Step;
}

const which = fc.nat({ max: 5 }); // of the few things of a customer
const whichOfAll = fc.nat({ max: 10_000 }); // of the exceptions of everybody
const amounts = fc.constantFrom('0.5', '0.000001', '7', '100', '1000.000001', '25000', '120000'); // of 100000 that there are
const slips = fc.constantFrom('0.5', '0.25', '0.000001', '1', '7', '1000.000001');

const booking: fc.Arbitrary<Step> = fc.oneof(
  ...Object.entries(bookings).map(([what, { own, common }]) =>
    fc.record({
      does: fc.constant('book' as const),
      what: fc.constant(what as keyof typeof bookings),
      crash: fc.oneof(
        { weight: 2, arbitrary: fc.constant('none' as const) },
        fc.constantFrom(...own),
        fc.constantFrom(...common),
      ),
      pending: fc.boolean(),
      amount: amounts,
      minutesAgo: fc.nat({ max: 15 }), // as late as a commit may come
    }),
  ),
);

const lose = (at: CustodianName, ...differences: string[]): fc.Arbitrary<Step> =>
  fc.record({ does: fc.constant('lose' as const), at: fc.constant(at), amount: fc.constantFrom(...differences) });

const run: fc.Arbitrary<Step> = fc.record({
  does: fc.constant('run' as const),
  type: fc.constantFrom('hourly' as const, 'hourly', 'hourly', 'hourly', 'daily', 'manual', 'manual', 'narrowed'),
  rest: fc.constantFrom(0, 10), // the grace period, or more
  end: fc.oneof(
    { weight: 3, arbitrary: fc.constant({ how: 'by itself' as const }) },
    {
      weight: 1,
      arbitrary: fc.record({
        how: fc.constantFrom('cut off' as const, 'SIGTERM'),
        atMessage: fc.integer({ min: 1, max: 350 }), // a run of a group sends some hundreds
      }),
    },
  ),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: run },
  {
    weight: 2,
    // on both sides of the grace period, of an hour and of the deadlines
    arbitrary: fc.record({
      does: fc.constant('wait' as const),
      minutes: fc.constantFrom(1, 4, 5, 6, 15, 60, 61, 24 * 60, 24 * 60 + 6, 72 * 60 + 1),
    }),
  },
  { weight: 12, arbitrary: booking },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('finish' as const), which, posts: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('reverse' as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constantFrom('drift' as const, 'change' as const), which, amount: slips }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('mend' as const), which: whichOfAll }) },
  {
    weight: 2,
    // around the tolerances of 10 USDC and 100 USD
    arbitrary: fc.oneof(
      lose('circle', '0', '10', '-10', '-10.000001', '-2500'),
      lose('alpaca', '0', '100', '-100', '-100.01', '-2500'),
    ),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('send' as const), amount: fc.constantFrom('33.25', '61.5') }) },
  { weight: 2, arbitrary: fc.constant({ does: 'arrive' as const }) },
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constant('trouble' as const),
      trouble: fc.constantFrom<Trouble[]>(...troubles.passing, ...troubles.lasting),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ does: 'deafen' as const }) }, // the webhook, until the next run is over
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant('correct' as const), isOn: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('begin' as const),
      late: fc.constantFrom('not posted' as const, 'header only' as const),
      minutes: fc.constantFrom(1, 16, 61), // on both sides of what a run keeps its distance from
    }),
  },
  { weight: 2, arbitrary: fc.constant({ does: 'commit' as const }) },
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('act' as const),
      action: fc.constantFrom(...actionNames),
      which: whichOfAll,
      hours: fc.integer({ min: 1, max: 48 }),
    }),
  },
);

/** Some steps, in any order. A shorter one is a simpler one. */
export const stories: fc.Arbitrary<Step[]> = fc.array(step, { minLength: 4, maxLength: 24, size: 'max' });

/** So many stories of a group say what happens to everybody. */
const leaders = 5;

/** Stories side by side: each begins and ends with the others, and what is common in all but the first few is left out. */
export function sideBySide(all: readonly Step[][]): Turn[] {
  return all
    .flatMap((story, customer) => story.map((step, place) => ({ customer, step, at: place / story.length })))
    .filter(({ customer, step }) => customer < leaders || !isCommon(step))
    .toSorted((one, other) => one.at - other.at)
    .map(({ customer, step }) => ({ customer, step }));
}

export function isCommon(step: Step): step is CommonStep {
  return !['book', 'finish', 'reverse', 'drift', 'change'].includes(step.does);
}

/** A step on one line. */
export function tell({ customer, step }: Turn): string {
  const text = JSON.stringify(step).replace(/["{}]/g, '').replaceAll(',', ', ').replaceAll(':', ' ');
  return isCommon(step) ? text : `customer ${customer}: ${text}`;
}
