import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { kinds } from '../../src/kinds.ts';
import { testDatabase } from '../support/database.ts';
import { recon } from '../support/world.ts';
import { kindsThatAreOff, type Planted } from './faults.ts';
import { fill, keepInFlight } from './fill.ts';
import { knownFaults, withSandboxes } from './sandboxes.ts';
import { isPerfect, readFound, score, scoreTable } from './score.ts';

test('a run finds every fault of the demo and nothing else, later too', { timeout: 240_000 }, async () => {
  const { url, sql } = await testDatabase();
  const filled = await fill(sql, new Date());
  const plantedKinds = new Set<string>(filled.planted.map(({ kind }) => kind));
  expect(kinds.filter(({ name }) => !plantedKinds.has(name)).map(({ name }) => name)).toEqual(kindsThatAreOff);
  const [{ count } = { count: 0 }] = await sql<
    [{ count: number }]
  >`select count(*)::int as count from ledger_transactions`;
  expect(count).toBeGreaterThan(10_000);

  await withSandboxes(filled, async (env) => {
    const options = { env: { DATABASE_URL: url, LOG_LEVEL: 'silent', ...env }, asOf: null, now: new Date() };
    expect(await recon(['run', '--type', 'manual'], options)).toMatchObject({ exitCode: 2 });
    const found = score(filled.planted, await readFound(sql));
    expect(found).toMatchObject({ missed: [], extra: [] });

    const twoHours = 7_200_000;
    await keepInFlight(sql, filled.inFlight, -twoHours); // as if the demo had been filled two hours ago
    await keepInFlight(sql, filled.inFlight, twoHours);
    expect(await recon(['run', '--type', 'daily'], options)).toMatchObject({ exitCode: 2 });
    expect(score(filled.planted, await readFound(sql))).toMatchObject({ missed: [], extra: [] });
  });
});

test('SANDBOX_FAULT=? lists the faults, one that is misspelled is refused, and neither begins anything', () => {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const demo = (fault: string) => {
    const env = { ...process.env, SANDBOX_FAULT: fault };
    return spawnSync(process.execPath, ['--import', 'tsx', main, 'checks'], { env, encoding: 'utf8' });
  };
  expect(demo('?')).toMatchObject({ status: 0, stdout: `${knownFaults().join('\n')}\n`, stderr: '' });
  expect(knownFaults()).toContain('circle bad gateway');
  const refused = demo('circle bad gatway');
  expect(refused).toMatchObject({ status: 64, stdout: '' });
  expect(refused.stderr).toMatch(/^SANDBOX_FAULT "circle bad gatway" is unknown\.\nThere are:\n {2}circle /);
});

test('the score counts a wrong amount, a second finding and a stranger', () => {
  const fault: Planted = { kind: 'balance_drift', subject: 'account:1', difference: '0.01', what: 'a cent' };
  const found = { kind: 'balance_drift', subject: 'account:1', severity: 'low', difference: '0.010' };
  expect(isPerfect(score([fault], [found]))).toBe(true);
  expect(score([fault], [{ ...found, difference: '0.02' }])).toMatchObject({ missed: [fault], extra: [{}] });
  expect(score([fault], [found, found])).toMatchObject({ missed: [], extra: [found] });
  expect(scoreTable(score([fault], []))).toContain('Planted: 1   Found: 0   Missed: 1');
});
