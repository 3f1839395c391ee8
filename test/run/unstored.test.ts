import { expect, test } from 'vitest';
import { KeptFindings } from '../../src/exceptions/kept-findings.ts';
import type { CheckOutcome } from '../../src/run/outcome.ts';
import { unstoredExceptions } from '../../src/run/unstored.ts';

test('a long dry run lets others have their turns while it is listed', async () => {
  const findings = new KeptFindings();
  for (let index = 0; index < 3_500; index += 1)
    findings.add({
      check: 'deposits',
      kind: 'missing_in_ledger',
      subject: `deposit:${index}`,
      severity: 'low',
      description: '',
      expected: null,
      actual: null,
      difference: String(index),
      currency: null,
      affectedUserId: null,
      metadata: {},
    });
  let turns = 0;
  const others = setInterval(() => (turns += 1), 0);
  const differences: (string | null)[] = [];
  const outcome = { result: { findings } } as CheckOutcome;
  for await (const { difference } of unstoredExceptions([outcome], '2026-03-01T00:00:00Z'))
    differences.push(difference);
  clearInterval(others);
  expect(differences).toEqual(Array.from({ length: 3_500 }, (_, index) => String(3_499 - index)));
  expect(turns).toBeGreaterThan(0);
});
