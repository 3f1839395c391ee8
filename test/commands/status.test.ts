import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { LedgerBuilder } from '../support/ledger.ts';
import { cutAt } from '../support/run-check.ts';
import { operatorOf } from '../support/world.ts';

const at = (hour: number) => {
  const moment = new Date(cutAt.getTime() + hour * 3_600_000);
  return { now: moment, asOf: moment };
};

async function desk() {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now: cutAt, seed: 3 });
  const ada = ledger.user();
  ledger.deposit(ada, '20');
  await ledger.save(sql);
  return { ...operatorOf(url), sql, ledger, ada };
}

test('before the first run: nothing is verified, and the screen says what to do', async () => {
  const { types } = await desk();
  const { exitCode, stdout } = await types(['status']);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^ledger_consistency +never run +never +never$/m);
  expect(stdout).toMatch(/^circle_balance +off$/m);
  expect(stdout).toContain('No open exceptions.\nNo run yet: recon run --type daily\n');
});

test('after a daily and an hourly run: how far each check is verified, when everything was proven, what is open', async () => {
  const { runs, types, sql, ledger, ada } = await desk();
  await runs(['--type', 'daily'], at(0));
  ledger.deposit(ada, '2000', { minutesAgo: -60, post: false });
  await ledger.save(sql);
  const hourly = await runs(['--type', 'hourly'], at(2));

  const { stdout } = await types(['status'], at(3));
  expect(stdout).toMatch(
    /^deposits +failed +2026-03-01 13:45:00 \+00:00 \(75 min ago\) +2026-03-01 12:00:00 \+00:00 \(3 h ago\)$/m,
  );
  expect(stdout).toContain('Open exceptions: 1 critical: recon exceptions list\n');
  expect(stdout).toContain(`Last run: hourly ${hourly.report.id.slice(0, 8)} failed, 60 min ago\n`);

  const document = JSON.parse((await types(['status', '-o', 'json'], at(3))).stdout) as Record<string, unknown>;
  await types(['exceptions', 'accept', hourly.exceptions[0]!.id, '--until', '2d', '--note', 'x'], at(3));
  expect((await types(['status'], at(4))).stdout).toContain('No open exceptions.\n');
  expect((await types(['status'], at(72))).stdout).toContain('Open exceptions: 1 critical');

  expect(document).toMatchObject({
    version: 1,
    environment: 'production',
    open_exceptions: { low: 0, medium: 0, high: 0, critical: 1 },
    last_report: { id: hourly.report.id },
  });
  expect(document['checks']).toContainEqual({
    check_type: 'deposits',
    on: true,
    verdict: 'failed',
    report_id: hourly.report.id,
    checked_at: '2026-03-01T14:00:00Z',
    error_message: null,
    verified_through: '2026-03-01T13:45:00Z',
    proven_as_of: '2026-03-01T12:00:00Z',
  });
});

test('a check that could not tell says why; what it was verified through stays', async () => {
  const { runs, types, sql } = await desk();
  await runs(['--type', 'daily'], at(0));
  await sql`alter table withdrawals rename to elsewhere`;
  expect((await runs(['--type', 'hourly'], at(1))).exitCode).toBe(78);
  const { stdout } = await types(['status'], at(1));
  expect(stdout).toMatch(/^withdrawals +incomplete +2026-03-01 11:45:00 /m);
  expect(stdout).toMatch(/^withdrawals: .*"withdrawals" does not exist/m);
});

test('reports show says what a run looked at, and how far that verifies', async () => {
  const { runs, types } = await desk();
  await runs(['--type', 'daily'], at(0));
  const daily = await types(['reports', 'show'], at(0));
  expect(daily.stdout).toContain(
    'conversion_jobs, deposits, ledger_consistency, withdrawals: verified through 2026-03-01 11:45:00 +00:00: everything\n',
  );
  await runs(['--type', 'hourly'], at(1));
  const hourly = await types(['reports', 'show'], at(1));
  expect(hourly.stdout).toContain(
    'verified through 2026-03-01 12:45:00 +00:00: changes since 2026-03-01 11:45:00 +00:00; everything was last proven at 2026-03-01 12:00:00 +00:00\n' +
      'What else became of an old row, edited or deleted, is found by the next daily run.\n',
  );
});
