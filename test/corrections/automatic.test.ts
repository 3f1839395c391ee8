import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { correct } from '../../src/corrections/attempt.ts';
import { openDatabase } from '../../src/database/database.ts';
import { sourceFolder } from '../support/source-folder.ts';
import { startReceiver } from '../support/receiver.ts';
import { withoutConstraints } from '../support/ledger.ts';
import { cutAt } from '../support/run-check.ts';
import { desk, deskOf, type Desk } from './desk.ts';

/** A desk whose account of Ada's has drifted. */
async function drifted(by = '-0.000001', env: Record<string, string> = {}): Promise<Desk & { account: string }> {
  const at = await desk(env);
  const account = at.ledger.account(at.ada, 'usdc_balance').id;
  await at.drift(account, by);
  return { ...at, account };
}

/** What a run says about its corrections; it must have left the books alone unless it corrected something. */
async function correctedBy(at: Desk, flags: string[] = []): Promise<Record<string, unknown>> {
  const before = await at.books();
  const { report } = await at.runs(flags);
  const made = report.metadata['corrections'] as Record<string, unknown> | undefined;
  if (made?.['corrected'] === undefined || made['corrected'] === 0) expect(await at.books()).toEqual(before);
  return made ?? {};
}

const reasons = async (at: Desk) => (await at.corrections()).map(({ reason }) => reason);

describe('a run that corrects by itself', () => {
  test('sets a drifted balance to what its entries add up to, and links a job to the transaction that names it', async () => {
    const at = await desk();
    const job = at.ledger.conversionJob('usdc_to_usd', '500');
    job.row.ledger_transaction_id = null;
    await at.save();
    const before = await at.books();
    await at.drift(at.ledger.account(at.ada, 'usdc_balance').id, '1');
    expect(await correctedBy(at, ['--dry-run'])).toEqual({
      held_back: [],
      would_try: [
        { kind: 'balance_drift', count: 1 },
        { kind: 'unlinked', count: 1 },
      ],
    });
    expect((await at.types(['run', '--dry-run'])).stdout).toContain(
      'nothing is corrected in a dry run; a run would try 1 low balance_drift, 1 low unlinked',
    );

    const { report, exitCode } = await at.runs(['--type', 'daily']);
    expect(exitCode).toBe(2); // it was found
    expect(report.metadata['corrections']).toEqual({ held_back: [], tried: 2, corrected: 2, refused: 0, failed: 0 });
    const link = { ledger_transaction_id: job.transaction!.id };
    expect(await at.books()).toEqual({ ...before, jobs: before.jobs.map((row) => ({ ...row, ...link })) });
    expect(await at.exceptions()).toMatchObject([
      { kind: 'unlinked', auto_corrected: true, resolved_by: 'system' },
      { kind: 'balance_drift', auto_corrected: true, resolved_by: 'system' },
    ]);
    expect(await at.corrections()).toMatchObject([
      { correction: 'link_job', amount: '0', rows_written: [{ before: { ledger_transaction_id: null }, after: link }] },
      {
        correction: 'set_balance',
        amount: '1',
        rows_written: [{ before: { balance: '81' }, after: { balance: '80' } }],
      },
    ]);
    expect((await at.runs(['--type', 'hourly'])).exitCode).toBe(0);
    expect((await at.runs()).exitCode).toBe(0);
    const metrics = await at.types(['metrics', 'print']);
    expect(metrics.stdout).toContain(
      'reconciliation_exceptions_auto_corrected_total{check_type="ledger_consistency"} 1',
    );
    expect(metrics.stdout).toContain(
      'reconciliation_corrections_total{check_type="conversion_jobs",outcome="corrected"} 1',
    );

    for (const { id } of await at.corrections())
      expect(await at.types(['corrections', 'undo', id, '--note', 'x', '--yes'])).toMatchObject({ exitCode: 0 });
    expect((await at.books()).jobs).toEqual(before.jobs);
    const undone = await at.books();
    expect((await at.runs()).exceptions.map(({ kind }) => kind).sort()).toEqual(['balance_drift', 'unlinked']);
    expect(await at.books()).toEqual(undone); // what people undid, a machine does not do again
  });

  test('is off by default', async () => {
    expect(await correctedBy(await drifted('-0.01', { RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY: '' }))).toEqual({});
  });

  test('corrects nothing in a run that does not look at everything, and says why', async () => {
    const at = await drifted();
    const because = (why: string) => ({ not_made: why });
    expect(await correctedBy(at, ['--user', at.ada.id])).toEqual(because('it was narrowed'));
    expect(await correctedBy(at, ['--check', 'ledger_consistency'])).toEqual(
      because('deposits did not look at everything'),
    );
    await at.runs(['--check', 'deposits', '--check', 'withdrawals', '--check', 'conversion_jobs']);
    expect(await correctedBy(at, ['--type', 'hourly'])).toEqual(
      because('ledger_consistency did not look at everything'),
    );
    expect(await correctedBy(at)).toMatchObject({ corrected: 1 });
  });

  test('leaves a drift alone that is not small', async () => {
    const at = await drifted('1.000001');
    const others = ['-1.000001', '5000', 'NaN'].map((by) => ({
      by,
      ...at.ledger.account(at.ledger.user(), 'usdc_balance'),
    }));
    await at.save();
    await withoutConstraints(at.sql);
    for (const { id, by } of others) await at.drift(id, by);
    expect(await correctedBy(at)).toMatchObject({ tried: 0 });
    expect(await at.exceptions()).toHaveLength(4);
  });

  test('leaves a drift alone in a currency that its limits do not know', async () => {
    const at = await desk();
    const { id } = at.ledger.account(at.ledger.user(), 'usdc_balance');
    await at.save();
    await withoutConstraints(at.sql);
    await at.sql`update ledger_accounts set currency = 'BTC' where id = ${id}`;
    await at.drift(id, '0.9');
    expect(await correctedBy(at)).toMatchObject({ tried: 1, refused: 1 });
    expect(await reasons(at)).toEqual(['It is in BTC: the limits are in USDC and USD, at par.']);
  });

  test('judges what is left now, not what the exception said', async () => {
    const at = await drifted('0.5');
    await at.sql.unsafe(`
      create function grow() returns trigger language plpgsql as $$
      begin update ledger_accounts set balance = balance + 50 where id = '${at.account}'; return null; end $$;
      create constraint trigger grow after insert on reconciliation_checks deferrable initially deferred
      for each row when (new.check_type = 'withdrawals') execute function grow();
    `);
    const { report } = await at.runs();
    expect(report.metadata['corrections']).toMatchObject({ tried: 1, refused: 1 });
    expect(await reasons(at)).toEqual(['It is of medium severity: this kind is corrected only while it is low.']);
  });

  test('leaves a drift alone where there is another exception of the user, the account or a transaction on it', async () => {
    const at = await desk();
    const { ledger, bob, save, drift } = at;
    const users = [ledger.user(), ledger.user(), ledger.user(), ledger.user()] as const;
    const account = (user: (typeof users)[number]) => ledger.account(user, 'usdc_balance');
    const [ofUser, ofTransaction, ofOtherAccount, ofAccount] = users;
    for (const user of [ofUser, ofTransaction, ofOtherAccount]) ledger.deposit(user, '100');
    const emptied = account(ofAccount).id;
    const { subject } = ledger.deposit(ofUser, '7', { post: false });
    const unbalanced = (['usdc_balance', 'fiat_exposure'] as const).map((type, index) => {
      const to = ledger.account([ofTransaction, ofOtherAccount][index]!, type);
      const transaction = ledger.internalTransfer(bob, ledger.account(bob, type), to, '2');
      transaction.entries[0]!.amount = '3';
      return `transaction:${transaction.id}`;
    });
    await save();
    for (const user of [ofUser, ofTransaction, ofOtherAccount]) await drift(account(user).id, '0.5');
    await drift(emptied, '-0.5');
    expect(await correctedBy(at)).toMatchObject({ corrected: 0, refused: 3 }); // an overdraft is not low
    const why = (await reasons(at)).map((reason) => reason!.replace(/^Another exception touches it: \w{8}, /, ''));
    expect(why.sort()).toEqual([`${subject}. Each blocks the other.`, ...unbalanced.map((one) => `${one}.`)].sort());
  });

  test('leaves accounts alone that are part of what a custodian does not agree with', async () => {
    const at = await desk();
    for (const { id } of [at.ledger.account(at.ada, 'fiat_exposure'), at.ledger.systemAccount('system_buffer_usdc')])
      await at.drift(id, '0.5');
    const { report } = await at.runs(['--dry-run']);
    await at.sql`insert into reconciliation_reports (id, run_type, status) values (${report.id}, 'manual', 'completed')`;
    for (const custodian of ['circle', 'alpaca'])
      await at.sql`
        insert into reconciliation_exceptions (
          report_id, last_report_id, check_type, kind, fingerprint, severity, description, affected_entity
        ) values (
          ${report.id}, ${report.id}, ${`${custodian}_balance`}, 'balance_mismatch', ${custodian}, 'low', 'x',
          ${`custodian:${custodian}`}
        )`;
    expect(await correctedBy(at)).toMatchObject({ refused: 2 });
    expect((await reasons(at)).map((reason) => /custodian:\w+/.exec(reason!)?.[0]).sort()).toEqual([
      'custodian:alpaca',
      'custodian:circle',
    ]);
  });

  test('leaves alone what somebody looks into, was assigned, snoozed or accepted', async () => {
    const at = await desk();
    const deeds = ['assign --to Grace', 'acknowledge', 'snooze --until 7d', 'accept --until 7d --note agreed'];
    const accounts = deeds.map(() => at.ledger.account(at.ledger.user(), 'usdc_balance').id);
    await at.save();
    for (const id of accounts) await at.drift(id, '0.1');
    await at.runs(['--check', 'ledger_consistency']);
    for (const [index, { id }] of (await at.exceptions()).entries()) {
      const [action, ...flags] = deeds[index]!.split(' ');
      expect(await at.types(['exceptions', action!, id, ...flags])).toMatchObject({ exitCode: 0 });
    }
    const own = at.ledger.account(at.ada, 'usdc_balance').id; // which nobody has
    await at.drift(own, '0.1');
    expect(await correctedBy(at, ['--dry-run'])).toMatchObject({ would_try: [{ kind: 'balance_drift', count: 1 }] });
    expect(await correctedBy(at)).toMatchObject({ tried: 1, corrected: 1 });
    await at.sql`update reconciliation_exceptions set snoozed_until = 'infinity' where snoozed_until is not null`;
    expect(await correctedBy(at), 'until a time that cannot be read').toMatchObject({ tried: 0 });
    expect(await reasons(at), 'no row for what is left alone').toEqual([null]);

    const [report] = await at.sql<
      { id: string }[]
    >`select id from reconciliation_reports order by created_at desc limit 1`;
    const database = openDatabase(at.url, { connections: 2 });
    const refused = [];
    for (const { id, resolved_at: resolved } of await at.exceptions())
      if (resolved === null)
        refused.push(correct(deskOf(database, cutAt), { exceptionId: id, author: { reportId: report!.id } }));
    expect((await Promise.all(refused)).map(({ reason }) => reason).sort(), 'taken while a run corrects').toEqual([
      'It is assigned to Grace.',
      'It is snoozed or accepted.',
      'It is snoozed or accepted.',
      'ada looks into it.',
    ]);
    await database.end();
  });

  test('moves no more than its limits allow, in a run and in 24 hours, counted in the database', async () => {
    const at = await desk({
      RECONCILIATION_CORRECTION_MAX_PER_RUN: '1.2',
      RECONCILIATION_CORRECTION_MAX_PER_DAY: '1.8',
    });
    const accounts = Array.from({ length: 5 }, () => at.ledger.account(at.ledger.user(), 'usdc_balance').id);
    await at.save();
    for (const account of accounts) await at.drift(account, '0.6');
    expect(await correctedBy(at)).toMatchObject({ tried: 5, corrected: 2, refused: 3 });
    expect(await correctedBy(at)).toMatchObject({ tried: 3, corrected: 1, refused: 2 });
    expect(await correctedBy(at)).toMatchObject({ tried: 2, corrected: 0, refused: 2 });
    expect((await reasons(at)).at(-1)).toBe('The limit of 24 hours, 1.8, would be passed.');
    const [nextDay, soon] = [25, 23].map((hours) => new Date(cutAt.getTime() + hours * 3_600_000));
    const made = async (options: object) => (await at.runs([], options)).report.metadata['corrections'];
    expect(await made({ now: nextDay }), 'a machine whose clock is off').toMatchObject({ corrected: 0, refused: 2 });
    expect(await made({ asOf: soon })).toMatchObject({ corrected: 0, refused: 2 });
    expect(await made({ asOf: nextDay })).toMatchObject({ corrected: 2 });
  });

  test('corrects none where there are too many of a kind, and tells so once', async () => {
    const hook = await startReceiver();
    const at = await desk({
      RECONCILIATION_CORRECTION_MAX_OF_A_KIND: '2',
      RECONCILIATION_ALERT_WEBHOOK_URL: hook.url,
    });
    const job = at.ledger.conversionJob('usdc_to_usd', '500');
    job.row.ledger_transaction_id = null;
    await at.save();
    const users = [at.ada, at.bob, at.ledger.user()];
    const accounts = users.map((user) => at.ledger.account(user, 'usdc_balance').id);
    await at.save();
    for (const account of accounts) await at.drift(account, '0.1');
    const held = [{ kind: 'balance_drift', count: 3 }];
    expect(await correctedBy(at)).toMatchObject({ held_back: held, tried: 1, corrected: 1 });
    const message = JSON.parse(hook.received[0]!.body) as object;
    expect(message).toMatchObject({
      data: { not_corrected: held, summary: expect.stringContaining('1 kind not corrected') as string },
    });
  });

  test('never corrects again what came back, and counts it', async () => {
    const at = await drifted();
    await at.runs();
    await at.drift(at.account, '0.25');
    expect(await correctedBy(at)).toMatchObject({ tried: 1, refused: 1 });
    expect((await reasons(at)).at(-1)).toMatch(/^It came back after correction/);
    expect((await at.types(['metrics', 'print'])).stdout).toContain(
      'reconciliation_corrections_total{check_type="ledger_consistency",outcome="came_back"} 1',
    );
    expect((await at.types(['status'])).stdout).toContain(
      'corrections (automatic), 30 days: 2 tried, 1 corrected, 1 refused, 0 failed, 1 came back, 0 proposed',
    );
  });

  test('stops when the switch in the database says so, whatever the environment says', async () => {
    const at = await drifted();
    expect(await at.types(['corrections', 'stop', '--note', 'ticket 812'])).toMatchObject({ exitCode: 0 });
    expect((await at.types(['status'])).stdout).toMatch(
      /\n {2}recon corrections resume --by NAME --note TEXT\n {6}.* Corrections are stopped by ada: ticket 812\.\n/,
    );
    expect(await correctedBy(at)).toMatchObject({ not_made: 'Corrections are stopped by ada: ticket 812.' });
    const says = async (line: string, now?: Date) =>
      (await at.types(['corrections', ...line.split(' ')], { now: now ?? cutAt })).stderr;
    expect(await says('stop --by Zoe --note second', new Date(cutAt.getTime() + 60_000))).toContain(
      'by Zoe too. Corrections are stopped by ada: ticket 812. Both are on record; exit 0',
    );
    const listed = await at.types(['corrections', 'list']);
    expect(listed.stdout).toMatch(/^Corrections are stopped by ada since 2026-\S+ \S+ \+00:00: ticket 812\.?\n/);
    expect(JSON.parse((await at.types(['corrections', 'list', '-o', 'json'])).stdout)).toMatchObject({
      switch: { stopped: true, changed_by: 'ada', note: 'ticket 812' },
    });
    await says('resume --note over', new Date(cutAt.getTime() + 120_000));
    expect(await says('resume --note again')).toContain(
      'corrections are not stopped in production: nothing was changed; exit 0',
    );
    expect((await at.types(['corrections', 'list'])).stdout).not.toContain('stopped');
    expect((await at.types(['corrections', 'switch'])).stdout.split('\n').slice(1)).toEqual([
      expect.stringMatching(/ allowed again +ada on \S+ +\w+ +over$/),
      expect.stringMatching(/ stopped +Zoe on \S+ +\w+ +second$/),
      expect.stringMatching(/ stopped +ada on \S+ +\w+ +ticket 812$/),
      '',
    ]);
    await at.sql`delete from reconciliation_correction_switch`;
    expect(await correctedBy(at)).toMatchObject({ not_made: expect.stringContaining('is gone') as string });
    await at.sql`insert into reconciliation_correction_switch default values`;
    const shown = async () => (await at.types(['status'])).stdout;
    expect(await shown()).toMatch(/^run [0-9a-f]{8}: corrections broke off: Corrections are stopped: .* is gone\.$/m);
    expect(await correctedBy(at)).toMatchObject({ corrected: 1 });
    expect(await shown()).not.toContain('broke off');
    await at.sql`update reconciliation_reports set metadata = metadata #- '{corrections,tried}'`; // as kill -9 leaves it
    const interrupted = 'they were interrupted, or are still being made';
    expect(await shown()).toMatch(new RegExp(`^run [0-9a-f]{8}: corrections broke off: ${interrupted}$`, 'm'));
    expect((await at.types(['reports', 'show'])).stdout).toContain(`not corrected: ${interrupted}\n`);
    await at.sql`update reconciliation_reports set status = 'failed'`; // and had stored nothing: there was nothing to correct
    expect(await shown()).not.toContain('broke off');
  });

  test('a host that refuses, or stores something else, is a recorded failure; the run is unharmed', async () => {
    const at = await drifted();
    await at.sql.unsafe(`
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'closed'; end $$;
      create trigger closed before update on ledger_accounts for each row execute function refuse();
    `);
    expect(await correctedBy(at)).toMatchObject({ tried: 1, failed: 1 });
    await at.sql.unsafe(`
      create or replace function refuse() returns trigger language plpgsql as $$
      begin new.balance := new.balance + 0.1; return new; end $$;
    `);
    expect(await correctedBy(at)).toMatchObject({ tried: 1, failed: 1 });
    await at.sql.unsafe(`
      create or replace function refuse() returns trigger language plpgsql as $$ begin return null; end $$;
    `);
    expect(await correctedBy(at)).toMatchObject({ tried: 1, failed: 1 });
    expect(await reasons(at)).toEqual([
      'The database refused it: closed (P0001).',
      expect.stringMatching(
        /^With it written, .*: account .* stores a balance that its entries do not add up to/,
      ) as string,
      expect.stringMatching(/was not written as it was planned/) as string,
    ]);
    const step = 'recon corrections list --state failed\n      Open exceptions whose correction failed: 1.';
    expect((await at.types(['status'])).stdout).toContain(step);
    await at.sql`drop trigger closed on ledger_accounts`;
    expect(await correctedBy(at)).toMatchObject({ tried: 1, corrected: 1 });
    expect((await at.types(['status'])).stdout).not.toContain(step);
  });

  test('a mapping that does not say how its host is written to is not written to', async () => {
    const folder = await sourceFolder({});
    await rm(join(folder, 'corrections'), { recursive: true });
    const at = await drifted('0.5', { RECONCILIATION_SOURCE: folder });
    expect(await correctedBy(at)).toMatchObject({ tried: 1, refused: 1 });
    expect(await reasons(at)).toEqual([expect.stringMatching(/this host is not written to/)]);
  });

  test('a job is linked only where there is one answer', async () => {
    const at = await desk();
    const jobs = Array.from({ length: 4 }, () => at.ledger.conversionJob('usdc_to_usd', '5'));
    for (const job of jobs) job.row.ledger_transaction_id = null;
    const [other, pending, taken, failed] = jobs;
    other!.row.ledger_transaction_id = at.ledger.bufferReplenishment('1').id;
    at.ledger.postConversionJob('usdc_to_usd', pending!.id, '5', '5').row.status = 'pending';
    at.ledger.conversionJob('usd_to_usdc', '3').row.ledger_transaction_id = taken!.transaction!.id;
    await withoutConstraints(at.sql);
    await at.save();
    expect(await correctedBy(at)).toMatchObject({ corrected: 1 });
    const linked =
      await at.sql`select id from conversion_jobs where ledger_transaction_id = ${failed!.transaction!.id}`;
    expect(linked).toMatchObject([{ id: failed!.id }]);
  });
});
