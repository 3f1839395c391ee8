import assert from 'node:assert/strict';
import type { CheckName } from '../../src/checks/names.ts';
import { money } from '../../src/money.ts';
import { totalOrZero, type Host as Books } from '../oracle/host-tables.ts';
import { judge, momentOf } from '../oracle/truth.ts';
import { report } from '../oracle/verdict.ts';
import { databaseChecks } from '../support/run-check.ts';
import type { Positions } from './custody.ts';
import type { Found } from './stored-run.ts';

/** What is wrong, by check and subject: the lines of which one has to be reported. */
export type Truth = ReadonlyMap<string, Set<string>>;

/** What is wrong with the books at that moment. */
export function wrongIn(books: Books, now: Date): Truth {
  return report(databaseChecks.flatMap((check) => judge(check, books, momentOf(now))));
}

/** What the books say that the custodians hold. */
export function positionsOf({ accounts }: Books): Positions {
  const held = (type: string) =>
    money(
      totalOrZero(accounts.filter(({ account_type: one }) => one === type).map(({ balance }) => balance)).toFixed(),
    );
  return { circle: held('system_buffer_usdc'), alpaca: held('fiat_exposure') };
}

/** Everything that is reported is true, and all of it that may not be missed is reported. */
export function expectTrue(
  check: CheckName,
  found: readonly Found[],
  truth: Truth,
  mayMiss: (key: string) => boolean,
): void {
  const lines = new Map(found.map((one) => [`${check} ${one.subject}`, one.line]));
  for (const [key, told] of lines)
    assert.ok(truth.get(key)?.has(told), `${key}\n  reported: ${told}\n  true:     ${listOf(truth.get(key))}`);
  for (const [key, wanted] of truth)
    if (key.startsWith(`${check} `) && !lines.has(key))
      assert.ok(mayMiss(key), `${key}\n  reported: nothing\n  true:     ${listOf(wanted)}`);
}

function listOf(lines: Set<string> | undefined): string {
  return [...(lines ?? ['nothing'])].join(' or ');
}
