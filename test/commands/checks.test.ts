import { describe, expect, test } from 'vitest';
import { checkNames } from '../../src/checks/names.ts';
import { kinds } from '../../src/kinds.ts';
import { testDatabase } from '../support/database.ts';
import { LedgerBuilder } from '../support/ledger.ts';
import { recon } from '../support/world.ts';

interface Catalogue {
  version: number;
  kinds: { check: string; kind: string; floor: string; remedy: string; correction: string }[];
}

describe('recon checks', { timeout: 60_000 }, () => {
  test('lists every check and every kind, without a database', async () => {
    const { exitCode, stdout, stderr } = await recon(['checks']);
    expect([exitCode, stderr]).toEqual([0, '']);
    for (const name of checkNames) expect(stdout).toContain(`${name}  `);
    for (const { name, meaning } of kinds) {
      expect(stdout).toContain(name);
      expect(stdout).toContain(meaning);
    }
  });

  test('as JSON and CSV, of one check', async () => {
    const { stdout } = await recon(['checks', 'deposits', '-o', 'json']);
    const catalogue = JSON.parse(stdout) as Catalogue;
    expect(catalogue.version).toBe(1);
    expect(new Set(catalogue.kinds.map(({ check }) => check))).toEqual(new Set(['deposits']));
    expect(catalogue.kinds.map(({ kind }) => kind)).toContain('missing_in_ledger');
    const csv = (await recon(['checks', '-o', 'csv'])).stdout.split('\r\n');
    expect(csv[0]).toBe('check,kind,subject,expected,actual,floor,ceiling,meaning,remedy,correction');
    const all = JSON.parse((await recon(['checks', '-o', 'json'])).stdout) as Catalogue;
    expect(csv).toHaveLength(all.kinds.length + 2);
  });

  test('says what recon corrects, and of which check: the host alone knows the accounts of a conversion', async () => {
    const all = JSON.parse((await recon(['checks', '-o', 'json'])).stdout) as Catalogue;
    const corrected = all.kinds.filter(({ correction }) => !correction.startsWith('recon does not correct it: '));
    expect(corrected.map(({ check, kind }) => `${check}/${kind}`)).toEqual([
      'ledger_consistency/balance_drift',
      'deposits/missing_in_ledger',
      'deposits/amount_mismatch',
      'conversion_jobs/unlinked',
      'withdrawals/missing_in_ledger',
      'withdrawals/amount_mismatch',
    ]);
    expect((await recon(['checks', 'conversion_jobs'])).stdout).not.toContain('two people');
  });

  test('prints SQL that PostgreSQL runs as it is', async () => {
    const { sql } = await testDatabase();
    const ledger = new LedgerBuilder({ now: new Date() });
    const { subject } = ledger.deposit(ledger.user(), '5', { post: false });
    await ledger.save(sql);
    for (const name of checkNames) {
      const { exitCode, stdout, stderr } = await recon(['checks', name, '--sql'], {
        now: new Date(),
        env: { DATABASE_URL_FILE: '/nowhere' }, // is not looked at
      });
      expect([exitCode, stderr], name).toEqual([0, '']);
      expect(stdout, name).toMatch(new RegExp(`^-- ${name}: `));
      expect(stdout, name).not.toMatch(/\$\d/);
      const results = [await sql.unsafe(stdout)].flat(2) as unknown as Record<string, unknown>[];
      const titles = results.flatMap(({ answer }) => (answer === undefined ? [] : [answer]));
      expect(titles, name).toEqual([...stdout.matchAll(/^-- ([a-z_]+: .*)$/gm)].map(([, title]) => title));
      if (name === 'deposits')
        expect(JSON.stringify(results), name).toContain(`"kind":"missing_in_ledger","subject":"${subject}"`);
    }
  });

  test.each([
    [['checks', 'deposit'], 'Did you mean deposits?'],
    [['checks', '--sql'], '--sql needs a check.\nGive one of ledger_consistency'],
  ])('%s exits 64', async (argv, sentence) => {
    const { exitCode, stdout, stderr } = await recon(argv);
    expect([exitCode, stdout]).toEqual([64, '']);
    expect(stderr).toContain(sentence);
  });
});
