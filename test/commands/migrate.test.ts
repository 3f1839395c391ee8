import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { main } from '../../src/main.ts';
import { emptyDatabase } from '../support/database.ts';
import { login } from '../support/login.ts';

/** Runs one command line against `url`; `typed` stands for a person at a terminal. */
async function recon(url: string, args: string[], typed?: string) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const printed = Promise.all([text(stdout), text(stderr)]);
  const code = await main(args, {
    env: { DATABASE_URL: url },
    stdin: Object.assign(Readable.from(typed === undefined ? [] : [typed]), { isTTY: typed !== undefined }),
    stdout,
    stderr,
    host: 'desk-7',
    now: () => new Date(),
    random: Math.random,
    fetch: () => Promise.reject(new Error('migrate asks nobody')),
    signal: new AbortController().signal,
  });
  stdout.end();
  stderr.end();
  const [out, err] = await printed;
  return { code, out, err };
}

describe('recon migrate', () => {
  test('makes the tables; status says so before and after, and what is gone again', async () => {
    const { url, sql } = await emptyDatabase();
    const before = await recon(url, ['migrate', 'status']);
    expect(before.code).toBe(2);
    expect(before.out).toMatch(/^schema public\n.*\n0001_reports_checks_exceptions +pending\n/);

    expect(await recon(url, ['migrate'])).toEqual({
      code: 0,
      out: 'The schema public is up to date; applied now:\n  0001_reports_checks_exceptions\n  0002_findings_and_events\n  0003_watermarks\n  0004_exception_life\n  0005_totals_and_alerts\n  0006_told_and_switched_off\n  0007_history\n  0008_corrections\n  0009_four_eyes\n  0010_told_since\n  0011_purges\n  0012_correction_stops\n  0013_switch_of_its_own\n',
      err: expect.stringMatching(
        /^recon: warning: None of the tables that the checks read is in .* Is this the right database and schema\? .*\n$/,
      ) as string,
    });
    expect(await recon(url, ['migrate', 'up'])).toMatchObject({ code: 0, out: 'The schema public is up to date.\n' });

    const after = await recon(url, ['migrate', 'status', '-o', 'json']);
    expect(after.code).toBe(0);
    expect(JSON.parse(after.out)).toMatchObject({
      version: 1,
      schema: 'public',
      migrations: [
        {
          name: '0001_reports_checks_exceptions',
          status: 'applied',
          applied_at: expect.stringMatching(/Z$/) as string,
        },
        { name: '0002_findings_and_events', status: 'applied' },
        { name: '0003_watermarks', status: 'applied' },
        { name: '0004_exception_life', status: 'applied' },
        { name: '0005_totals_and_alerts', status: 'applied' },
        { name: '0006_told_and_switched_off', status: 'applied' },
        { name: '0007_history', status: 'applied' },
        { name: '0008_corrections', status: 'applied' },
        { name: '0009_four_eyes', status: 'applied' },
        { name: '0010_told_since', status: 'applied' },
        { name: '0011_purges', status: 'applied' },
        { name: '0012_correction_stops', status: 'applied' },
        { name: '0013_switch_of_its_own', status: 'applied' },
      ],
      gone: [],
    });

    await sql`drop table reconciliation_totals`;
    await sql`alter table reconciliation_alerts drop column body`;
    const gone =
      'The schema public lacks what its migrations made: reconciliation_totals, reconciliation_alerts.body.\n';
    const status = await recon(url, ['migrate', 'status']);
    expect([status.code, status.err]).toEqual([2, expect.stringContaining(gone)]);
    expect(status.err).toMatch(/^Bring it back from a backup \(\/.*\/deploy\/backup\.md\)/m);
    const partial = await recon(url, ['migrate', 'status', '-o', 'json']);
    expect(partial).toMatchObject({ code: 2, err: '' });
    expect(JSON.parse(partial.out)).toMatchObject({ gone: ['reconciliation_totals', 'reconciliation_alerts.body'] });
    const up = await recon(url, ['migrate']);
    expect([up.code, up.out, up.err]).toEqual([78, '', expect.stringContaining(gone)]);
  });

  test('down asks a person for the name of the database, refuses without one, and does nothing until then', async () => {
    const { url, sql } = await emptyDatabase();
    await recon(url, ['migrate']);
    await sql`insert into reconciliation_reports (run_type, status) values ('manual', 'completed')`;

    const alone = await recon(url, ['migrate', 'down']);
    expect(alone.code).toBe(64);
    expect(alone.err).toContain('Add --yes.');
    expect(alone.err).toMatch(/reconciliation_reports +1 +is dropped/);

    for (const typed of ['no\n', 'yes\n', 'down\n', '']) {
      const asked = await recon(url, ['migrate', 'down'], typed);
      expect([asked.code, asked.out]).toEqual([2, '']);
      expect(asked.err).toContain('Not confirmed; nothing was changed.');
    }
    expect(await sql`select from reconciliation_reports`).toHaveLength(1);

    const told = await recon(url, ['migrate', 'down'], `${new URL(url).pathname.slice(1)}\n`);
    expect([told.code, told.out]).toEqual([
      0,
      'The schema public is without recon; taken back:\n  0013_switch_of_its_own\n  0012_correction_stops\n  0011_purges\n  0010_told_since\n  0009_four_eyes\n  0008_corrections\n  0007_history\n  0006_told_and_switched_off\n  0005_totals_and_alerts\n  0004_exception_life\n  0003_watermarks\n  0002_findings_and_events\n  0001_reports_checks_exceptions\n',
    ]);
    expect(await recon(url, ['migrate', 'down'])).toMatchObject({
      code: 0,
      out: 'The schema public has no tables of recon.\n',
      err: '',
    });
  });

  test('down --yes needs nobody, and drops nothing that cannot be brought back', async () => {
    const { url, sql } = await emptyDatabase();
    await recon(url, ['migrate']);
    await sql`insert into reconciliation_reports (run_type, status) values ('manual', 'completed')`;
    const refused = await recon(url, ['migrate', 'down', '--yes']);
    expect([refused.code, refused.out]).toEqual([64, '']);
    expect(refused.err).toMatch(/reconciliation_reports +1 +is dropped/);
    expect(refused.err).toContain('can bring back, the rows of reconciliation_reports. Nothing was changed.\n');
    expect(refused.err).toContain('add --drop-history.');

    await sql`delete from reconciliation_reports`;
    await sql`update reconciliation_correction_switch set stopped = true`; // as somebody did who wants none
    const stopped = await recon(url, ['migrate', 'down', '--yes']);
    expect([stopped.code, stopped.err]).toEqual([
      64,
      expect.stringContaining('rows of reconciliation_correction_stops, reconciliation_correction_switch.'),
    ]);

    await sql`update reconciliation_correction_switch set stopped = false`; // and that there was a stop is on record
    expect(await recon(url, ['migrate', 'down', '--yes'])).toMatchObject({ code: 64 });
    expect(await recon(url, ['migrate', 'down', '--yes', '--drop-history'])).toMatchObject({ code: 0 });
    expect((await recon(url, ['migrate', 'status'])).code).toBe(2);
  });

  test('down asks nobody for anything who does not own the tables', async () => {
    const { url, sql } = await emptyDatabase();
    await recon(url, ['migrate']);
    const role = await login(sql, url);
    await sql.unsafe(`grant select on all tables in schema public to ${role.name}`);
    const name = new URL(url).pathname.slice(1);
    for (const [flags, typed] of [[[], `${name}\n`], [['--yes', '--drop-history']]] as const) {
      const refused = await recon(role.url, ['migrate', 'down', ...flags], typed);
      expect([refused.code, refused.out]).toEqual([78, '']);
      expect(refused.err).toMatch(
        /^recon: The role recon_test_\w+ may not drop .*they belong to \w+\. Nothing was changed\.\n/,
      );
      expect(refused.err).toContain('what --print prints');
    }
    await sql.unsafe(`grant ${new URL(url).username} to ${role.name}`); // a member of the owner
    expect(await recon(role.url, ['migrate', 'down'], `${name}\n`)).toMatchObject({ code: 0 });
  });

  test('what is left over from tables that were dropped by hand is named', async () => {
    const { url, sql } = await emptyDatabase();
    await recon(url, ['migrate']);
    const tables = await sql<{ name: string }[]>`select tablename as name from pg_tables where schemaname = 'public'`;
    for (const { name } of tables) await sql`drop table ${sql(name)} cascade`;
    const refused = await recon(url, ['migrate']);
    expect(refused.code).toBe(78);
    expect(refused.err).toContain('function "reconciliation_refuse_change" already exists');
    expect(refused.err).toContain('left over from tables that were dropped by hand');
    await sql`drop function reconciliation_refuse_change, reconciliation_refuse_decrease, reconciliation_refuse,
      reconciliation_signature, reconciliation_log_switch`;
    expect(await recon(url, ['migrate'])).toMatchObject({ code: 0 });
  });

  test('a table that cannot be adopted is named, without a stack', async () => {
    const { url, sql } = await emptyDatabase();
    await sql`create view reconciliation_checks as select 1 as id`;
    const refused = await recon(url, ['migrate']);
    expect(refused.code).toBe(78);
    expect(refused.err).toContain('reconciliation_checks: is not a plain table');
    expect(refused.err).not.toContain('    at ');
  });
});
