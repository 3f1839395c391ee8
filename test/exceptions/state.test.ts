import { expect, test } from 'vitest';
import {
  counts,
  isLookedAt,
  stands,
  stateAt,
  stateOf,
  statuses,
  type ExceptionState,
} from '../../src/exceptions/state.ts';
import { testDatabase } from '../support/database.ts';
import { cutAt, openPool } from '../support/run-check.ts';

const database = openPool((await testDatabase()).url);

/** In hours from the moment at which somebody looks; what is left out is null. */
interface Lifetimes {
  resolved?: number;
  accepted?: number;
  snoozed?: number;
}

/** Every list that it stands in; in `acknowledged` only what is open and taken up. */
const listsOf: Record<ExceptionState, string[]> = {
  open: ['open', 'unresolved', 'all'],
  snoozed: ['snoozed', 'unresolved', 'all'],
  accepted: ['accepted', 'unresolved', 'all'],
  resolved: ['resolved', 'all'],
};

test.each<[lifetimes: Lifetimes, state: ExceptionState, isCounted: boolean]>([
  [{}, 'open', true],
  [{ accepted: -1 }, 'open', true],
  [{ accepted: 0 }, 'open', true],
  [{ accepted: 1 }, 'accepted', false],
  [{ snoozed: -1 }, 'open', true],
  [{ snoozed: 0 }, 'open', true],
  [{ snoozed: 1 }, 'snoozed', true],
  [{ resolved: -1 }, 'resolved', false],
  [{ resolved: -1, accepted: -1 }, 'resolved', false],
  [{ resolved: -1, accepted: 1 }, 'resolved', false],
  [{ resolved: -1, snoozed: 1 }, 'resolved', false],
])('%j: %s', async (lifetimes, state, isCounted) => {
  const [resolved, accepted, snoozed] = [lifetimes.resolved, lifetimes.accepted, lifetimes.snoozed].map((hours) =>
    hours === undefined ? null : new Date(cutAt.getTime() + hours * 3_600_000).toISOString(),
  );
  const row = { resolved_at: resolved!, accepted_until: accepted!, snoozed_until: snoozed! };
  expect(stateAt(row, cutAt)).toBe(state);
  for (const isTaken of [false, true]) {
    const lists = [...listsOf[state], ...(state === 'open' && isTaken ? ['acknowledged'] : [])];
    const columns = { ...row, acknowledged_at: isTaken ? cutAt.toISOString() : null };
    expect(await toldOf(columns)).toEqual({ state, counts: isCounted, lists: lists.sort() });
  }
});

/** What the conditions say of a row with these columns. */
async function toldOf(columns: Record<string, string | null>) {
  return database.begin('read only', async (transaction) => {
    const exception = transaction`
      json_to_record(${JSON.stringify(columns)}::text::json) as exception (
        resolved_at timestamptz, accepted_until timestamptz, snoozed_until timestamptz, acknowledged_at timestamptz
      )`;
    const [told] = await transaction<{ state: string; counts: boolean }[]>`
      select ${stateOf(transaction, cutAt)} as state, ${counts(transaction, cutAt)} as counts from ${exception}`;
    const lists: string[] = [];
    for (const status of statuses)
      if ((await transaction`select from ${exception} where ${stands(transaction, status, cutAt)}`).length > 0)
        lists.push(status);
    return { ...told, lists: lists.sort() };
  });
}

test.each([
  ['deposits', 'stuck', ['deposits'], true],
  ['deposits', 'stuck', ['withdrawals'], false],
  ['deposits', 'of_another_version', ['deposits'], false],
] as const)('%s/%s where %j are on: whether runs look at it is %s', (check, kind, checks, expected) => {
  expect(isLookedAt({ check_type: check, kind }, [...checks])).toBe(expected);
});
