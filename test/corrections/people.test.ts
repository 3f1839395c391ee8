import { describe, expect, test } from 'vitest';
import { cutAt } from '../support/run-check.ts';
import type { WorldOptions } from '../support/world.ts';
import { desk, type Desk } from './desk.ts';

/** The id of the one exception of that kind, after a run. */
async function found({ runs }: Desk, kind: string): Promise<string> {
  const { exceptions } = await runs();
  expect(exceptions.map((exception) => exception.kind)).toEqual([kind]);
  return exceptions[0]!.id;
}

/** With the checks that the test is about, and without automatic corrections, which want all of them. */
const deskOfPeople = (checks: string) =>
  desk({ RECONCILIATION_CHECKS: checks, RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY: 'false' });

/** A deposit of Ada's that was never posted, found. */
async function missing(checks = 'ledger_consistency,deposits') {
  const at = await deskOfPeople(checks);
  const deposit = at.ledger.deposit(at.ada, '5000', { post: false });
  await at.save();
  return { ...at, deposit, id: await found(at, 'missing_in_ledger') };
}

/** `-o json` of a command, and its exit code. */
async function json<T>(
  { types }: Pick<Desk, 'types'>,
  line: string,
  options?: WorldOptions,
): Promise<T & { exitCode: number; stderr: string }> {
  const { exitCode, stdout, stderr } = await types([...line.split(' '), '-o', 'json'], options);
  expect(stdout, stderr).not.toBe('');
  return { ...(JSON.parse(stdout) as T), exitCode, stderr };
}

/** So many hours after the cut. */
const later = (hours: number) => {
  const moment = new Date(cutAt.getTime() + hours * 3_600_000);
  return { now: moment, asOf: moment };
};

const blocked = 'Each blocks the other.\nPut one of them right by hand: recon corrects neither while both stand.';

type Shown = {
  correction: {
    id: string;
    state: string;
    rows_proposed: unknown[];
    rows_written: unknown[];
    reason: string | null;
    action: string;
  };
};

/** The rows of the host as a screen shows them, whatever stands above them. */
function rowsOn({ stdout }: { stdout: string }): string {
  const [rows = ''] = stdout.slice(stdout.indexOf('ledger_transactions ')).split(/\n(?:A balance moves |next\n)/);
  expect(rows).toMatch(/^ {2}balance +80 -> 5080$/m);
  return rows;
}

describe('what takes two people', () => {
  test('an entry that belongs to no transaction stands in the way of its own account only', async () => {
    const { types, sql, ledger, ada, bob, id } = await missing('deposits');
    await sql`alter table ledger_entries alter transaction_id drop not null`;
    const addLoose = (user: typeof ada) => sql`
      insert into ledger_entries (id, transaction_id, account_id, entry_type, amount, currency, created_at)
      values (gen_random_uuid(), null, ${ledger.account(user, 'usdc_balance').id}, 'debit', 1, 'USDC', now())`;
    await addLoose(bob);
    expect(await types(['corrections', 'propose', id, '--dry-run'])).toMatchObject({ exitCode: 0 });
    await addLoose(ada);
    expect(await types(['corrections', 'propose', id, '--dry-run'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(
        /With it written, something would still be wrong: account .* stores a balance that its entries do not add up to.*\nNothing is proposed: put it right by hand\.$/m,
      ) as string,
    });
    await sql`alter table ledger_entries disable trigger user`;
    await sql`delete from ledger_entries where transaction_id is null and account_id = ${ledger.account(ada, 'usdc_balance').id}`;
    expect(await types(['corrections', 'propose', id, '--by', 'Ada'])).toMatchObject({ exitCode: 0 });
    const [proposal] = await sql<{ id: string }[]>`select id from reconciliation_corrections`;
    for (const line of ['approve --by Grace', 'undo --by Ada --note x']) {
      const [word = '', ...options] = line.split(' ');
      expect(await types(['corrections', word, proposal!.id, ...options, '--yes'])).toMatchObject({ exitCode: 0 });
    }
  });

  test('a deposit that was not posted: proposed by one, written when another approves, undone by one command', async () => {
    const at = await missing();
    const { types, books, sql, ledger, ada, deposit, id } = at;
    const before = await books();
    const dry = await json<{ rows_written: object[] }>(at, `corrections propose ${id} --dry-run`);
    expect(dry.rows_written).toMatchObject([
      { table: 'ledger_transactions', before: null, after: { reference_id: deposit.id, status: 'completed' } },
      { table: 'ledger_entries', before: null, after: { amount: '5000', entry_type: 'debit' } },
      { table: 'ledger_entries', before: null, after: { amount: '5000', entry_type: 'credit' } },
      { table: 'ledger_accounts' },
      { table: 'ledger_accounts' },
    ]);
    const account = ledger.account(ada, 'usdc_balance').id;
    expect(dry.rows_written).toContainEqual({
      table: 'ledger_accounts',
      id: account,
      before: { balance: '80' },
      after: { balance: '5080' },
    });
    expect(await books()).toEqual(before);
    expect(await at.corrections()).toEqual([]);

    const nobody = await types(['corrections', 'propose', id, '--dry-run'], { env: { USER: '' } }); // nothing is signed
    expect(nobody.stdout).toMatch(/\nnext\n {2}recon corrections propose [0-9a-f]{8} --by NAME --note TEXT\n$/);
    const rows = rowsOn(nobody);
    const { correction } = await json<Shown>(at, `corrections propose ${id} --by Ada --note seen`);
    expect(await books()).toEqual(before);
    expect(correction.rows_proposed).toEqual(dry.rows_written);
    const show = ['corrections', 'show', correction.id];
    const waiting = await types(show);
    expect(rowsOn(waiting)).toBe(rows);
    expect(waiting.stdout).toMatch(
      /\nnext\n {2}recon corrections approve [0-9a-f]{8} --by SOMEBODY-ELSE\n {2}recon corrections reject [0-9a-f]{8} .*\n$/,
    );
    expect(correction).toMatchObject({ rows_proposed: { length: 5 }, rows_written: [] });
    for (const name of ['Ada', 'ada', ' ADA ', 'A\u200bda', '\uff21da', 'Ada\u00ad'])
      expect(await types(['corrections', 'approve', correction.id, '--by', name, '--yes']), name).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('somebody else has to approve') as string,
      });
    expect((await types(['corrections', 'approve', correction.id, '--by', 'ADA '])).stderr).toContain(
      'Ada proposed it; ADA is the same person: somebody else has to approve.\n',
    );
    expect(await books()).toEqual(before);
    expect(rowsOn(await types(['corrections', 'approve', correction.id, '--by', 'Grace', '--dry-run']))).toBe(rows);
    const approved = await json<Shown>(at, `corrections approve ${correction.id} --by Grace --yes`);
    expect(approved.correction.rows_written).toEqual(correction.rows_proposed);
    const over = await types(show);
    expect(rowsOn(over)).toBe(rows);
    expect(over.stdout).toMatch(/\nnext\n {2}recon corrections undo [0-9a-f]{8} --by NAME --note TEXT\n$/);
    expect(approved).toMatchObject({
      exitCode: 0,
      correction: { state: 'applied', decided_by: 'Grace', amount: '5000' },
    });
    const [posted] = await sql`select * from ledger_transactions where reference_id = ${deposit.id}`;
    expect(posted).toMatchObject({ idempotency_key: `recon-post-deposit-${deposit.id}`, status: 'completed' });
    expect(await at.exceptions()).toMatchObject([
      { auto_corrected: false, resolved_by: 'Grace', correction_action: `deposit ${deposit.id} posted in full` },
    ]);
    expect((await at.runs()).exitCode).toBe(0);
    const solved = (await types(['exceptions', 'show', id])).stdout;
    expect(solved).toContain(`\n  recon corrections list --exception ${id.slice(0, 8)}\n`);

    const preview = await json<typeof dry & { stderr: string }>(at, `corrections undo ${correction.id} --dry-run`);
    const once = 'recon posts a record once; what is undone, it does not post again';
    expect(preview.stderr).toBe(`recon: ${once}\n`);
    const undone = await json<Shown>(at, `corrections undo ${correction.id} --by Ada --note wrong --yes`, later(1));
    expect(undone.correction.rows_written).toEqual(preview.rows_written);
    expect(undone).toMatchObject({ exitCode: 0, correction: { state: 'applied', undoes: correction.id } });
    const record = (await types(['corrections', 'show', undone.correction.id])).stdout;
    expect(record).toMatch(/^undone +by Ada, .*: wrong$/m);
    expect(record).not.toMatch(/^proposed /m);
    for (const shown of [record, (await types(show)).stdout])
      expect(shown, 'nothing is undone twice').toMatch(/\nnext\n {2}recon exceptions show [0-9a-f]{8}\n$/);
    const after = await books();
    expect(after.accounts).toEqual(before.accounts);
    expect(after.entries).toHaveLength(before.entries.length + 4);
    expect(undone.stderr).toContain(`; ${once}; `);
    expect(undone.stderr).toContain('likely wrong again, and the next run tells: `recon run`; exit 0\n');
    expect(await types(['corrections', 'propose', id], { env: { USER: '' } })).toMatchObject({
      exitCode: 64,
      stderr: 'recon: This needs --by NAME (or USER).\nWho does it stays on record.\nrecon: exit 64\n',
    });
    const unseen =
      'recon run\n      Corrections undone since the last run: 1. What they corrected is likely wrong again.\n';
    expect((await types(['status'])).stdout).toContain(unseen);
    const story = async () => (await types(['exceptions', 'show', id])).stdout;
    expect(await story()).toMatch(/\n {2}Its correction was undone, .*: it is likely back\. .*\n {2}recon run\n/);
    const twice = ['corrections', 'undo', correction.id, '--note', 'x', '--yes'];
    expect((await types(twice)).stderr).toContain('is undone already');
    const { exceptions } = await at.runs([], later(2));
    expect(exceptions).toMatchObject([{ kind: 'reversed_for_settled', affected_entity: deposit.subject }]);
    const { stdout: reversed } = await types(['exceptions', 'show', exceptions[0]!.id]);
    expect(reversed).toMatch(/^undone by +Ada: recon corrections show [0-9a-f]{8}$/m);
    expect(reversed).toContain(`recon corrections show ${undone.correction.id.slice(0, 8)}\n`);
    expect(reversed).toContain('\n  Ada undid what recon had posted, and recon does not post it again: ');
    expect(reversed).not.toMatch(/Find out who|on purpose/);
    expect((await types(['status'])).stdout).not.toContain(unseen);
    expect(await story()).not.toMatch(/recon run|It is over/);
    const events = await sql<{ event: string }[]>`select event from reconciliation_exception_events order by sequence`;
    expect(events.map(({ event }) => event)).toEqual([
      'created',
      'correction_proposed',
      'corrected',
      'correction_undone',
      'created',
    ]);
  });

  test('records of one user of which none was ever posted do not stand in each other’s way', async () => {
    const at = await deskOfPeople('ledger_consistency,deposits,withdrawals');
    const before = await at.books();
    const records = [
      ...['40', '40', '7'].map((amount) => at.ledger.deposit(at.ada, amount, { post: false })),
      at.ledger.withdrawal(at.ada, '12', { post: false }),
    ];
    await at.save();
    const { exceptions } = await at.runs();
    expect(exceptions.map(({ affected_entity }) => affected_entity).sort()).toEqual(
      records.map(({ subject }) => subject).sort(),
    );
    const [first, ...others] = exceptions;
    const proposals = [];
    for (const { id } of others) proposals.push(await json<Shown>(at, `corrections propose ${id} --by Ada`)); // together …
    const approve = ({ correction: { id } }: Shown) => json<Shown>(at, `corrections approve ${id} --by Grace --yes`);
    for (const proposal of proposals) expect(await approve(proposal)).toMatchObject({ exitCode: 0 });
    await approve(await json<Shown>(at, `corrections propose ${first!.id} --by Ada`)); // … and one after the other
    expect((await at.runs()).exceptions).toEqual([]);
    expect((await at.books()).entries).toHaveLength(before.entries.length + 2 * records.length);
    expect((await at.books()).accounts).toContainEqual({
      id: at.ledger.account(at.ada, 'usdc_balance').id,
      balance: '155.000000000000000000', // 80 + 40 + 40 + 7 - 12
    });
  });

  test('but what was posted for one of them since the run may be meant for both', async () => {
    const at = await deskOfPeople('ledger_consistency,deposits');
    const [mine, other] = ['100', '50'].map((amount) => at.ledger.deposit(at.ada, amount, { post: false }));
    const foreign = at.ledger.deposit(at.bob, '9', { post: false });
    await at.save();
    const { exceptions } = await at.runs();
    const id = exceptions.find(({ affected_entity: subject }) => subject === mine!.subject)!.id;
    at.ledger.postDeposit(at.bob, foreign.id, '9', { minutesAgo: 1 }); // is nothing to Ada
    const failed = at.ledger.postDeposit(at.ada, other!.id, '50', { minutesAgo: 1 });
    failed.row.status = 'failed';
    await at.save();
    const proposal = await json<Shown>(at, `corrections propose ${id} --by Ada`);
    expect(proposal).toMatchObject({ exitCode: 0 });
    const both = at.ledger.postDeposit(at.ada, other!.id, '150', { minutesAgo: 1 });
    await at.save();
    const before = await at.books();
    const approved = await json<Shown>(at, `corrections approve ${proposal.correction.id} --by Grace --yes`);
    expect(approved).toMatchObject({
      exitCode: 2,
      correction: {
        reason: `Transaction ${both.id} names deposit ${other!.id}, which a run found missing, and may be meant for both.`,
      },
    });
    const { stderr } = await at.types(['corrections', 'propose', id, '--dry-run']);
    expect(stderr).toContain('Let recon look again first: `recon run`\n');
    expect(await at.books()).toEqual(before);
  });

  test.each([
    [
      'a posting that books nothing',
      async ({ ledger, ada, save, sql }: Desk) => {
        const { id } = ledger.deposit(ada, '5000');
        await save();
        await sql`delete from deposits where id = ${id}`;
        return 'Put that one right first: `recon exceptions show ';
      },
    ],
    [
      'a record that was posted with less',
      async ({ ledger, ada, save }: Desk) => {
        ledger.deposit(ada, '5000', { postedAmount: '10' });
        await save();
        return blocked;
      },
    ],
    [
      'a balance that drifted',
      async ({ ledger, ada, drift }: Desk) => {
        await drift(ledger.account(ada, 'usdc_balance').id, '0.5');
        return blocked;
      },
    ],
  ])('but what may be the same fault does: %s; nobody is sent round in a circle', async (_name, plant) => {
    const at = await missing();
    const next = await plant(at);
    await at.runs();
    const { stderr } = await at.types(['corrections', 'propose', at.id, '--dry-run']);
    expect(stderr).toContain(next);
    if (next !== blocked) return;
    const other = (await at.exceptions()).find(({ id }) => id !== at.id)!;
    for (const { stderr: said } of [{ stderr }, await at.types(['corrections', 'propose', other.id, '--dry-run'])])
      expect(said.replace(/^.*Another exception touches it: [0-9a-f]{8}, \w+:[0-9a-f-]+\. /, '')).toBe(
        `${blocked}\nrecon: exit 2\n`,
      );
  });

  test('what is accepted stands in the way all the same, and is told so', async () => {
    const at = await missing();
    await at.drift(at.ledger.account(at.ada, 'fiat_exposure').id, '5');
    const { exceptions } = await at.runs();
    const other = exceptions.find(({ kind }) => kind === 'balance_drift')!;
    const propose = async () => (await at.types(['corrections', 'propose', at.id, '--dry-run'])).stderr;
    await at.types(['exceptions', 'accept', other.id, '--until', '300d', '--note', 'ticket 812']);
    expect(await propose()).toContain(
      `${other.id.slice(0, 8)}, ${other.affected_entity}. That one is accepted, which does not make it right.\n` +
        'As long as it stands recon corrects nothing that it touches: put this one right by hand.\n',
    );
    await at.types(['exceptions', 'reopen', other.id, '--note', 'x']);
    expect(await propose()).toContain(blocked);
  });

  test('on the firm’s own account only what is wrong with the account itself stands in the way of a posting', async () => {
    const at = await missing();
    const { report } = await at.runs();
    await at.sql`
      insert into reconciliation_exceptions (
        report_id, last_report_id, check_type, kind, fingerprint, severity, description, affected_entity
      ) values (
        ${report.id}, ${report.id}, 'circle_balance', 'balance_mismatch', 'circle', 'critical', 'x', 'custodian:circle'
      )`;
    at.ledger.postDeposit(at.bob, at.ledger.deposit(at.bob, '70').id, '70'); // a second time, on the same buffer
    await at.save();
    await at.runs();
    expect((await at.exceptions()).map(({ kind }) => kind).sort()).toEqual([
      'balance_mismatch',
      'duplicate_posting',
      'missing_in_ledger',
    ]);
    const propose = () => at.types(['corrections', 'propose', at.id, '--dry-run']);
    expect(await propose()).toMatchObject({ exitCode: 0 });
    const buffer = at.ledger.systemAccount('system_buffer_usdc').id;
    await at.drift(buffer, '500');
    await at.runs();
    expect((await propose()).stderr).toContain(`account:${buffer}. ${blocked}`);
  });

  test('exceptions show offers what propose would take, and says else why it would not', async () => {
    const at = await missing();
    const { types, ledger, ada, deposit, id } = at;
    const command = `recon corrections propose ${id.slice(0, 8)} --dry-run`;
    const shown = async () => (await types(['exceptions', 'show', id])).stdout.replace(/\s+/g, ' ');
    const expectRefused = async (why: RegExp) => {
      const story = await shown();
      expect(story).toMatch(why);
      expect(story).toContain(' Not as it stands: ');
      expect(story).not.toContain('corrections propose');
      const { exitCode, stderr } = await types(['corrections', 'propose', id, '--dry-run']);
      expect([exitCode, stderr.replace(/\s+/g, ' ')]).toEqual([2, expect.stringMatching(why)]);
    };
    const before = await at.books();
    expect(await shown()).toContain(command);
    expect(await json(at, `exceptions show ${id}`)).toMatchObject({ refusal: null });

    await types(['corrections', 'stop', '--note', 'ticket 812']);
    await expectRefused(/Corrections are stopped by ada: ticket 812\. `recon corrections resume /);
    await types(['corrections', 'resume', '--note', 'ticket 812']);
    const account = ledger.account(ada, 'usdc_balance').id;
    await at.drift(account, '0.5');
    await expectRefused(/With it written, something would still be wrong: account /); // before a run has found it
    await at.runs(['--check', 'ledger_consistency']);
    await expectRefused(
      /Another exception touches it: [0-9a-f]{8}, account:\S+ Each blocks the other\. Put one of them /,
    );
    await at.drift(account, '-0.5');
    await at.runs(['--check', 'ledger_consistency']);
    expect(await shown()).toContain(command);
    expect(await at.books()).toEqual(before);

    const pending = ledger.postDeposit(ada, deposit.id, '5000', { minutesAgo: 1 });
    pending.row.status = 'pending';
    await at.save();
    const named = `Transaction ${pending.id} names the deposit already.`;
    await expectRefused(new RegExp(named));
    expect(await json(at, `exceptions show ${id}`)).toMatchObject({ refusal: named });
  });

  test('a withdrawal that was posted short is adjusted by a second pair; one posted in excess is not', async () => {
    const at = await deskOfPeople('ledger_consistency,deposits,withdrawals');
    const short = at.ledger.withdrawal(at.bob, '10', { postedAmount: '9.5' });
    await at.save();
    const id = await found(at, 'amount_mismatch');
    const { correction } = await json<Shown>(at, `corrections propose ${id} --by Ada`);
    expect(correction.action).toBe(`withdrawal ${short.id} adjusted from 9.5 to 10`);
    const { stdout: story } = await at.types(['exceptions', 'show', id]);
    expect(story).toContain('Ada proposed a correction: somebody else has to approve it, or rejects it.');
    expect(story).toContain(`recon corrections approve ${correction.id.slice(0, 8)} --by SOMEBODY-ELSE\n`);
    expect(story).not.toContain('corrections propose');
    await json<Shown>(at, `corrections approve ${correction.id} --by Grace --yes`);
    expect((await at.runs()).exitCode).toBe(0);

    at.ledger.deposit(at.bob, '10', { postedAmount: '10.5' });
    await at.save();
    const excess = await found(at, 'amount_mismatch');
    expect((await at.types(['exceptions', 'show', excess])).stdout).toContain(
      'recon does not correct it: more was posted than the record says, which is reversed and posted again.',
    );
    expect(await at.types(['corrections', 'propose', excess])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('More was posted than the record says') as string,
    });
  });

  test('what was approved is what was proposed: if the books have moved, it is refused', async () => {
    const at = await missing('deposits');
    const { correction } = await json<Shown>(at, `corrections propose ${at.id} --by Ada`);
    await at.sql`update deposits set amount = 4000 where id = ${at.deposit.id}`;
    const before = await at.books();
    const said = 'The books have moved, or another release of recon proposed it: it is no longer what was proposed.';
    expect(await at.types(['corrections', 'approve', correction.id, '--by', 'Grace', '--dry-run'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(`${said}\nEnd it with \`recon corrections reject\``) as string,
    });
    expect(await at.corrections()).toMatchObject([{ state: 'proposed' }]); // whoever only looks ends nothing
    const ended = await json<Shown>(at, `corrections approve ${correction.id} --by Grace --yes`);
    expect(ended).toMatchObject({ exitCode: 2, correction: { state: 'refused', reason: said } });
    expect(await at.books()).toEqual(before);
  });

  test('a drift can be proposed too: it moves by as much as was approved, wherever the host has taken the balance', async () => {
    const at = await deskOfPeople('ledger_consistency,deposits');
    const account = at.ledger.account(at.ada, 'usdc_balance').id;
    await at.drift(account, '0.5');
    const id = await found(at, 'balance_drift');
    const { correction } = await json<Shown>(at, `corrections propose ${id} --by Ada`);
    at.ledger.deposit(at.ada, '7');
    await at.save();
    const other = await json<Shown>(at, `corrections approve ${correction.id} --by Grace --yes`);
    expect(other.correction).toMatchObject({
      state: 'applied',
      action: `balance of account ${account} moved by -0.5, to opening + entries`,
      rows_proposed: [{ id: account, before: { balance: '80.5' }, after: { balance: '80' } }],
      rows_written: [{ id: account, before: { balance: '87.5' }, after: { balance: '87' } }],
    });
    expect((await at.runs()).exitCode).toBe(0);

    await at.drift(account, '0.5');
    expect(await at.types(['exceptions', 'reopen', id, '--note', 'again'])).toMatchObject({ exitCode: 0 });
    expect((await at.types(['corrections', 'propose', id])).stderr).toContain('It was corrected already');
  });

  test('the host posts it meanwhile: nothing is written twice', async () => {
    const at = await missing('deposits');
    const { correction } = await json<Shown>(at, `corrections propose ${at.id} --by Ada`);
    at.ledger.postDeposit(at.ada, at.deposit.id, '5000');
    await at.save();
    const before = await at.books();
    expect((await at.types(['corrections', 'approve', correction.id, '--by', 'Grace', '--yes'])).exitCode).toBe(2);
    expect(await at.books()).toEqual(before);
  });

  test('a refusal by the host is a recorded failure, and the proposal is over', async () => {
    const at = await missing('deposits');
    const { correction } = await json<Shown>(at, `corrections propose ${at.id} --by Ada`);
    await at.sql.unsafe(`
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'the period is closed'; end $$;
      create constraint trigger closed after insert on ledger_entries deferrable initially deferred
      for each row execute function refuse();
    `);
    const before = await at.books();
    const ended = await json<Shown>(at, `corrections approve ${correction.id} --by Grace --yes`);
    expect(ended).toMatchObject({
      exitCode: 2,
      correction: { state: 'failed', reason: 'The database refused it: the period is closed (P0001).' },
    });
    expect(await at.books()).toEqual(before);
    expect((await at.types(['corrections', 'approve', correction.id, '--by', 'Grace', '--yes'])).exitCode).toBe(2);
  });

  test('the database itself refuses a second correction of one exception, and any change of what has ended', async () => {
    const { sql, id } = await missing('deposits');
    const propose = async () => {
      const [{ id: proposal } = { id: '' }] = await sql<{ id: string }[]>`
        insert into reconciliation_corrections ${sql({
          exception_id: id,
          correction: 'post_record',
          state: 'proposed',
          action: 'x',
          amount: '1',
          proposed_by: 'Ada',
          rows_proposed: sql.json([{}]),
          created_at: new Date(),
        })} returning id`;
      return proposal;
    };
    const apply = (proposal: string) => sql`
      update reconciliation_corrections
      set state = 'applied', decided_by = 'Grace', rows_written = '[{}]', ended_at = now()
      where id = ${proposal}`;
    await apply(await propose());
    const again = await propose();
    await expect(apply(again)).rejects.toThrow(/one_applied/);
    await expect(sql`update reconciliation_corrections set reason = 'x'`).rejects.toThrow(/append-only/);
    await expect(sql`delete from reconciliation_corrections`).rejects.toThrow(/append-only/);
  });

  test('an undoing that the host refuses is on record too, and counted', async () => {
    const at = await missing('deposits');
    const { correction } = await json<Shown>(at, `corrections propose ${at.id} --by Ada`);
    await json<Shown>(at, `corrections approve ${correction.id} --by Grace --yes`);
    const before = await at.books();
    await at.sql.unsafe(`
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'the period is closed'; end $$;
      create trigger closed before update on ledger_transactions for each row execute function refuse();
    `);
    const reason = 'The database refused it: the period is closed (P0001).';
    expect(await at.types(['corrections', 'undo', correction.id, '--dry-run'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(`It cannot be undone: ${reason}`) as string,
    });
    const undoing = `corrections undo ${correction.id} --by Ada --note wrong --yes`;
    const failed = await json<Shown>(at, undoing);
    expect(failed).toMatchObject({ exitCode: 2, correction: { state: 'failed', reason, rows_written: [] } });
    await at.types(['corrections', 'stop', '--note', 'ticket 812']);
    const hint =
      'Corrections are stopped by ada: ticket 812.\n`recon corrections resume --by NAME --note TEXT` allows them again.\n';
    expect((await at.types(['corrections', 'undo', correction.id, '--dry-run'])).stderr).toContain(hint);
    const refused = await json<Shown>(at, undoing);
    expect(refused).toMatchObject({ exitCode: 2, correction: { state: 'refused' } });
    expect(await at.books()).toEqual(before);
    const events = await at.sql<{ event: string; note: string }[]>`
      select event, note from reconciliation_exception_events where event like '%undo%' order by sequence`;
    expect(events).toEqual([
      { event: 'correction_undo_failed', note: reason },
      { event: 'correction_undo_refused', note: 'Corrections are stopped by ada: ticket 812.' },
    ]);
    await at.types(['corrections', 'resume', '--note', 'ticket 812']);
    const step =
      'recon corrections list --state failed --state refused\n      Corrections that were to be undone, and still stand: 1.';
    const standing = (await at.types(['status'])).stdout;
    expect(standing).toContain('undoings, 30 days: 0 undone, 1 refused, 1 failed\n');
    expect(standing).toContain(step);
    await at.sql`drop trigger closed on ledger_transactions`;
    await json<Shown>(at, undoing);
    const undone = (await at.types(['status'])).stdout;
    expect(undone).toContain('undoings, 30 days: 1 undone, 1 refused, 1 failed\n');
    expect(undone).not.toContain(step);
    const { stdout } = await at.types(['metrics', 'print']);
    for (const outcome of ['undo_failed', 'undo_refused'])
      expect(stdout).toContain(`reconciliation_corrections_total{check_type="deposits",outcome="${outcome}"} 1`);
  });

  test('rejected, it is over; and one exception has one proposal at a time', async () => {
    const at = await missing('deposits');
    const { correction } = await json<Shown>(at, `corrections propose ${at.id} --by Ada`);
    expect((await at.types(['corrections', 'propose', at.id, '--by', 'Bob'])).stderr).toContain(
      'proposed already, by Ada',
    );
    expect((await at.types(['corrections', 'list', '--state', 'proposed'])).stdout).toContain(
      correction.id.slice(0, 8),
    );
    for (const [word, note, why] of [
      ['reject', [], 'reject needs --note TEXT.'],
      ['undo', [], 'undo needs --note TEXT.'],
      ['reject', ['--note', ' '], 'The note is empty.'],
    ] as const)
      expect(await at.types(['corrections', word, correction.id, ...note])).toMatchObject({
        exitCode: 64,
        stderr: expect.stringContaining(why) as string,
      });
    const rejected = await json<Shown>(at, `corrections reject ${correction.id} --by Grace --note twice`);
    expect(rejected.correction.state).toBe('rejected');
    expect((await at.types(['corrections', 'approve', correction.id, '--by', 'Grace', '--yes'])).exitCode).toBe(2);
    expect((await at.types(['corrections', 'show', correction.id])).stdout).toContain('by Grace');
  });
});
