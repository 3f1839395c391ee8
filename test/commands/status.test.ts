import { expect, test } from 'vitest';
import type { Status } from '../../src/status/status.ts';
import { testDatabase } from '../support/database.ts';
import { LedgerBuilder } from '../support/ledger.ts';
import { cutAt } from '../support/run-check.ts';
import { operatorOf } from '../support/world.ts';

const at = (hour: number) => {
  const moment = new Date(cutAt.getTime() + hour * 3_600_000);
  return { now: moment, asOf: moment };
};

async function desk(checks?: string) {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now: cutAt, seed: 3 });
  const ada = ledger.user();
  ledger.deposit(ada, '20');
  await ledger.save(sql);
  return { ...operatorOf(url, checks === undefined ? {} : { RECONCILIATION_CHECKS: checks }), sql, ledger, ada };
}

test('before the first run: nothing is verified, and the screen says what to do', async () => {
  const { types } = await desk();
  const { exitCode, stdout } = await types(['status']);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^ledger_consistency +never run +never +never$/m);
  expect(stdout).toMatch(/^circle_balance +off$/m);
  expect(stdout).toMatch(/^daily +never +not expected$/m);
  expect(stdout).toContain('No open exceptions.\n');
  expect(stdout).toMatch(/\nnext\n {2}recon run --type daily\n {6}There was no run yet.\n$/);
});

test('after a daily and an hourly run: how far each check is verified, when everything was proven, what is open', async () => {
  const { runs, types, sql, ledger, ada } = await desk();
  await runs(['--type', 'daily'], at(0));
  ledger.deposit(ada, '2000', { minutesAgo: -60, post: false });
  await ledger.save(sql);
  const hourly = await runs(['--type', 'hourly'], at(2));
  const [manual] = await sql<{ id: string }[]>`
    insert into reconciliation_reports (run_type, status, started_at, created_at)
    values ('manual', 'completed', ${at(1).now}, ${at(1).now})
    returning id
  `;

  const { stdout } = await types(['status'], at(3));
  expect(stdout).toMatch(
    /^deposits +failed +2026-03-01 13:45:00 \+00:00 \(75 min ago\) +2026-03-01 12:00:00 \+00:00 \(3 h ago\)$/m,
  );
  expect(stdout).toMatch(/^critical +1 +0 +0 +0 +1 +2000 {2}USDC$/m);
  expect(stdout).toMatch(new RegExp(`^hourly +${hourly.report.id.slice(0, 8)} +60 min ago +failed +just now +1$`, 'm'));
  expect(stdout).toMatch(/^daily +[0-9a-f]{8} +3 h ago +passed +in 11 h +0$/m);
  expect(stdout, 'an hour before the hourly one').toMatch(
    new RegExp(`^manual +${manual!.id.slice(0, 8)} +2 h ago +completed$`, 'm'),
  );
  expect(stdout).toMatch(/^deposits +·{29}█ +1$/m);
  expect(stdout).toMatch(/^withdrawals +·{29}▁ +0$/m);
  expect(stdout).toMatch(/^new exceptions +▁{29}█ +1$/m);
  const exception = hourly.exceptions[0]!.id.slice(0, 8);
  expect(stdout).toMatch(
    new RegExp(`\\nnext\\n {2}recon exceptions show ${exception}\\n {6}deposit .* was never posted`),
  );

  const document = JSON.parse((await types(['status', '-o', 'json'], at(3))).stdout) as Record<string, unknown>;
  await types(['exceptions', 'accept', hourly.exceptions[0]!.id, '--until', '2d', '--note', 'x'], at(3));
  expect((await types(['status'], at(4))).stdout).toContain('No open exceptions.\n');
  expect((await types(['status'], at(72))).stdout).toMatch(/^critical +0 +1 +0 +0 +1 /m);

  expect(document).toMatchObject({
    version: 1,
    environment: 'production',
    open_exceptions: { low: 0, medium: 0, high: 0, critical: 1 },
    last_report: { id: hourly.report.id },
    manual_report: { id: manual!.id },
    open_totals: [{ severity: 'critical', currency: 'USDC', amount: '2000', under_1_day: 1, older: 0 }],
    runs: [
      {
        run_type: 'hourly',
        last_report: { id: hourly.report.id },
        overdue: false,
        missed: ['2026-03-01T13:00:00.000Z'],
      },
      { run_type: 'daily', due: '2026-03-02T02:00:00.000Z', deadline: '2026-03-02T02:30:00.000Z', missed: [] },
    ],
    next: [{ command: `recon exceptions show ${exception}` }],
  });
  expect(document['checks']).toContainEqual({
    check_type: 'deposits',
    on: true,
    verdict: 'failed',
    report_id: hourly.report.id,
    checked_at: '2026-03-01T14:00:00Z',
    error_message: null,
    too_few: false,
    verified_through: '2026-03-01T13:45:00Z',
    proven_as_of: '2026-03-01T12:00:00Z',
    without_account: null,
    compared: 1,
  });
});

test('what is snoozed or accepted is counted, and never "Nothing to do." while its check has failed', async () => {
  const { runs, types, sql, ledger, ada } = await desk();
  ledger.deposit(ada, '2000', { post: false });
  await ledger.save(sql);
  const [exception] = (await runs([], at(0))).exceptions;
  const screenAfter = async (...line: string[]) => {
    await types(['exceptions', line[0]!, exception!.id, '--note', 'x', ...line.slice(1)], at(0));
    return (await types(['status'], at(0))).stdout;
  };
  for (const [action, state] of [
    ['snooze', 'snoozed'],
    ['accept', 'accepted'],
  ] as const) {
    expect(await screenAfter(action, '--until', '2d')).toContain(
      `No open exceptions.\nNot counted as open: 1 critical ${state} until 2026-03-03 12:00:00 +00:00.\n`,
    );
    const { stdout } = await types(['status', '-o', 'json'], at(0));
    const why = `What failed deposits may be ${state}, and stands all the same.`;
    expect(JSON.parse(stdout)).toMatchObject({
      not_open: [{ state, severity: 'critical', count: 1, until: '2026-03-03T12:00:00Z' }],
      next: [{ command: `recon exceptions list --status ${state}`, why }],
    });
  }
  const resolved = await screenAfter('resolve');
  expect(resolved).not.toContain('Not counted as open');
  expect(resolved).toMatch(
    /\nnext\n {2}recon run\n {6}What failed deposits is closed by now: look whether it is gone.\n$/,
  );
});

test('what somebody has comes after what nobody has, and it is said who has it', async () => {
  const { runs, types, sql, ledger, ada } = await desk();
  for (const amount of ['3000', '2000', '1500']) ledger.deposit(ada, amount, { post: false });
  ledger.deposit(ada, '0.005', { post: false });
  await ledger.save(sql);
  const [first, second, third, low] = (await runs([], at(0))).exceptions.map(({ id }) => id);
  const steps = async () => {
    const document = JSON.parse((await types(['status', '-o', 'json'], at(0))).stdout) as Pick<Status, 'next'>;
    return document.next.map(({ command, why }) => [command.replace('recon exceptions ', ''), why]);
  };
  const show = (id = '') => `show ${id.slice(0, 8)}`;
  const lost = expect.stringMatching(/^deposit .* was never posted/) as string;
  const takeUp = (id = '') =>
    sql`update reconciliation_exceptions set acknowledged_at = ${cutAt}, acknowledged_by = 'ada' where id = ${id}`;
  await takeUp(first);
  expect(await steps()).toEqual([
    [show(second), lost],
    ['list --severity critical', '1 more of severity critical.'],
    ['list', 'Taken up already: 1 critical by ada.'],
  ]);
  await takeUp(third);
  await sql`update reconciliation_exceptions set assignee = 'Bob' where id = ${second!}`;
  expect(await steps()).toEqual([
    [show(low), lost],
    ['list', 'Taken up already: 2 critical by ada, 1 critical by Bob.'],
  ]);
  await takeUp(low);
  expect(await steps()).toEqual([
    [show(first), expect.stringMatching(/^ada has it: deposit .* was never posted/)],
    ['list --severity critical', '2 more of severity critical.'],
  ]);
  const { stdout } = await types(['reports', 'show'], at(0));
  expect(stdout, 'a run says the same').toMatch(new RegExp(`${show(first)}\\n {6}ada has it: deposit`));
});

test('a check that could not tell says why; what it was verified through stays', async () => {
  const { runs, types, sql } = await desk();
  await runs([], at(0));
  await sql`alter table withdrawals rename to elsewhere`;
  expect((await runs(['--type', 'hourly'], at(1))).exitCode).toBe(78);
  const { stdout } = await types(['status'], at(1));
  expect(stdout).toMatch(/^withdrawals +incomplete +2026-03-01 11:45:00 /m);
  const once = /^deposits, conversion_jobs: .*"withdrawals" does not exist/m;
  expect(stdout).toMatch(once);
  expect((await types(['reports', 'show'], at(1))).stdout).toMatch(once);
  expect(stdout).toMatch(/^withdrawals +·{29}▁ +0$/m); // that day, another run could tell
  expect(stdout).toMatch(/\nnext\n {2}recon doctor\n {6}Could not tell: deposits, conversion_jobs, withdrawals\. /);
  expect(stdout).toMatch(/\n {2}recon run\n {6}Again, .+\n$/);
});

test('nobody started the runs: both are overdue, and a narrowed or partial one is none', async () => {
  const { runs, types } = await desk('deposits,withdrawals');
  await runs(['--type', 'daily'], at(0));
  await runs(['--type', 'daily', '--check', 'deposits'], at(26));
  await runs(['--since', '7d'], at(26));
  const { stdout } = await types(['status'], at(27));
  expect(stdout).toMatch(/^hourly +never +OVERDUE, expected 26 h ago +26$/m);
  expect(stdout).toMatch(/^daily +[0-9a-f]{8} +60 min ago +passed +OVERDUE, expected 13 h ago +1$/m);
  expect(stdout).toContain('\n  recon run --type hourly\n      The hourly run is overdue: run it, and look why');
  const off = await types(['status'], { ...at(27), env: { RECONCILIATION_ENABLED: 'false' } });
  expect(off.stdout).toMatch(/^hourly +never +switched off$/m);
  expect(off.stdout).toMatch(
    /\nnext\n {2}recon run\n {6}RECONCILIATION_ENABLED is false here: .* Set it to true again\.\n$/,
  );
});

test('one that came and ended without a result was not missed: why comes before the next one', async () => {
  const { runs, types, sql } = await desk('deposits');
  await runs(['--type', 'hourly'], at(13));
  await sql`insert into reconciliation_reports (run_type, status, started_at, created_at, error_message)
    values ('daily', 'failed', '2026-03-02T02:10Z', '2026-03-02T02:10Z', 'interrupted')`;
  const { stdout } = await types(['status'], at(15.2));
  expect(stdout).toMatch(/^daily +[0-9a-f]{8} +62 min ago +interrupted +in 22 h +0$/m);
  expect(stdout).toMatch(
    /\nnext\n {2}recon doctor\n {6}The daily run ended .* On record: interrupted\n {2}recon run --type daily\n {6}Again, .*\n$/,
  );
  const { stdout: later } = await types(['status'], at(40));
  expect(later).toMatch(
    /\n {2}recon doctor\n {6}The daily run ended .*\n {2}recon run --type daily\n {6}The daily run is overdue: /,
  );
  const { report } = await runs(['--type', 'hourly'], at(15.2));
  expect(report.metadata['missed']).toBeUndefined();
});

test('a daily run counts as an hourly one; a screen of 80 columns is enough', async () => {
  const { runs, types } = await desk('deposits');
  await runs(['--type', 'daily'], at(0));
  await runs(['--type', 'daily'], at(1));
  const { stdout } = await types(['status'], at(1.2));
  expect(stdout).toMatch(/^hourly +never +in 48 min +0$/m);

  const screen = await types(['status'], { ...at(28), terminal: true, columns: 80, env: { NO_COLOR: '1' } });
  for (const line of screen.stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  expect(screen.stdout).toMatch(/^deposits +passed +27 h ago +27 h ago$/m);
});

test('reports show says what a run looked at, and how far that verifies', async () => {
  const { runs, types } = await desk();
  await runs(['--type', 'daily'], at(0));
  const daily = await types(['reports', 'show'], at(0));
  expect(daily.stdout).toContain(
    'ledger_consistency, deposits, conversion_jobs, withdrawals: verified through 2026-03-01 11:45:00 +00:00; everything was looked at\n',
  );
  await runs(['--type', 'hourly'], at(1));
  const hourly = await types(['reports', 'show'], at(1));
  expect(hourly.stdout).toContain(
    'verified through 2026-03-01 12:45:00 +00:00; what has changed since 2026-03-01 11:45:00 +00:00 was looked at, and everything last at 2026-03-01 12:00:00 +00:00\n' +
      'What else became of an old row, edited or deleted, is found by the next daily run.\n',
  );
});

test('where nothing was there to compare, run and status ask whether it is the right database', async () => {
  const { url } = await testDatabase();
  const { types } = operatorOf(url, { RECONCILIATION_CHECKS: 'deposits,withdrawals' });
  const asks = /\nnext\n {2}recon doctor\n {6}There was nothing to compare: do DATABASE_URL /;
  const first = await types(['run', '--type', 'daily'], at(0));
  expect(first).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(asks) as string });
  const hourly = await types(['run', '--type', 'hourly'], at(1));
  expect(hourly.stdout, 'that nothing has changed is no surprise').not.toContain('recon doctor');
  expect((await types(['run', '--check', 'deposits'], at(1))).stdout).not.toContain('recon doctor');
  expect((await types(['status'], at(1))).stdout).toMatch(asks);
});

test('alerts that nobody has heard of are told', async () => {
  const { runs, types, sql } = await desk('deposits');
  await runs([], at(0));
  const told = async () => (await types(['status'], at(0))).stdout;
  await sql`
    insert into reconciliation_alerts (target, summary, body, state, created_at)
    select 'slack', 'x', '{}', state, created_at::timestamptz
    from (values ('delivered', '2026-03-01 11:00Z'), ('dead', '2026-01-01 11:00Z')) as old (state, created_at)`;
  expect(await told()).toMatch(/\nNothing to do.\n$/);
  await sql`
    insert into reconciliation_alerts (target, summary, body, state, created_at)
    select 'slack', 'x', '{}', unnest('{waiting,waiting,dead}'::text[]), ${cutAt}`;
  expect(await told()).toMatch(
    /\nalerts not delivered: 2 waiting, 1 given up \(dead, 30 days\)\n\nnext\n {2}recon alerts list --state waiting --state dead\n {6}Alerts that nobody has heard of: 3\.\n$/,
  );
});

test('what stands in the tables is text, however hostile, and a flood of it is cut off', async () => {
  const { runs, types, sql, ledger, ada } = await desk();
  ledger.deposit(ada, '2000', { post: false });
  await ledger.save(sql);
  await runs([], at(0));
  const hostile = '\u001b]0;owned\u0007\u202e\r\nNothing to do.';
  await sql`update reconciliation_exceptions set description = ${hostile + 'x'.repeat(1_048_576)}, currency = ${hostile}`;
  await sql`update reconciliation_checks set status = 'failed', error_message = ${hostile + 'x'.repeat(1_048_576)}`;
  const { stdout } = await types(['status'], { ...at(1), env: { RECONCILIATION_ENVIRONMENT: hostile } });
  expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  expect(stdout).not.toMatch(/^Nothing to do\.$/m);
  expect(stdout.length).toBeLessThan(10_000);
});
