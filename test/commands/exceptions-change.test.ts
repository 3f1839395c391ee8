import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { login } from '../support/login.ts';
import { cutAt } from '../support/run-check.ts';
import { operatorOf, reconIn, testWorld, type Operator } from '../support/world.ts';

const { url, sql } = await testDatabase();
const report = '10000000-0000-4000-8000-000000000001';
const ids = {
  one: 'aaaa0000-0000-4000-8000-000000000001',
  two: 'bbbb0000-0000-4000-8000-000000000002',
  three: 'cccc0000-0000-4000-8000-000000000003',
};
const hostile = '\u001b[2J\u009b31m\u202egpj.exe\r\n=cmd|calc <script>alert(1)</script>';

let operator: Operator;

beforeEach(async () => {
  const guarded = ['reconciliation_exception_events', 'reconciliation_corrections'];
  for (const table of guarded) await sql`alter table ${sql(table)} disable trigger user`;
  await sql`truncate reconciliation_reports, reconciliation_checks, reconciliation_exceptions, reconciliation_findings,
    reconciliation_exception_events, reconciliation_watermarks, reconciliation_waiting, reconciliation_incidents,
    reconciliation_alerts, reconciliation_corrections`;
  for (const table of guarded) await sql`alter table ${sql(table)} enable trigger user`;
  operator = operatorOf(url);
  await sql`insert into reconciliation_reports (id, run_type, status) values (${report}, 'manual', 'completed')`;
  await sql`
    insert into reconciliation_exceptions (
      id, report_id, last_report_id, check_type, kind, fingerprint, severity, description, expected_value,
      actual_value, difference, currency, affected_entity, created_at
    ) values
      (${ids.one}, ${report}, ${report}, 'deposits', 'missing_in_ledger', 'deposits/missing_in_ledger/deposit:1', 'high',
        'the first', 200, 0, -200, 'USDC', 'deposit:1', '2026-02-28T12:00:00Z'),
      (${ids.two}, ${report}, ${report}, 'deposits', 'stuck', 'deposits/stuck/deposit:2', 'low',
        ${hostile}, null, null, null, ${hostile}, ${`deposit:${hostile}`}, '2026-02-01T12:00:00Z'),
      (${ids.three}, ${report}, ${report}, 'withdrawals', 'amount_mismatch', 'withdrawals/amount_mismatch/withdrawal:3', 'low',
        'the third', 10, 10.123456789012345678, 0.123456789012345678, 'USD', 'withdrawal:3', '2026-02-20T12:00:00Z')`;
});

const exceptions = (line: string, options = {}) => operator.types(['exceptions', ...wordsOf(line)], options);

/** As a shell would split it. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word!);
}

async function listed(line = ''): Promise<string[]> {
  const { stdout } = await exceptions(`list -o json ${line}`);
  return (JSON.parse(stdout) as { exceptions: { id: string }[] }).exceptions.map(({ id }) => id);
}

async function log(): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`
    select
      left(exception_id::text, 4) || ' ' || event || ' by ' || actor || ' on ' || coalesce(host, 'nothing')
        || coalesce(': ' || note, '') as line
    from reconciliation_exception_events order by sequence`;
  return rows.map(({ line }) => line);
}

describe('one exception', () => {
  test('is acknowledged, assigned, commented, snoozed, accepted, resolved and reopened; all of it is in the log', async () => {
    for (const line of [
      'acknowledge aaaa',
      'assign aaaa --to Grace --by Ada',
      'comment aaaa --note "asked Circle"',
      'snooze aaaa --until 2h',
      'accept aaaa --until 2026-04-01 --note "ticket 1"',
      'resolve aaaa --note "posted by hand" --yes',
      'reopen aaaa --note "it was not"',
    ])
      expect(await exceptions(line), line).toMatchObject({ exitCode: 0 });
    expect(await log()).toEqual([
      'aaaa acknowledged by ada on desk-7',
      'aaaa assigned by Ada on desk-7',
      'aaaa commented by ada on desk-7: asked Circle',
      'aaaa snoozed by ada on desk-7',
      'aaaa accepted by ada on desk-7: ticket 1',
      'aaaa resolved by ada on desk-7: posted by hand',
      'aaaa reopened by ada on desk-7: it was not',
    ]);
    const details = await sql`select details from reconciliation_exception_events order by sequence`;
    expect(details.map((row) => row['details'] as unknown).slice(1)).toMatchObject([
      { assignee: 'Grace' },
      {},
      { until: '2026-03-01T14:03:00+00:00' },
      { until: '2026-04-01T00:00:00+00:00', difference: '-200' },
      {},
      { was: { resolved_by: 'ada', resolution_notes: 'posted by hand', accepted_until: '2026-04-01T00:00:00+00:00' } },
    ]);
  });

  test('is open, put aside, known and agreed, or over, and back when its time is over', async () => {
    await exceptions('acknowledge aaaa');
    await exceptions('snooze bbbb --until 1d');
    await exceptions('accept cccc --until 2d --note agreed');
    const standing = async () =>
      Promise.all(
        ['open', 'acknowledged', 'snoozed', 'accepted', 'unresolved'].map((status) => listed(`--status ${status}`)),
      );
    const all = [ids.one, ids.three, ids.two];
    expect(await standing()).toEqual([[ids.one], [ids.one], [ids.two], [ids.three], all]);
    const { stdout, stderr } = await exceptions('list --status unresolved');
    expect(stdout).toMatch(/^aaaa0000 .* 1x +taken up by ada$/m);
    expect(stdout).toMatch(/^bbbb0000 .* 1x +snoozed until 2026-03-02 \d\d:\d\d:\d\d [+-]\d\d:\d\d$/m);
    expect(stdout).toMatch(/^cccc0000 .* 1x +accepted until 2026-03-03 \d\d:\d\d:\d\d [+-]\d\d:\d\d$/m);
    expect(stderr).toBe('production: 3 exceptions (1 high, 2 low), 0.123456789012345678 USD, 200 USDC.\n');
    expect((await exceptions('list')).stderr).toContain('Not listed: 1 snoozed, 1 accepted (--status unresolved).\n');
    const later = { now: new Date(cutAt.getTime() + 3 * 86_400_000) };
    const back = await exceptions('list', later);
    expect(back.stderr).toMatch(/^production: 3 exceptions/);
    expect(back.stdout).not.toContain('until');
  });

  test.each([
    ['resolve aaaa', 'resolve needs --note TEXT.\n'],
    ['accept aaaa --note x', 'accept needs --until TIME.\n'],
    [
      'accept --kind stuck',
      'accept needs --until TIME and --note TEXT; also --yes, because nobody can be asked here.\n',
    ],
    ['acknowledge aaaa --note ""', 'The note is empty.\nGive --note TEXT: why.\n'],
    ['assign aaaa', 'assign needs --to NAME.\n'],
    ['assign', 'assign needs an id or a filter and --to NAME; also --yes, because nobody'],
    ['assign aaaa --to " "', '--to is empty.'],
    ['assign aaaa --to "a\u001b[31mb"', '--to holds control characters.'],
    ['acknowledge aaaa --by "bob\nevil"', '--by holds control characters.'],
    [`assign aaaa --to ${'a'.repeat(201)}`, '--to has more than 200 characters.'],
    [`comment aaaa --note ${'a'.repeat(10_001)}`, '--note has more than 10,000 characters.'],
    ['assign aaaa --to System', '--to cannot be system, which is what recon itself signs with.'],
    ['snooze aaaa --until 2026-03-01', '--until "2026-03-01" is not a time to come.'],
    ['snooze aaaa --until 0d', '--until "0d" is not a time to come.'],
    ['snooze aaaa --until 400d', '--until "400d" is too far away: at most 365d, or a date.'],
    ['accept aaaa --note x --until 9999-12-31', 'accept is for a year at most, not until 9999-12-31.\n'],
    [
      'snooze aaaa --until 2y',
      '--until "2y" is in a unit that recon does not know: it knows s, m, h and d.\nGive 2h, 7d,',
    ],
    ['snooze aaaa --until soon', '--until "soon" is not a time to come.\nGive 2h, 7d,'],
    ['acknowledge', 'acknowledge needs an id or a filter; also --yes, because nobody can be asked here.\n'],
    ['acknowledge aaaa --kind stuck', 'Which exceptions are meant?'],
    ['list --since yesterday', '--since "yesterday" is not a time.'],
    ['list --min-amount 1e3', 'It must be an amount such as 100 or 0.50.'],
    ['list --min-amount 5 --max-amount 1', '--min-amount 5 is above --max-amount 1.\nSwap them.\n'],
    ['list --since 7d --before 30d', ' is not before --before 2026-01-30T12:00:00.000000Z.\nSwap them.\n'],
    ['list --since 2027-01-01', ' is in the future: nothing happened from then on.\n'],
    [
      'resolve --note x --check deposits --check withdrawals --kind orphaned_entry --kind unlinked',
      '--check deposits, withdrawals never finds --kind orphaned_entry, unlinked.\n`recon checks` lists',
    ],
    ['list --text " "', '--text is empty.'],
    ['list --assignee Ada --unassigned', "cannot be used with option '--assignee <name>'"],
  ])('%s exits 64', async (line, sentence) => {
    const { exitCode, stdout, stderr } = await exceptions(line);
    expect([exitCode, stdout]).toEqual([64, '']);
    expect(stderr).toContain(sentence);
    expect(await log()).toEqual([]);
  });

  test('that is open is not reopened: the command is right, and what is on record says no', async () => {
    await exceptions('accept aaaa --until 2026-03-02 --note agreed');
    const { exitCode, stderr } = await exceptions('reopen aaaa --note x', { now: new Date('2026-03-02T00:00:00Z') });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`The exception ${ids.one} is open; nothing was changed.`);
    expect(await log()).toHaveLength(1);
  });

  test('that came back is not reopened a second time', async () => {
    await exceptions('accept aaaa --until 30d --note agreed');
    await exceptions('resolve aaaa --note x');
    await sql`
      insert into reconciliation_exceptions (id, report_id, last_report_id, check_type, kind, fingerprint, severity, description)
      select 'dddd0000-0000-4000-8000-000000000004', report_id, report_id, check_type, kind, fingerprint, severity, ''
      from reconciliation_exceptions where id = ${ids.one}`;
    const { exitCode, stderr } = await exceptions('reopen aaaa --note y');
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`has come back as dddd0000-0000-4000-8000-000000000004; nothing was changed.`);
    await exceptions('resolve dddd --note x');
    const both = await exceptions('reopen aaaa dddd --note y --yes');
    expect(both.stderr).toContain('is one of several with the same subject; nothing was changed.');
  });
});

describe('what somebody else has', () => {
  test('is taken over loudly: it is said, and stands in the log', async () => {
    await exceptions('acknowledge aaaa --by Ada');
    expect((await exceptions('acknowledge aaaa --by Ada')).stderr).not.toContain('took it over');
    const refused = await exceptions('acknowledge aaaa --by Grace');
    expect(refused).toMatchObject({ exitCode: 64, stdout: '' });
    expect(refused.stderr).toMatch(/ TAKEN FROM Ada\n[^]*nobody can be asked: stdin is no terminal.\nAdd --yes.\n/);
    const reader = operatorOf((await login(sql, url, 'pg_read_all_data')).url);
    const denied = await reader.types(['exceptions', 'acknowledge', 'aaaa', '--by', 'Grace', '--yes']);
    expect(denied.exitCode, denied.stderr).toBe(78);
    expect(denied.stderr, 'nothing was taken').not.toContain('took it over');
    const { exitCode, stderr } = await exceptions('assign aaaa --to Grace --by Grace --yes');
    expect([exitCode, stderr]).toEqual([
      0,
      'recon: aaaa0000 was with Ada: Grace took it over\nrecon: 1 assigned by Grace in production; exit 0\n',
    ]);
    expect((await exceptions('assign aaaa --to Bob --by Grace')).stderr, 'she hands it on').not.toContain('took it');
    const events = await sql`select details -> 'was' as was from reconciliation_exception_events order by sequence`;
    expect(events.map((row) => row['was'] as unknown)).toEqual([
      null,
      { acknowledged_by: 'Ada' },
      { acknowledged_by: 'Ada' },
      { acknowledged_by: 'Ada', assignee: 'Grace' },
    ]);
    expect((await exceptions('show aaaa')).stdout).toMatch(/ assigned +Grace on desk-7 +to Bob$/m);
    expect((await exceptions('show aaaa')).stdout).toMatch(/ assigned +Grace on desk-7 +from Ada to Grace$/m);
    expect(await exceptions('assign aaaa --to Bob --by Ada'), 'he keeps it').toMatchObject({ exitCode: 0 });
    const unasked = await exceptions('resolve aaaa --note x --by Ada');
    expect([unasked.exitCode, unasked.stderr]).toEqual([64, expect.stringContaining(' WITH Bob “x”\n')]);
    expect((await exceptions('resolve aaaa --note x --by Ada --yes')).stderr).toContain(
      'aaaa0000 was with Bob: Ada resolved it\n',
    );
  });

  test('a person at a terminal is asked about', async () => {
    await exceptions('assign aaaa --to Ada');
    const refused = await exceptions('acknowledge aaaa --by Grace', { typed: 'no\n' });
    expect(refused.stderr).toMatch(/^acknowledge +aaaa0000 .* +TAKEN FROM Ada$/m);
    expect(refused.stderr).toContain('Not confirmed; nothing was changed.');
    expect(await exceptions('acknowledge aaaa --by Grace', { typed: 'acknowledge\n' })).toMatchObject({ exitCode: 0 });
    expect((await exceptions('show aaaa')).stdout).not.toContain('recon exceptions acknowledge');
    const events = await sql`select details -> 'was' as was from reconciliation_exception_events order by sequence`;
    expect(events.map((row) => row['was'] as unknown)).toEqual([null, { assignee: 'Ada' }]);
  });
});

describe('two people at once', () => {
  test('never lose an action: all are in the log, and the last one counts', async () => {
    const people = Array.from({ length: 8 }, (_, index) => `person-${index}`);
    const lines = people.flatMap((by) => [
      `assign aaaa --to ${by} --by ${by} --yes`,
      `comment aaaa --by ${by} --note "${by}"`,
      `acknowledge aaaa --by ${by} --yes`,
    ]);
    const outcomes = await Promise.all(lines.map((line) => exceptions(line)));
    expect(outcomes.map(({ exitCode }) => exitCode)).toEqual(lines.map(() => 0));
    const events = await sql<{ event: string; actor: string }[]>`
      select event, actor from reconciliation_exception_events order by sequence`;
    expect(events).toHaveLength(lines.length);
    const last = (event: string) => events.findLast((one) => one.event === event)?.actor;
    const [row] = await sql`select assignee, acknowledged_by from reconciliation_exceptions where id = ${ids.one}`;
    expect(row).toEqual({ assignee: last('assigned'), acknowledged_by: last('acknowledged') });
  });

  test('a person and a run take turns, before either has written into any table of recon', async () => {
    const holder = await sql.reserve();
    await holder`begin`;
    await holder`select pg_advisory_xact_lock(hashtextextended('recon exceptions public', 0))`;
    const acting = [exceptions('resolve cccc --note x'), operator.runs(['--check', 'deposits'])];
    const waiting = () => sql<{ touched: string[] }[]>`
      select
        array(
          select written.relation::regclass::text
          from pg_locks as written
          where
            written.pid = turn.pid and written.mode = 'RowExclusiveLock'
            and written.relation::regclass::text like 'reconciliation%'
        ) as touched
      from pg_locks as turn
      where turn.locktype = 'advisory' and not turn.granted and turn.database = (
        select oid from pg_database where datname = current_database()
      )`;
    let seen = await waiting();
    while (seen.length < 2) seen = await waiting();
    expect([...seen]).toEqual([{ touched: [] }, { touched: [] }]);
    await holder`commit`;
    holder.release();
    await Promise.all(acting);
    const [row] = await sql`select resolved_by from reconciliation_exceptions where id = ${ids.three}`;
    expect(row).toEqual({ resolved_by: 'ada' });
    expect(await sql`select from reconciliation_exception_events where event = 'cleared'`).toHaveLength(2);
  });

  test('of two who close it, one does, and the other is told', async () => {
    const outcomes = await Promise.all(['Ada', 'Grace'].map((by) => exceptions(`resolve aaaa --note x --by ${by}`)));
    expect(outcomes.map(({ exitCode }) => exitCode).sort()).toEqual([0, 2]);
    expect(outcomes.map(({ stderr }) => stderr).join('')).toContain('is resolved already; nothing was changed.');
    expect(await log()).toHaveLength(1);
  });

  test('what changed between the question and the answer is not changed by it', async () => {
    const typed = (async function* () {
      await exceptions('assign bbbb --to Grace --note "wait, she looks at this first"');
      yield 'resolve\n';
    })();
    const { exitCode, stderr } = await exceptions('resolve --severity low --note x', { typed });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`The exception ${ids.two} has changed since it was shown; nothing was changed.`);
    expect(await listed()).toHaveLength(3);
  });
});

test('an order is signed once the question is answered, so that no run that began meanwhile takes it back', async () => {
  await exceptions('resolve bbbb cccc --note x --yes');
  const answered = new Date(cutAt.getTime() + 3_600_000);
  async function* answer() {
    await Promise.resolve(); // a person takes their time
    world.now = () => answered;
    yield 'reopen\n';
  }
  const world = testWorld({ env: { DATABASE_URL: url, USER: 'ada' }, typed: answer() });
  const line = 'exceptions reopen bbbb cccc --note "not yet"';
  expect(await reconIn(world, wordsOf(line))).toMatchObject({ exitCode: 0 });
  const events = await sql<{ created_at: Date }[]>`
    select created_at from reconciliation_exception_events where event = 'reopened'`;
  expect(events.map((event) => new Date(event.created_at))).toEqual([answered, answered]);
});

describe('several', () => {
  test('are shown first; a person says yes', async () => {
    const line = 'resolve --severity low --note "ticket 812"';
    const alone = await exceptions(line);
    expect(alone).toMatchObject({ exitCode: 64, stdout: '' });
    expect(alone.stderr).toMatch(
      /^action +id +severity +kind +subject +difference +what for\nresolve +cccc0000 +low +amount_mismatch +withdrawal 3 +0.123456789012345678 +USD +“ticket 812”\n/,
    );
    expect(alone.stderr).toContain('2 exceptions (2 low), 0.123456789012345678 USD, as they are now.\n');
    expect(alone.stderr).toContain('stdin is no terminal.\nAdd --yes.');
    expect((await exceptions(line, { typed: 'yes\n' })).stderr).toContain('Not confirmed; nothing was changed.');
    expect(await log()).toEqual([]);
    const told = await exceptions(line, { typed: 'resolve\n' });
    expect(told.exitCode).toBe(0);
    expect(told.stderr).toMatch(
      /Type "resolve" to go on, in production: recon: 2 exceptions stood when .*\nrecon: 2 resolved by ada in production; exit 0\n$/,
    );
    expect(await listed()).toEqual([ids.one]);
  });

  test('all or none: by ids, and where one of them is over already', async () => {
    await exceptions('resolve bbbb --note x');
    const { exitCode, stderr } = await exceptions('acknowledge aaaa bbbb cccc --yes');
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`The exception ${ids.two} is resolved already; nothing was changed.`);
    expect(stderr).toContain('`recon exceptions show bbbb0000` says by whom.');
    expect(await log()).toHaveLength(1);
    expect(await exceptions('assign aaaa cccc --to Grace --yes')).toMatchObject({ exitCode: 0 });
    expect(await listed('--assignee Grace')).toEqual([ids.one, ids.three]);
  });

  test('more than are changed in one statement', async () => {
    await sql`
      insert into reconciliation_exceptions (id, report_id, last_report_id, check_type, kind, fingerprint, severity, description)
      select gen_random_uuid(), ${report}, ${report}, 'deposits', 'unlinked', 'deposits/unlinked/' || n, 'low', ''
      from generate_series(1, 1001) as n`;
    const { stderr } = await exceptions('resolve --kind unlinked --note x --yes');
    expect(stderr).toMatch(/recon: 1,001 resolved by ada in production; exit 0\n$/);
    expect(await listed()).toHaveLength(3);
  });

  test('none that match', async () => {
    expect(await exceptions('acknowledge --kind unlinked --yes')).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: 'recon: no exception matches; nothing was changed; exit 0\n',
    });
  });
});

describe('filters and orders', () => {
  test.each([
    ['--since 2026-02-20', [ids.one, ids.three]],
    ['--before 20d', [ids.two]],
    ['--min-amount 200', [ids.one]],
    ['--max-amount 0.123456789012345678', [ids.three]],
    ['--min-amount 200 --max-amount 200.0', [ids.one]],
    ['--check withdrawals --kind stuck --kind amount_mismatch', [ids.three]],
    ['--unassigned', [ids.one, ids.three, ids.two]],
    ['--assignee Grace', []],
    ['--text "THE "', [ids.one, ids.three]],
    ['--text withdrawal:3', [ids.three]],
    ['--text asked', [ids.two]],
    ['--text %', []],
    ['--sort amount', [ids.one, ids.three, ids.two]],
    ['--sort newest', [ids.one, ids.three, ids.two]],
    ['--sort oldest', [ids.two, ids.three, ids.one]],
    ['--sort amount --after cccc', [ids.two]],
    ['--sort oldest --after bbbb', [ids.three, ids.one]],
  ])('list %s', async (line, expected) => {
    await exceptions('comment bbbb --note "Asked Circle"');
    expect(await listed(line)).toEqual(expected);
  });

  test('the command for the next page can be typed as it is', async () => {
    const { stderr } = await exceptions(`list --sort oldest --text "'e" --limit 1 --status all`);
    expect(stderr).not.toContain('next');
    const first = await exceptions('list --sort oldest --text "the " --limit 1');
    expect(first.stderr).toContain("recon exceptions list --text 'the ' --sort oldest --limit 1 --after cccc0000\n");
  });
});

describe('hostile text', () => {
  const control = /[^\n\r -~“”…’]/;

  test.each(['list', 'list -o csv', 'list -o json', 'acknowledge --kind stuck', 'comment bbbb --note x'])(
    'is harmless in recon exceptions %s',
    async (line) => {
      await sql`update reconciliation_exceptions set description = ${hostile.repeat(20_000)} where id = ${ids.two}`;
      const { stdout, stderr } = await exceptions(line);
      expect(stdout + stderr).toMatch(/bbbb0000/);
      expect(stdout + stderr).not.toMatch(control);
    },
  );

  test('a megabyte in a cell does not reach the screen', async () => {
    await sql`update reconciliation_exceptions set affected_entity = ${'x'.repeat(1_000_000)}, currency = ${'y'.repeat(1_000_000)}, kind = ${'z'.repeat(1_000_000)}`;
    const { stdout, stderr } = await exceptions('list');
    expect((stdout + stderr).length).toBeLessThan(2_000);
  });
});

describe('a list that was exported comes back', () => {
  async function apply(edit: (csv: string) => string | Buffer, flags = '--yes', options = {}) {
    const { stdout } = await exceptions('list -o csv');
    const folder = await mkdtemp(join(tmpdir(), 'recon-worklist-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'list.csv'), edit(stdout));
    return exceptions(`apply ${join(folder, 'list.csv')} ${flags}`, options);
  }

  /** Enters something at the end of the line of an exception: action, note, until. */
  const enter = (csv: string, id: string, cells: string) =>
    csv.replace(new RegExp(`^(${id}(?:[^"]|"[^"]*")*?),,,\r$`, 'm'), `$1,${cells}\r`);

  test('with other actions in each row, all in one go', async () => {
    const edit = (csv: string) =>
      enter(
        enter(enter(csv, ids.one, 'resolve,"posted, by hand",'), ids.two, "comment,'=1+1 is what it says,"),
        ids.three,
        'accept,a fee,30d',
      );
    const { exitCode, stderr } = await apply(edit);
    expect(stderr).toMatch(/: 3 rows with an action, 0 without\naction /);
    expect(stderr).toContain('recon: 1 commented, 1 accepted, 1 resolved by ada in production; exit 0');
    expect(exitCode).toBe(0);
    expect((await log()).sort()).toEqual([
      'aaaa resolved by ada on desk-7: posted, by hand',
      'bbbb commented by ada on desk-7: =1+1 is what it says',
      'cccc accepted by ada on desk-7: a fee',
    ]);
  });

  test('a second time, without doing again what was the last thing done', async () => {
    const fill = (csv: string) => enter(enter(csv, ids.one, 'comment,"asked, again",'), ids.two, 'snooze,,2026-03-09');
    let file = '';
    const first = (csv: string) => (file = enter(fill(csv), ids.three, 'accept,a fee,2026-03-09'));
    expect(await apply(first)).toMatchObject({ exitCode: 0 });
    const [before, again] = [await log(), await apply(() => file)];
    expect(before).toHaveLength(3);
    expect([again.exitCode, again.stderr]).toEqual([
      0,
      expect.stringMatching(
        /: 3 rows with an action, 0 without; 3 unchanged, because by ada .*\nrecon: nothing was changed; exit 0\n$/,
      ),
    ]);
    expect(await log()).toEqual(before);
    await exceptions('comment aaaa --note "they said no"');
    const rest = await apply(() => file.replace('2026-03-09', '2026-03-10'));
    expect(rest.stderr).toContain(': 3 rows with an action, 0 without; 1 unchanged');
    expect(rest.stderr).toContain('recon: 1 commented, 1 accepted by ada in production; exit 0');
    expect((await apply(() => file, '--yes --by Grace')).stderr).toContain(': 3 rows with an action, 0 without\n');
  });

  test('as a spreadsheet saves it: a mark in front, semicolons, numbers as it likes them', async () => {
    const edit = (csv: string) =>
      `\ufeff${enter(csv, ids.three, 'resolve,a fee,')
        .replaceAll(/'?\d*\.\d{9,}/g, '1.2E-01')
        .replace(/"[^"]*"/g, '')
        .replaceAll(',', ';')}`;
    const { exitCode, stderr } = await apply(edit);
    expect([exitCode, await log()], stderr).toEqual([0, ['cccc resolved by ada on desk-7: a fee']]);
  });

  test('assigns to the name that was entered, and asks a person', async () => {
    const to = (name: string) => (csv: string) => {
      const at = csv.split('\r\n')[0]!.split(',').indexOf('assignee');
      const cells = csv
        .split('\r\n')
        .find((line) => line.startsWith(ids.one))!
        .split(',');
      cells[at] = name;
      return enter(csv.replace(/^aaaa.*\r$/m, `${cells.join(',')}\r`), ids.one, 'assign,,');
    };
    expect((await apply(to('Grace'), '', { typed: 'no\n' })).stderr).toContain('Not confirmed; nothing was changed.');
    expect(await apply(to('Grace'), '', { typed: 'apply\n' })).toMatchObject({ exitCode: 0 });
    expect(await listed('--assignee Grace')).toEqual([ids.one]);
    expect((await apply(to('Grace'))).stderr).toContain('1 unchanged');
    expect(await apply(to('Linus'))).toMatchObject({ exitCode: 0 }); // to somebody else, it is another order
    expect(await listed('--assignee Linus')).toEqual([ids.one]);
  });

  test('untouched, or through a pipe', async () => {
    expect((await apply((csv) => csv)).stderr).toMatch(
      /0 rows with an action, 3 without\nrecon: nothing was changed; exit 0\n$/,
    );
    const piped = `id,action,note\n${ids.one},comment,by a script\n`;
    expect(await exceptions('apply - --yes', { piped })).toMatchObject({ exitCode: 0 });
    expect(await log()).toEqual(['aaaa commented by ada on desk-7: by a script']);
  });

  test.each([
    [
      'no such action',
      'resolv,,',
      'recon: Line 2: "resolv" is no action. Did you mean resolve? There are acknowledge, assign, comment, snooze, accept, resolve, reopen.\nCorrect the file and apply it again;',
    ],
    ['an action that a terminal would obey', '\u001b[2Jresolve,x,', 'Line 2: "\\u001b[2jresolve" is no action'],
    ['no note', 'resolve,,', 'Line 2: resolve needs a note: why.'],
    ['too long a note', `comment,${'a'.repeat(10_001)},`, 'Line 2: the note has more than 10,000 characters.'],
    ['too long a time', 'accept,x,2027-03-03', 'Line 2: accept is for a year at most,'],
    ['no time', 'accept,x,01/04/2026', 'Line 2: "01/04/2026" is not a time to come'],
    [
      'a name that is nobody’s',
      'assign,,',
      'Line 2: assign needs the name of a person in the column assignee, which cannot be system,',
      'System',
    ],
    [
      'no word for the amounts that were seen',
      'resolve,x,',
      'Line 2: resolve needs the column version as it was exported (at which amounts), not "".',
      '',
      (csv: string) => csv.replace(/,v[0-9a-f]{12},/g, ',,'),
    ],
    ['no name', 'assign,,', 'Line 2: assign needs the name of a person in the column assignee, which is empty.'],
  ])('all or nothing: %s', async (_, cells, sentence, assignee = '', spoil = (csv: string) => csv) => {
    await sql`update reconciliation_exceptions set assignee = ${assignee} where id = ${ids.one}`;
    const { exitCode, stderr } = await apply((csv) =>
      spoil(enter(enter(csv, ids.three, 'comment,fine,'), ids.one, cells)),
    );
    expect([exitCode, await log()]).toEqual([64, []]);
    expect(stderr).toContain(sentence);
  });

  test('not if an amount has changed since, nor one that is not there', async () => {
    const { stdout: csv } = await exceptions('list -o csv');
    await sql`update reconciliation_exceptions set difference = difference::numeric(36, 18)`;
    const same = await apply(() => enter(csv, ids.one, 'accept,x,7d'), '', { typed: 'no\n' });
    expect(same.stderr, 'written otherwise').toContain('Not confirmed; nothing was changed.');
    await sql`update reconciliation_exceptions set difference = difference + 0.000000000000000001`;
    const stale = await apply(() => enter(csv, ids.one, 'accept,x,7d'));
    expect(stale.stderr).toContain(
      `Line 2: the amounts of ${ids.one} are others by now.\nExport the list again and look at them; nothing was changed.\n`,
    );
    const gone = await apply((csv) =>
      enter(csv, ids.one, 'comment,x,').replace(ids.one, 'ffff0000-0000-4000-8000-000000000009'),
    );
    expect(gone.stderr).toContain(
      'Line 2: the exception ffff0000-0000-4000-8000-000000000009 does not exist; nothing was changed.',
    );
    const twice = await apply((csv) => `id,action,note\n${ids.one},comment,a\n${ids.one},comment,b${csv.slice(0, 0)}`);
    expect(twice.stderr).toContain(`Line 3: ${ids.one} stands on line 2 already.`);
    expect([stale.exitCode, gone.exitCode, twice.exitCode, await log()]).toEqual([2, 64, 64, []]);
  });

  test('a file that is none, or no list', async () => {
    expect((await exceptions('apply nowhere.csv')).stderr).toContain('The file cannot be read: nowhere.csv (ENOENT).');
    expect((await apply(() => 'id,kind\na,b\n')).stderr).toContain('The file has no column action.');
    expect(await apply(() => 'foo,bar\n')).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining('The file has no column id.') as string,
    });
    const notOurs = 'The file is no UTF-8 CSV as `recon exceptions list -o csv` prints it: ';
    expect((await apply(() => 'id,action\n"a,b\n')).stderr).toContain(notOurs);
    expect((await apply((csv) => Buffer.from(`\ufeff${csv}`, 'utf16le'))).stderr).toContain(
      `${notOurs}it is not UTF-8.`,
    );
    expect((await apply((csv) => Buffer.from(csv, 'utf16le'))).stderr).toContain(
      `${notOurs}it has zero bytes, as UTF-16`,
    );
    for (const page of ['<!DOCTYPE html>\n<html lang="en"></html>\n', '\n<html><body>Sign in</body></html>\n'])
      expect((await apply(() => page)).stderr).toContain(`${notOurs}it begins with <, as a page of the web`);
  });
});
