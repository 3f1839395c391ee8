import { money, sum, toText, type Money } from '../money.ts';

/** What needs no arithmetic to be seen. */
const circumstances = ['named_already', 'not_marked_reversed', 'future_time'] as const;

/** Why the numbers may differ. Only named where they meet exactly; a person still has to look. */
export interface Cause {
  cause:
    | (typeof circumstances)[number]
    | 'missing_item'
    | 'item_twice'
    | 'wrong_sign'
    | 'swapped_digits'
    | 'moved_point'
    | 'fee'
    | 'rounding'
    | 'pending_items'
    | 'elsewhere';
  /** One sentence, with the arithmetic; names and ids in it may be text of a database. */
  sentence: string;
  /** What it rests on: `deposit:<id>`, `entry:<id>`, … */
  evidence: string[];
}

/** Whether a cause rests on numbers that meet. */
export function isOfNumbers({ cause }: Cause): boolean {
  return !(circumstances as readonly string[]).includes(cause);
}

/** Something that has an amount. */
export interface Item {
  /** `entry:<id>`, `deposit:<id>`, … */
  subject: string;
  amount: Money;
}

/** What is known about one difference. */
export interface Case {
  expected: Money;
  actual: Money;
  /** What the two sides are called: `debits`, `stored balance`, … */
  expectedName: string;
  actualName: string;
  currency: string | null;
  /** What the expected side is the sum of, and what the actual one is; empty where it is no sum. */
  expectedItems: readonly Item[];
  actualItems: readonly Item[];
  /** What the record says that was kept back. */
  fee: Money | null;
  /** Not final yet, or an exception of its own: it may stand on one side only. */
  pending: readonly Item[];
  /** Open exceptions of other subjects whose difference is this one turned round, and what they are. */
  elsewhere: readonly (Item & { what: string })[];
}

type Test = (difference: Money, known: Case) => Cause[];

/** Whatever explains a difference to the last digit. Nothing is named where several things would do equally well. */
export function causesOf(known: Case): Cause[] {
  const difference = known.actual.minus(known.expected);
  if (!difference.isFinite() || difference.isZero()) return [];
  return tests.flatMap((test) => test(difference, known));
}

const tests: readonly Test[] = [
  itemTwice,
  wrongSign,
  missingItem,
  swappedDigits,
  movedPoint,
  fee,
  rounding,
  elsewhere,
  pendingItems,
];

/** More candidates than that are chance. */
const candidatesMax = 3;

function unlessMany(causes: Cause[]): Cause[] {
  return causes.length <= candidatesMax ? causes : [];
}

function missingItem(difference: Money, known: Case): Cause[] {
  const missing = known.expectedItems.filter(({ amount }) => amount.equals(difference.negated()));
  return unlessMany(
    missing.map((item) => ({
      cause: 'missing_item',
      sentence: `${named(item, known)} is missing from the ${known.actualName}.`,
      evidence: [item.subject],
    })),
  );
}

/** Two of the same on one side, or one that the other side, which is no sum, holds once more. */
function itemTwice(difference: Money, known: Case): Cause[] {
  const once = known.actualItems.length === 0 ? known.expectedItems : [];
  const counted = once.filter(({ amount }) => amount.equals(difference));
  const pairs = [
    ...pairsOf(known.actualItems, difference, known.actualName),
    ...pairsOf(known.expectedItems, difference.negated(), known.expectedName),
  ];
  return unlessMany([
    ...pairs.map(({ first, second, side }): Cause => ({
      cause: 'item_twice',
      sentence: `${named(first, known)} stands twice in the ${side}: ${spoken(second)} is the same again.`,
      evidence: [first.subject, second.subject],
    })),
    ...counted.map((item): Cause => ({
      cause: 'item_twice',
      sentence: `${named(item, known)} is counted twice in the ${known.actualName}.`,
      evidence: [item.subject],
    })),
  ]);
}

/** The first two items of that amount. */
function pairsOf(items: readonly Item[], amount: Money, side: string): { first: Item; second: Item; side: string }[] {
  const [first, second] = items.filter((item) => item.amount.equals(amount));
  return first && second ? [{ first, second, side }] : [];
}

/** An item that was taken from a side instead of added to it is wrong by twice its amount. */
function wrongSign(difference: Money, known: Case): Cause[] {
  const turned = [
    ...known.expectedItems.filter(({ amount }) => amount.times(2).equals(difference.negated())),
    ...known.actualItems.filter(({ amount }) => amount.times(2).equals(difference)),
  ];
  return unlessMany(
    turned.map((item) => ({
      cause: 'wrong_sign',
      sentence: `${named(item, known)} was booked with the wrong sign: 2 x ${toText(item.amount.abs())} = ${toText(difference.abs())}.`,
      evidence: [item.subject],
    })),
  );
}

/** 1234.50 and 1243.50: two digits that stand side by side. 1000 and 100 are not, one has lost a digit. */
function swappedDigits(difference: Money, known: Case): Cause[] {
  const { expected, actual } = known;
  const [left, right] = digitsOf(expected, actual);
  if (left.length !== right.length || movedPoint(difference, known).length > 0) return [];
  const differing = Array.from(left).flatMap((digit, index) => (digit === right[index] ? [] : [index]));
  const [at = 0, next] = differing;
  const swapped = left.slice(0, at) + left.charAt(at + 1) + left.charAt(at) + left.slice(at + 2);
  if (differing.length !== 2 || next !== at + 1 || swapped !== right) return [];
  const [one, other] = [toText(expected), toText(actual)];
  return [
    { cause: 'swapped_digits', sentence: `Two digits are swapped: ${one} and ${other}.`, evidence: [one, other] },
  ];
}

/** Both without their points, at the same scale. */
function digitsOf(expected: Money, actual: Money): [string, string] {
  const scale = money('10').pow(Math.max(expected.decimalPlaces(), actual.decimalPlaces()));
  return [toText(expected.times(scale)), toText(actual.times(scale))];
}

/** Cents for dollars, or 10^18 for 10^6: tokens have as many decimals as they like. */
function movedPoint(_difference: Money, { expected, actual }: Case): Cause[] {
  if (expected.isZero() || actual.isZero()) return [];
  const ratio = actual.abs().greaterThan(expected.abs()) ? actual.dividedBy(expected) : expected.dividedBy(actual);
  const places = ratio.logarithm(10);
  if (!ratio.isPositive() || !places.isInteger() || !money('10').pow(places).equals(ratio)) return [];
  const [one, other] = [toText(expected), toText(actual)];
  return [
    {
      cause: 'moved_point',
      sentence: `The decimal point is moved by ${toText(places)} ${places.equals(1) ? 'place' : 'places'}: ${one} and ${other}.`,
      evidence: [one, other],
    },
  ];
}

function fee(difference: Money, known: Case): Cause[] {
  if (known.fee === null || !known.fee.equals(difference.abs())) return [];
  const amount = withUnit(known.fee, known);
  return [{ cause: 'fee', sentence: `The difference is the fee of the record, ${amount}.`, evidence: [amount] }];
}

/** The scales at which hosts, APIs and tokens keep amounts. */
const scales = [2, 6, 8];
const modes = { rounded: 4, 'cut off': 1, 'rounded up': 0 } as const; // of decimal.js

function rounding(difference: Money, { expected, actual }: Case): Cause[] {
  for (const scale of scales)
    for (const [how, mode] of Object.entries(modes))
      for (const [exact, rounded] of [[expected, actual] as const, [actual, expected] as const])
        if (exact.toDecimalPlaces(scale, mode).equals(rounded)) {
          const sentence = `${toText(exact)} ${how} to ${scale} decimals is ${toText(rounded)}.`;
          return [{ cause: 'rounding', sentence, evidence: [toText(difference)] }];
        }
  return [];
}

function elsewhere(difference: Money, known: Case): Cause[] {
  const turned = known.elsewhere.filter(({ amount }) => amount.equals(difference.negated()));
  return unlessMany(
    turned.map(({ subject, what, amount }) => ({
      cause: 'elsewhere',
      sentence: `${what} differs by ${withUnit(amount, known)}, the same the other way round: one may stand in the place of the other.`,
      evidence: [subject],
    })),
  );
}

/** No larger sets, and no sets of more items: with enough of them some always meet. */
const setMax = 3;
export const pendingMax = 60;

/** The smallest sets of what is pending that add up to the difference, whichever way round the money goes. */
function pendingItems(difference: Money, known: Case): Cause[] {
  if (known.pending.length > pendingMax) return [];
  const amount = difference.abs();
  for (let size = 1; size <= setMax; size += 1) {
    const sets = [...combinations(known.pending, size)].filter((set) =>
      sum(set.map((item) => item.amount)).equals(amount),
    );
    if (sets.length > 0) return unlessMany(sets.map((set) => pendingCause(set, amount, known)));
  }
  return [];
}

/** All sets of so many of the items. */
function* combinations(items: readonly Item[], size: number, from = 0): Generator<Item[]> {
  if (size === 0) yield [];
  else
    for (let index = from; index <= items.length - size; index += 1)
      for (const rest of combinations(items, size - 1, index + 1)) yield [...items.slice(index, index + 1), ...rest];
}

function pendingCause(set: readonly Item[], amount: Money, known: Case): Cause {
  const terms = set.map((item) => toText(item.amount)).join(' + ');
  const [verb, total] =
    set.length === 1 ? ['is', withUnit(amount, known)] : ['are', `${terms} = ${withUnit(amount, known)}`];
  return {
    cause: 'pending_items',
    sentence: `${set.map(spoken).join(', ')} ${verb} open or not final, and may stand on one side only: ${total}.`,
    evidence: set.map(({ subject }) => subject),
  };
}

function named(item: Item, known: Case): string {
  return `${spoken(item)} of ${withUnit(item.amount.abs(), known)}`;
}

function spoken({ subject }: Item): string {
  return subject.replace(':', ' ');
}

function withUnit(amount: Money, { currency }: Case): string {
  return currency === null ? toText(amount) : `${toText(amount)} ${currency}`;
}
