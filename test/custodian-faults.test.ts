import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { withoutSettings } from './demo/recon.ts';
import { alpacaFaults } from './support/alpaca-faults.ts';
import { circleFaults } from './support/circle-faults.ts';
import { alpacaKey, alpacaSecret, circleKey, startCustodians } from './support/custodians.ts';
import { testDatabase } from './support/database.ts';
import { LedgerBuilder } from './support/ledger.ts';
import { cutAt } from './support/run-check.ts';
import { operatorOf } from './support/world.ts';

/** Exit 0: the right total in spite of it. Else the check is incomplete, with this in its reason. */
type Expected = [exitCode: 0 | 3 | 77 | 78, reason?: string | RegExp];

const brokenOff = /with JSON that breaks off or is malformed/;

const atCircle: Record<keyof typeof circleFaults, Expected> = {
  'passing bad gateway': [0],
  'passing rate limit': [0],
  'passing broken connection': [0],
  'wallet listed twice': [0],
  'wallet created meanwhile': [0],
  'links without <>': [0],
  'token that only looks like USDC': [0],
  'one balance listed twice on Arc': [0],
  'USDC that is not monitored': [0],
  'clock a little behind': [0],
  'clock that is behind': [
    3,
    /answered with the time Sun, 01 Mar 2026 11:54:00 GMT at 2026-03-01T12:00:00\.000Z by our clock/,
  ],
  'bad gateway': [3, /answered 502 with a body that is not JSON .*it was tried 6 times\.$/],
  'rate limit for good': [3, /answered 429, code 429 "Too many requests\." .*it was tried 6 times\.$/],
  'rate limit for a minute': [
    3,
    /^The custodian was not read within half of the run’s time: .* Last: GET \S+ answered 429, .+; attempt 2 of 6 was under way\.$/,
  ],
  'rate limit for an hour': [3, 'asks to wait 3600 s, longer than the 65 s that a run waits'],
  'body that never ends': [3, 'The custodian was not read within half of the run’s time'],
  'connection that breaks off': [3, /could not be sent or answered \(.+\); it was tried 6 times\.$/],
  'empty body': [3, 'answered 200 with an empty body'],
  'page for people': [3, /answered 200 with a body that is not JSON \(request id \S+\)\.$/],
  'JSON that breaks off': [3, brokenOff],
  'too large a body': [3, 'is larger than 33554432 bytes'],
  redirect: [3, 'redirects are not followed; check CIRCLE_BASE_URL'],
  'refused key': [77, /Circle refused the credentials: GET 127\.0\.0\.1:\d+\/v1\/w3s\/transactions answered 401/],
  'forbidden key': [77, /Circle refused the credentials: GET \S+\/v1\/w3s\/transactions answered 403/],
  'key of the other environment': [78, 'Circle refused the environment'],
  'key that is sent back': [3, 'code 2 "unexpected Bearer [secret]"'],
  'endless listing': [3, 'a link to the next page came back'],
  'endless transactions': [3, /in the listing GET \S+\/v1\/w3s\/transactions/],
  'transactions out of order': [3, '/v1/w3s/transactions does not begin with the newest'],
  'link to another host': [3, 'the next page is said to be at https://api.circle.com'],
  'field that is missing': [3, 'data.wallets.0.blockchain is missing or has an unexpected form'],
  'amount that is no number': [3, 'its USDC is not a plain positive decimal'],
  'amount of the wrong type': [3, 'amount is missing or has an unexpected form'],
  'wallet of another chain': [3, 'asked for BASE-SEPOLIA, it listed wallet'],
  'listing that lost a wallet': [3, 'its two listings of wallets do not agree'],
  'both listings empty': [3, /holds less than the books say and does not list \S+, which the books know/],
  'wallet that cannot be verified': [78, /cannot be verified in wallet \S+ on NEAR-TESTNET/],
  'wallets of two environments': [78, 'of mainnets and of testnets together'],
  'money that never stands still': [3, /^Money kept moving at Circle/],
};

const atAlpaca: Record<keyof typeof alpacaFaults, Expected> = {
  'passing unavailability': [0],
  'passing rate limit': [0],
  'money as JSON numbers': [0],
  'short pages': [0],
  'account opened meanwhile': [0],
  'margin account': [0],
  'clock that is ahead': [
    3,
    /answered with the time Sun, 01 Mar 2026 12:06:00 GMT at 2026-03-01T12:00:00\.000Z by our clock/,
  ],
  unavailability: [3, 'answered 503 with a body that is not JSON'],
  'rate limit for good': [3, 'it was tried 6 times'],
  'refused secret': [77, /Alpaca refused the credentials: GET 127\.0\.0\.1:\d+\/v1\/clock answered 401/],
  'forbidden, as a JSON string': [77, '/v1/accounts answered 403, "Forbidden"'],
  'JSON that breaks off': [3, brokenOff],
  'account that never answers': [3, 'The custodian was not read within half of the run’s time'],
  'account that is not found': [3, /Alpaca lists account \S+ \(ACTIVE\) but does not show its money/],
  'account that is answered for another': [3, 'was answered with another account'],
  'no buying power': [3, 'has no buying_power that is a plain decimal'],
  'no currency': [3, 'has no currency'],
  'account in euro': [3, 'is kept in EUR, not in USD'],
  'buying power that is no number': [3, 'has no buying_power that is a plain decimal'],
  'same page again and again': [3, 'gives the same 1000 accounts again and again'],
  'accounts out of order': [3, '/v1/accounts does not begin with the oldest'],
  'empty listing': [3, /holds less than the books say and does not list \S+, which the books know/],
  'object for a list': [3, 'the whole answer is missing or has an unexpected form'],
  'too many journals': [3, '/v1/journals answered 422, "the result set is too large"'],
  'activities that break off': [3, brokenOff],
  'clock without a time': [3, 'timestamp is missing or has an unexpected form'],
  'clock of another day': [
    3,
    /^Alpaca could not be read: GET \S+\/v1\/clock answered with the time 2026-02-28\S+ at 2026-03-01/,
  ],
  'cash that never stands still': [3, /^Money kept moving at Alpaca/],
};

/** As many as vitest runs tests at a time: each waits most of its time, and a run has its database to itself. */
const databases = await Promise.all(Array.from({ length: 5 }, booksOfAda));
const [{ ada, url }] = databases as [Books];
const idle = [...databases];

type Books = Awaited<ReturnType<typeof booksOfAda>>;

async function booksOfAda() {
  const database = await testDatabase();
  const ledger = new LedgerBuilder({ now: cutAt, seed: 4 });
  const ada = ledger.user();
  ledger.investment(ada, '300.25', { minutesAgo: 5000 });
  const buffer = ledger.systemAccount('system_buffer_usdc');
  await ledger.save(database.sql);
  await database.sql`update ledger_accounts set balance = 100.5 where id = ${buffer.id}`;
  return { ...database, ada };
}

const bin = fileURLToPath(new URL('../bin/recon.js', import.meta.url));
const secrets = [...circleKey.split(':').slice(1), alpacaKey, alpacaSecret];

let told = '';

/** What only the end of its time ends is given little of it. */
const waits = ['rate limit for a minute', 'body that never ends', 'account that never answers'];

/** One run with a fault; what it said is kept. */
async function runWith(check: 'circle_balance' | 'alpaca_balance', fault: string, onFinished = onTestFinished) {
  const held = { usdc: '100.5', cash: '300.25' };
  const { circle, alpaca, env } = await startCustodians(ada, held, () => cutAt, onFinished);
  if (check === 'circle_balance') circleFaults[fault as keyof typeof circleFaults](circle);
  else alpacaFaults[fault as keyof typeof alpacaFaults](alpaca);
  const tight = {
    RECONCILIATION_RUN_TIMEOUT: waits.includes(fault) ? '1s' : '10s',
    RECONCILIATION_CIRCLE_TOLERANCE: '0',
    RECONCILIATION_ALPACA_TOLERANCE: '0',
  };
  const database = idle.pop()!;
  onFinished(() => void idle.push(database));
  const { types } = operatorOf(database.url, { ...env, ...tight, RECONCILIATION_CHECKS: check, LOG_LEVEL: 'info' });
  const startedAt = performance.now();
  const { exitCode, stdout, stderr } = await types(['run', '-o', 'json', '--accept-fewer']);
  told += stdout + stderr;
  const { checks } = JSON.parse(stdout) as { checks: Record<string, unknown>[] };
  return { exitCode, check: checks[0]!, tookMs: performance.now() - startedAt };
}

describe.each([
  ['circle_balance', '100.5', atCircle],
  ['alpaca_balance', '300.25', atAlpaca],
] as const)('%s', (check, total, faults) => {
  test.concurrent.for(Object.entries(faults))('%s', async ([fault, [exitCode, reason = '']], { onTestFinished }) => {
    const run = await runWith(check, fault, onTestFinished);
    expect(run).toMatchObject({ exitCode, check: { check_type: check } });
    if (exitCode === 0) expect(run.check).toMatchObject({ passed: true, actual_value: total });
    else expect(run.check).toMatchObject({ status: 'failed', passed: false, expected_value: null, actual_value: null });
    if (exitCode !== 0) expect(run.check['error_message']).toMatch(reason);
    expect(run.tookMs).toBeLessThan(6_000);
  });
});

test('what begins unreadably is shown and not stored', async () => {
  await runWith('circle_balance', 'page for people');
  expect(told).toContain('It begins: \\"<html>Please log in, jane@example.org</html>\\"');
  expect(await stored()).not.toContain('jane@example.org');
});

test('neither the process nor a child of it shows a key in the process list', async () => {
  const { circle, env } = await startCustodians(ada, { usdc: '100.5', cash: '300.25' });
  circleFaults['body that never ends'](circle);
  const settings = {
    ...withoutSettings(process.env),
    ...env,
    DATABASE_URL: url,
    RECONCILIATION_CHECKS: 'circle_balance',
  };
  const child = spawn(process.execPath, [bin, 'run', '--dry-run'], { env: settings, stdio: 'ignore' });
  const ended = once(child, 'exit');
  onTestFinished(() => void child.kill('SIGKILL'));
  await vi.waitUntil(() => circle.log.length > 0, { timeout: 20_000 });
  const shown = await familyOf(child.pid!);
  expect(shown[0]).toMatch(/recon/);
  for (const secret of secrets) expect(shown.join('\n')).not.toContain(secret);
  child.kill('SIGTERM');
  expect(await ended).toEqual([143, null]);
});

/** How the process list shows a process and those that it began, names and arguments. */
async function familyOf(pid: number): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,ppid=,comm=,args=']);
  const rows = stdout.split('\n').map((line) => /^ *(\d+) +(\d+) +(.*)$/.exec(line)?.slice(1) ?? []);
  const family = new Set([String(pid)]);
  for (const [id = '', parent = ''] of rows) if (family.has(parent)) family.add(id);
  return rows.filter(([id = '']) => family.has(id)).map(([, , shown = '']) => shown);
}

afterAll(async () => {
  const everything = told + (await stored());
  for (const secret of secrets) expect(everything).not.toContain(secret);
});

async function stored(): Promise<string> {
  const rows = databases.map(
    ({ sql }) => sql<{ text: string }[]>`
      select row_to_json(report)::text as text from reconciliation_reports as report
      union all select row_to_json(checked)::text from reconciliation_checks as checked
      union all select row_to_json(exception)::text from reconciliation_exceptions as exception`,
  );
  return (await Promise.all(rows))
    .flat()
    .map(({ text }) => text)
    .join('\n');
}
