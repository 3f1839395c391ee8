import type postgres from 'postgres';
import { describe, expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { sourceFolder } from '../support/source-folder.ts';
import { operatorOf, type RunDocument } from '../support/world.ts';

const many = 2_100; // more than one statement stores, and more than one page lists

/** A source with 2,100 deposits that nobody posted; what they look like is told by the one row of `scene`. */
async function stage() {
  const { url, sql } = await testDatabase();
  await sql`create table scene as select 'settled' as state, 5 as amount`;
  const source = await sourceFolder({
    deposits: () => `
      select
        md5('deposit' || n)::uuid as id, md5('user' || n % 100)::uuid as user_id,
        (scene.amount * (n % 1000 + 1))::numeric as amount, 'USDC' as currency, scene.state, scene.state as status,
        timestamptz '2026-02-01' as settled_at, timestamptz '2026-02-01' as created_at,
        null::timestamptz as updated_at
      from generate_series(1, ${many}) as n
      cross join scene`,
  });
  const env = { RECONCILIATION_CHECKS: 'deposits', RECONCILIATION_SOURCE: source };
  return { sql, ...operatorOf(url, env) };
}

/** How the exceptions stand, and how many events there are of each kind. */
async function standing(sql: postgres.Sql): Promise<Record<string, number>> {
  const rows = await sql<{ line: string; count: number }[]>`
    select kind || case when resolved_at is null then ' open' else ' resolved' end as line, count(*)::int as count
    from reconciliation_exceptions group by 1
    union all
    select event, count(*)::int from reconciliation_exception_events group by 1`;
  return Object.fromEntries(rows.map(({ line, count }) => [line, count]));
}

/** The exceptions of which it was logged that they had become more severe after what ended by that. */
async function endedBefore(sql: postgres.Sql) {
  return [
    ...(await sql`
      select ended.exception_id
      from reconciliation_exception_events as ended
      inner join reconciliation_exception_events as escalated using (exception_id)
      where ended.event = 'acceptance_ended' and escalated.event = 'escalated' and ended.sequence < escalated.sequence`),
  ];
}

const ranks = ['critical', 'high', 'medium', 'low'];

function rankOf({ severity }: Record<string, unknown>): number {
  return ranks.indexOf(String(severity));
}

/** Every deposit once, the most severe first. */
function expectWhole({ exceptions, report }: RunDocument): void {
  expect(report['exceptions_count']).toBe(many);
  expect(new Set(exceptions.map(({ affected_entity: subject }) => subject)).size).toBe(many);
  expect(exceptions.every((exception, at) => at === 0 || rankOf(exceptions[at - 1]!) <= rankOf(exception))).toBe(true);
}

describe('2,100 findings in one run', { timeout: 240_000 }, () => {
  test('are stored, seen again, became another kind, and cleared; each is told once', async () => {
    const { sql, types, runs } = await stage();

    const dry = await runs(['--dry-run']);
    expectWhole(dry);
    expect(await standing(sql)).toEqual({});

    const first = await runs();
    expect(first.exitCode).toBe(2);
    expectWhole(first);
    const subjects = ({ exceptions }: RunDocument) => exceptions.map(({ affected_entity: subject }) => subject);
    expect(subjects(dry)).toEqual(subjects(first));
    const findings = ({ exceptions }: RunDocument) =>
      exceptions
        .map(({ fingerprint, difference, severity }) => [fingerprint, difference, severity].join(' '))
        .toSorted();
    expect(findings(first)).toEqual(findings(dry));
    expect(await standing(sql)).toEqual({ 'missing_in_ledger open': many, created: many });

    await sql`update reconciliation_exceptions set accepted_until = 'infinity'`;
    await sql`update scene set amount = 5000`;
    const again = await types(['run', '-o', 'csv']);
    expect(again.stdout.split('\r\n')).toHaveLength(many + 2);
    expect(await standing(sql)).toEqual({
      'missing_in_ledger open': many,
      created: many,
      escalated: 500,
      acceptance_ended: many,
    });
    expect(await endedBefore(sql), 'what it became comes first').toEqual([]);
    expect(await sql`select from reconciliation_exceptions where occurrences <> 2`).toHaveLength(0);

    await sql`update scene set state = 'nobody knows', amount = 5`;
    const table = await types(['run']);
    expect(table.stdout).toMatch(/… and 2,075 more: recon exceptions list --status all --report [0-9a-f]{8}\n/);
    expect(table.stderr).toMatch(/2,100 findings \(1,600 critical, 441 high, 59 medium\); exit 2\n$/);
    expect(await standing(sql)).toEqual({
      'missing_in_ledger resolved': many,
      'unknown_status open': many,
      created: 2 * many,
      escalated: 500,
      acceptance_ended: many,
      became: many,
    });

    await sql`update scene set state = 'failed'`;
    expect(await runs()).toMatchObject({ exitCode: 0, exceptions: [] });
    expect(await standing(sql)).toMatchObject({ 'unknown_status resolved': many, cleared: many });

    await sql`update scene set state = 'settled'`;
    await runs();
    expect(await standing(sql)).toMatchObject({ 'missing_in_ledger open': many, returned: many });
  });

  test('show without all of them: a report has its first ones, or streams; each is on one page of a list', async () => {
    const { sql, types, runs } = await stage();
    const { report } = await runs();
    const shown = await types(['reports', 'show', report.id]);
    expect(shown.stdout.split('\n').filter((line) => line.includes('missing_in_ledger'))).toHaveLength(25);
    expect(shown.stdout).toContain(
      `… and 2,075 more: recon exceptions list --status all --report ${report.id.slice(0, 8)}`,
    );
    expectWhole(JSON.parse((await types(['reports', 'show', '-o', 'json'])).stdout) as RunDocument);

    const first = await types(['exceptions', 'list', '--severity', 'high', '--limit', '180']);
    expect(first.stderr).toMatch(
      /^production: 180 of 441 exceptions \(441 high\), 223605 USDC; the next ones: recon exceptions list --severity high --limit 180 --after [0-9a-f]{8}\n$/,
    );
    const seen: string[] = [];
    let command: string | undefined = 'recon exceptions list --severity high --limit 180';
    while (command !== undefined) {
      const { stdout, stderr }: { stdout: string; stderr: string } = await types(command.split(' ').slice(1));
      const page = stdout.split('\n').slice(1, -1);
      seen.push(...page.map((line) => line.slice(0, 8)));
      command = /recon .*(?=\n)/.exec(stderr)?.[0];
      if (command === undefined)
        expect(stderr).toMatch(/^production: 81 of 439 exceptions \(439 high\), \d+ USDC, the last ones\.\n$/);
      // what is resolved between two pages moves nothing from one to the other
      else
        await sql`update reconciliation_exceptions set resolved_at = now() where starts_with(id::text, ${seen.at(-1)!})`;
    }
    expect(seen).toHaveLength(441);
    expect(new Set(seen).size).toBe(441);
  });
});
