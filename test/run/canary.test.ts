import { describe, expect, test } from 'vitest';
import { askCanary } from '../../src/run/canary.ts';
import type { Check, Comparison, Finding } from '../../src/checks/check.ts';
import { checks } from '../../src/checks/index.ts';
import { Incomplete } from '../../src/incomplete.ts';
import { testDatabase } from '../support/database.ts';
import { databaseChecks, inCut, openPool, rolledBack } from '../support/run-check.ts';
import { operatorOf } from '../support/world.ts';

const database = openPool((await testDatabase()).url);

async function ask(check: Check, env: Record<string, string> = {}): Promise<number> {
  let planted = 0;
  await rolledBack(database, (sql) =>
    inCut(sql, check.name, { env }, async (cut) => {
      planted = await askCanary(cut, check);
    }),
  );
  return planted;
}

/** A check that has lost the sense for one kind, or sees something where there is nothing. */
function broken(check: Check, found: (kind: string) => boolean, params: Check['params'] = check.params): Check {
  return {
    ...check,
    params,
    compare: (cut, reading, tell) =>
      check.compare(cut, reading, (finding) => {
        if (found(finding.kind)) tell(finding);
      }),
  };
}

/** The check with what it finds in the canary's books, to be told again without being looked for. */
async function remembered(check: Check): Promise<Check> {
  const findings: Finding[] = [];
  let comparison: Promise<Comparison> | undefined;
  await ask({
    ...check,
    compare: (cut, reading, tell) =>
      (comparison = check.compare(cut, reading, (finding) => {
        findings.push(finding);
        tell(finding);
      })),
  });
  return {
    ...check,
    compare: (_cut, _reading, tell) => {
      findings.forEach(tell);
      return comparison!;
    },
  };
}

describe('the canary', () => {
  test.each(databaseChecks)('holds a fault that %s finds, and nothing that it finds beside', async (name) => {
    expect(await ask(checks[name])).toBeGreaterThan(0);
  });

  test('holds a fault of every kind that a query can find', async () => {
    for (const name of ['ledger_consistency', 'deposits'] as const) {
      const check = await remembered(checks[name]);
      for (const kind of check.kinds)
        await expect(ask(broken(check, (found) => found !== kind))).rejects.toThrow(`it did not find ${kind} of`);
    }
    const unlinked = broken(checks.conversion_jobs, (found) => found !== 'unlinked');
    await expect(ask(unlinked)).rejects.toThrow('it did not find unlinked of');
  });

  test('notices what is found and is not there, and says that the check proves nothing', async () => {
    // without a grace period the deposit that was settled a minute ago looks lost
    const impatient = broken(
      checks.deposits,
      () => true,
      (config) => ({
        ...checks.deposits.params(config),
        grace_period: '0 seconds',
      }),
    );
    const outcome = await ask(impatient).catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(Incomplete);
    expect(outcome).toHaveProperty('exitCode', 78);
    expect((outcome as Error).message).toMatch(
      /it found missing_in_ledger of deposit:[0-]+303 \(60 \/ 0\), which is not there/,
    );
  });

  test('notices what is told twice', async () => {
    const twice: Check = {
      ...checks.deposits,
      compare: (cut, reading, tell) =>
        checks.deposits.compare(cut, reading, (finding) => {
          tell(finding);
          if (finding.kind === 'stuck') tell(finding);
        }),
    };
    await expect(ask(twice)).rejects.toThrow('it found stuck of');
  });

  test('does not depend on the settings of the user', async () => {
    const settings = {
      RECONCILIATION_GRACE_PERIOD: '0s',
      RECONCILIATION_STUCK_AFTER: '1m',
      RECONCILIATION_ENTRIES_PER_TRANSACTION: 'any',
    };
    for (const name of databaseChecks) expect(await ask(checks[name], settings)).toBe(await ask(checks[name]));
  });
});

test('every daily run asks the canary, others when they are told to, and the report says so', async () => {
  const operator = operatorOf((await testDatabase()).url);
  const control = async (...flags: string[]) =>
    (await operator.runs(flags)).checks.map(({ metadata }) => metadata['canary']);
  const planted = [13, 10, 4, 5].map((faults) => ({ planted: faults, found: faults }));
  expect(await control('--type', 'daily')).toEqual(planted);
  expect(await control('--type', 'hourly')).toEqual([undefined, undefined, undefined, undefined]);
  expect(await control('--type', 'hourly', '--canary')).toEqual(planted);
  const { report } = await operator.runs(['--canary']);
  const { stdout } = await operator.types(['reports', 'show', report.id]);
  expect(stdout).toContain('it found all 32 faults of the canary');
});
