import type postgres from 'postgres';
import { beforeEach, describe, expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { operatorOf, reconIn, testWorld, type Operator } from '../support/world.ts';

const { url, sql } = await testDatabase();

const report = '10000000-0000-4000-8000-000000000001';
const ids = {
  small: 'aaaa0000-0000-4000-8000-000000000001',
  large: 'aaaa1111-0000-4000-8000-000000000002',
  resolved: 'bbbb2222-0000-4000-8000-000000000003',
};
const user = 'cccc3333-0000-4000-8000-000000000004';

/** What the foot says of all three. */
const three = 'exceptions (1 critical, 1 high, 1 low), unresolved: 100000000000000000.000000000000000002 USDC';

let operator: Operator;

async function insertException(connection: postgres.Sql, row: Record<string, unknown>): Promise<void> {
  const fingerprint = `deposits/missing_in_ledger/${String(row['affected_entity'])}`;
  await connection`insert into reconciliation_exceptions ${connection({
    report_id: report,
    last_report_id: report,
    check_type: 'deposits',
    kind: 'missing_in_ledger',
    fingerprint,
    currency: 'USDC',
    ...row,
  })}`;
}

beforeEach(async () => {
  const guarded = ['reconciliation_exception_events', 'reconciliation_corrections'];
  for (const table of guarded) await sql`alter table ${sql(table)} disable trigger user`;
  await sql`truncate reconciliation_reports, reconciliation_checks, reconciliation_exceptions, reconciliation_findings,
    reconciliation_exception_events, reconciliation_watermarks, reconciliation_waiting, reconciliation_alerts,
    reconciliation_incidents, reconciliation_corrections`;
  for (const table of guarded) await sql`alter table ${sql(table)} enable trigger user`;
  operator = operatorOf(url);
  await sql`insert into reconciliation_reports (id, run_type, status, started_at) values (${report}, 'manual', 'completed', '2026-03-01')`;
  await insertException(sql, {
    id: ids.small,
    severity: 'low',
    description: '=cmd|calc',
    affected_entity: 'deposit:dddd0000-0000-4000-8000-000000000001',
    affected_user_id: user,
    expected_value: '0.000000000000000001',
    actual_value: '0',
    difference: '-0.000000000000000001',
  });
  await insertException(sql, {
    id: ids.large,
    severity: 'critical',
    description: 'the large one',
    affected_entity: 'deposit:dddd1111-0000-4000-8000-000000000001',
    expected_value: '100000000000000000.000000000000000001',
    actual_value: '0',
    difference: '-100000000000000000.000000000000000001',
  });
  await insertException(sql, {
    id: ids.resolved,
    severity: 'high',
    description: 'of yesterday',
    affected_entity: null, // as the first version may have left it
    resolved_at: '2026-02-28T10:00:00Z',
    resolved_by: 'Grace',
    resolution_notes: '+1, "said" Ada\nand left',
  });
});

async function listed(...flags: string[]): Promise<string[]> {
  const { stdout } = await operator.types(['exceptions', 'list', '-o', 'json', ...flags]);
  const document = JSON.parse(stdout) as { version: number; exceptions: { id: string }[] };
  expect(Object.keys(document)).toEqual(['version', 'exceptions']);
  expect(document.version).toBe(1);
  return document.exceptions.map(({ id }) => id);
}

async function unresolved(): Promise<number> {
  return (await sql`select from reconciliation_exceptions where resolved_at is null`).length;
}

describe('recon exceptions list', { timeout: 60_000 }, () => {
  test('open ones, the most severe first, amounts at full precision, ids whole', async () => {
    expect(await listed()).toEqual([ids.large, ids.small]);
    const { stdout } = await operator.types(['exceptions', 'list', '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({
      exceptions: [
        { difference: '-100000000000000000.000000000000000001', affected_user_id: null, occurrences: 1 },
        {
          expected_value: '0.000000000000000001',
          affected_user_id: user,
          created_at: expect.stringMatching(/Z$/) as string,
        },
      ],
    });
  });

  test('filters', async () => {
    expect(await listed('--status', 'resolved')).toEqual([ids.resolved]);
    expect(await listed('--status', 'all')).toEqual([ids.large, ids.resolved, ids.small]);
    expect(await listed('--severity', 'low', '--severity', 'high')).toEqual([ids.small]);
    expect(await listed('--check', 'withdrawals')).toEqual([]);
    expect(await listed('--check', 'withdrawals', '--check', 'deposits')).toHaveLength(2);
    expect(await listed('--kind', 'amount_mismatch')).toEqual([]);
    for (const named of [user.toUpperCase(), 'CCCC']) expect(await listed('--user', named)).toEqual([ids.small]);
    expect(await operator.types(['exceptions', 'list', '--user', 'dddd'])).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining('There is no user with an exception whose id begins with "dddd".') as string,
    });
    expect(await listed('--limit', '1')).toEqual([ids.large]);
    expect(await listed('--limit', '999999999999999')).toHaveLength(2);
    expect(await listed('--report', '1000')).toEqual([]);
    expect(await listed('--report', 'latest')).toEqual([]);
  });

  test('page by page: the foot names the command for the next one, with the filters', async () => {
    const flags = ['--status', 'all', '--check', 'deposits', '--kind', 'missing_in_ledger', '--limit', '1'];
    const first = await operator.types(['exceptions', 'list', ...flags]);
    expect(first.stdout).toMatch(/^id .*\naaaa1111 .*\n$/);
    const next = `recon exceptions list ${flags.join(' ')} --after aaaa1111`;
    expect(first.stderr).toBe(`production: 1 of 3 ${three}; the next ones: ${next}\n`);
    const second = await operator.types(next.split(' ').slice(1));
    expect(second.stdout).toMatch(/^id .*\nbbbb2222 .*\n$/);
    const third = await operator.types(['exceptions', 'list', ...flags, '--after', ids.resolved]);
    expect(third.stdout).toMatch(/^id .*\naaaa0000 .*\n$/);
    expect(third.stderr).toBe(`production: 1 of 3 ${three}, the last ones.\n`);
    expect(await operator.types(['exceptions', 'list', ...flags, '--after', 'aaaa0'])).toMatchObject({
      stdout: '',
      stderr: `production: 3 ${three}, none after that one.\n`,
    });
    expect(await listed('--status', 'all', '--after', 'AAAA1')).toEqual([ids.resolved, ids.small]);
    expect(await listed('--after', ids.resolved), 'after one that the list does not hold').toEqual([ids.small]);
  });

  test('page by page: the newest first, to the microsecond, then by fingerprint', async () => {
    await sql`update reconciliation_exceptions set severity = 'low', created_at = '2026-02-01T00:00:00.000001Z'`;
    await sql`
      update reconciliation_exceptions set created_at = '2026-02-01T00:00:00.000002Z' where id = ${ids.resolved}`;
    const newest = ['--status', 'all', '--sort', 'newest'];
    const order = await listed(...newest);
    expect(order).toEqual([ids.resolved, ids.small, ids.large]);
    for (const [at, id] of order.entries()) expect(await listed(...newest, '--after', id)).toEqual(order.slice(at + 1));
    expect(await listed('--status', 'all'), 'of one severity the largest').toEqual([
      ids.large,
      ids.small,
      ids.resolved,
    ]);
  });

  test('as a table: short ids, no colour in a pipe, the count on stderr', async () => {
    const { exitCode, stdout, stderr } = await operator.types(['exceptions', 'list', '--status', 'all']);
    expect(exitCode).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^id +severity +kind +difference +subject +user +since +seen$/);
    expect(lines[1]).toMatch(
      /^aaaa1111 +critical +missing_in_ledger +-100000000000000000\.000000000000000001 +USDC +deposit dddd1111 +- +\d{4}-/,
    );
    expect(lines[2]).toMatch(/^bbbb2222 +high +missing_in_ledger +- .*resolved$/);
    expect(stderr).toBe(`production: 3 ${three}.\n`);
    for (const format of ['table', 'json', 'csv'])
      expect(await operator.types(['exceptions', 'list', '--limit', '1', '-o', format])).toMatchObject({
        stderr:
          'production: 1 of 2 exceptions (1 critical, 1 low), 100000000000000000.000000000000000002 USDC; the next ones: recon exceptions list --limit 1 --after aaaa1111\n',
      });
    expect(await operator.types(['exceptions', 'list', '-o', 'json'])).toMatchObject({ stderr: '' });
    expect(await operator.types(['exceptions', 'list', '--kind', 'stuck'])).toMatchObject({
      stdout: '',
      stderr: 'production: no exceptions.\n',
    });
  });

  test('what is resolved is in no sum beside what is not: it may be the same money once more', async () => {
    await sql`update reconciliation_exceptions set difference = -7 where id = ${ids.resolved}`;
    const foot = async (status: string) => (await operator.types(['exceptions', 'list', '--status', status])).stderr;
    expect(await foot('all')).toBe(`production: 3 ${three}.\n`);
    expect(await foot('resolved')).toBe('production: 1 exception (1 high), 7 USDC.\n');
  });

  test('what cannot be added up is beside the sums, not in them', async () => {
    await sql`update reconciliation_exceptions set difference = 'NaN', severity = 'low' where id = ${ids.large}`;
    const foot = async () => (await operator.types(['exceptions', 'list'])).stderr;
    expect(await foot()).toBe('production: 2 exceptions (2 low), 0.000000000000000001 USDC and 1 unknown.\n');
    const { stdout } = await operator.types(['status']);
    expect(stdout).toMatch(/^low .* 2 +0\.000000000000000001 {2}USDC and 1 unknown$/m);

    await sql`update reconciliation_exceptions set difference = '-Infinity' where id = ${ids.small}`;
    expect(await foot()).toBe('production: 2 exceptions (2 low), 0 USDC and 2 unknown.\n');
    expect(JSON.parse((await operator.types(['status', '-o', 'json'])).stdout)).toMatchObject({
      open_totals: [{ currency: 'USDC', amount: '0', unknown: 2 }],
    });
  });

  test('a reader that went away is told nothing of what it did not read', async () => {
    const world = testWorld({ env: { DATABASE_URL: url } });
    world.stdout.destroy();
    expect(await reconIn(world, ['exceptions', 'list'])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });

  test('as CSV: quoted, and no cell becomes a formula', async () => {
    const { stdout } = await operator.types(['exceptions', 'list', '--status', 'all', '-o', 'csv']);
    expect(stdout).toContain(",'=cmd|calc,");
    expect(stdout).toContain(`,"'+1, ""said"" Ada\nand left",`);
    expect(stdout).toContain(",'-100000000000000000.000000000000000001,USDC,"); // fifteen digits are all that Excel keeps
    expect(stdout).toContain(',-0.000000000000000001,USDC,');
  });

  test.each([
    [['list', '--severity', 'severe'], 'There are low, medium, high, critical.'],
    [['list', '--kind', 'missing'], 'Did you mean missing_in_ledger?'],
    [['list', '--limit', '0'], 'It must be a whole number above 0, of at most 15 digits.'],
    [['list', '--report', 'ffff'], 'There is no report whose id begins with "ffff".\n`recon reports list` shows them.'],
    [['list', '--after', 'ffff'], 'There is no exception whose id begins with "ffff".'],
    [['lst'], "unknown command 'lst'. Did you mean list?"],
    [
      ['show', '0000'],
      'There is no exception whose id begins with "0000".\n`recon exceptions list --status all` shows every one.',
    ],
    [
      ['show', 'aaaa'],
      `There is more than one exception whose id begins with "aaaa": ${ids.small}, ${ids.large}.\nGive more of the id.`,
    ],
    [['show', "a' or true --"], 'It must be an id or its first characters: 0-9, a-f and dashes where an id has them.'],
    [['show', 'aaaaaaaa1'], 'It must be an id or its first characters'],
    [['show', ''], 'It must be an id or its first characters'],
    [['show', '%'], 'It must be an id or its first characters'],
    [['list', '--after', ''], 'It must be an id or its first characters'],
    [['list', '--report', ''], 'It must be an id or its first characters'],
    [['list', '--report', 'last'], 'It must be an id or its first characters'],
    [['show'], 'recon: <id> is needed.'],
  ])('%s exits 64', async (argv, sentence) => {
    const { exitCode, stdout, stderr } = await operator.types(['exceptions', ...argv]);
    expect([exitCode, stdout]).toEqual([64, '']);
    expect(stderr).toContain(sentence);
  });
});

describe('recon exceptions show', { timeout: 60_000 }, () => {
  test('tells the whole story, by the first characters of the id in either case', async () => {
    const { exitCode, stdout } = await operator.types(['exceptions', 'show', 'AAAA1']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(ids.large);
    expect(stdout).toContain('100000000000000000.000000000000000001  USDC  amount of the record');
    expect(stdout).toContain('recon exceptions acknowledge aaaa1111 --by NAME --note TEXT');
    const resolved = await operator.types(['exceptions', 'show', ids.resolved]);
    expect(resolved.stdout).toMatch(/by Grace: \+1, "said" Ada\\u000aand left/);
    expect(resolved.stdout).not.toContain('recon exceptions acknowledge');
  });

  test('as JSON with its sightings and events', async () => {
    await operator.types(['exceptions', 'resolve', 'aaaa0', '--note', 'seen']);
    const { stdout } = await operator.types(['exceptions', 'show', 'aaaa0', '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      exception: { id: ids.small, resolved_by: 'ada' },
      sightings: [],
      events: [{ event: 'resolved', actor: 'ada', note: 'seen' }],
    });
  });
});

describe('recon exceptions resolve', { timeout: 60_000 }, () => {
  test('several at once, by name and with a note, into the log; one that is named twice is closed once', async () => {
    const argv = [
      'exceptions',
      'resolve',
      'aaaa0',
      ids.small,
      ids.large,
      '--by',
      'Ada Lovelace',
      '--note',
      ' ticket 812 ',
    ];
    const { exitCode, stdout, stderr } = await operator.types([...argv, '--yes', '-o', 'json']);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/\nrecon: 2 resolved by Ada Lovelace in production; exit 0\n$/);
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      exceptions: [{ id: ids.large, resolved_by: 'Ada Lovelace', resolution_notes: 'ticket 812' }, { id: ids.small }],
    });
    expect(await unresolved()).toBe(0);
    const events = await sql`select event, actor, note from reconciliation_exception_events`;
    expect([...events]).toEqual(Array(2).fill({ event: 'resolved', actor: 'Ada Lovelace', note: 'ticket 812' }));
  });

  test.each<[string, string[], string, number?]>([
    ['an empty id', ['aaaa0', ''], 'It must be an id or its first characters'],
    ['an unknown id', ['aaaa0', 'eeee'], 'There is no exception whose id begins with "eeee".'],
    ['an ambiguous prefix', ['aaaa'], 'There is more than one exception whose id begins with "aaaa"'],
    [
      'one that is resolved already',
      ['aaaa0', 'bbbb'],
      `The exception ${ids.resolved} is resolved already; nothing was changed.`,
      2,
    ],
  ])('all or nothing: %s', async (_, prefixes, sentence, code = 64) => {
    const { exitCode, stdout, stderr } = await operator.types(['exceptions', 'resolve', ...prefixes, '--note', 'x']);
    expect([exitCode, stdout]).toEqual([code, '']);
    expect(stderr).toContain(sentence);
    expect(await unresolved()).toBe(2);
    expect(await sql`select from reconciliation_exception_events`).toHaveLength(0);
  });

  test('asks for a note and for a name; $USER is the default', async () => {
    const resolve = (flags: string[], env = {}) =>
      operator.types(['exceptions', 'resolve', 'aaaa0', ...flags], { env });
    expect((await resolve([], { USER: '' })).stderr).toContain('resolve needs --note TEXT and --by NAME (or USER).\n');
    expect((await resolve(['--note', ' '])).stderr).toContain('The note is empty.');
    expect((await resolve(['--note', 'x'], { USER: '' })).stderr).toContain('resolve needs --by NAME (or USER).');
    for (const by of ['system', ' System '])
      expect(await resolve(['--note', 'x', '--by', by])).toMatchObject({
        exitCode: 64,
        stderr:
          'recon: --by cannot be system, which is what recon itself signs with.\nGive a person’s name, such as --by Ada.\nrecon: exit 64\n',
      });
    for (const [flags, sentence] of [
      [['--note', 'x', '--by', 'NAME'], '--by is only the placeholder NAME.\nGive a person’s name, such as --by Ada.'],
      [['--note', 'TEXT'], '--note is only the placeholder TEXT.\nSay why, or where it is kept, such as a ticket.'],
    ] as const)
      expect(await resolve([...flags])).toMatchObject({ exitCode: 64, stderr: `recon: ${sentence}\nrecon: exit 64\n` });
    expect(await unresolved()).toBe(2);
    const resolved = await resolve(['--note', 'x']);
    expect(resolved.exitCode).toBe(0);
    expect(resolved.stderr).toMatch(/^recon: 1 resolved by ada in production; exit 0$/m);
  });
});
