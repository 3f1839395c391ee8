import { describe, expect, test } from 'vitest';
import { databaseWithoutConstraints, testDatabase } from '../support/database.ts';
import { credit, debit, LedgerBuilder } from '../support/ledger.ts';
import { cutAt } from '../support/run-check.ts';
import { operatorOf } from '../support/world.ts';

/** Books with one fault each of those whose numbers say something, and the exceptions that a run made of them. */
async function faultyBooks() {
  const { url, sql } = await databaseWithoutConstraints();
  const ledger = new LedgerBuilder({ now: cutAt, seed: 5 });
  const [ada, bob] = [ledger.user(), ledger.user()];
  const swapped = ledger.deposit(ada, '1250', { postedAmount: '1205' });
  const account = ledger.account(ada, 'usdc_balance');
  const unbalanced = ledger.transaction({
    type: 'internal_transfer',
    user: ada,
    entries: [debit(ledger.account(ada, 'stash_balance'), '30'), credit(account, '30'), credit(account, '30')],
  });
  const carol = ledger.user();
  const invalid = ledger.transaction({
    type: 'internal_transfer',
    user: carol,
    entries: [debit(ledger.account(carol, 'stash_balance'), '-5'), credit(ledger.account(carol, 'usdc_balance'), '-5')],
  });
  const missing = ledger.deposit(bob, '77.7', { post: false });
  const toNobody = ledger.deposit(ada, '77.7');
  const unknown = ledger.deposit(bob, '510', { post: false });
  await ledger.save(sql);
  await sql`update deposits set status = 'off_ramp_held' where id = ${unknown.id}`;
  await sql`delete from deposits where id = ${toNobody.id}`;
  await sql`update ledger_accounts set balance = balance + 2 where id = ${account.id}`;
  await sql`update ledger_entries set currency = 'EUR' where id = ${invalid.entries[1]!.id}`;
  const operator = operatorOf(url);
  const { exceptions } = await operator.runs();
  const show = async (kind: string, ...flags: string[]) => {
    const found = exceptions.find((exception) => exception.kind === kind);
    return operator.types(['exceptions', 'show', found?.id ?? kind, ...flags]);
  };
  return { ...operator, sql, ada, swapped, unbalanced, invalid, missing, exceptions, show };
}

/** A custodian that lacks what two deposits are under way with, as a run would have stored it. */
async function shortCustodian() {
  const { url, sql: own } = await testDatabase();
  const ledger = new LedgerBuilder({ now: cutAt, seed: 6 });
  const user = ledger.user();
  const pending = ['12.25', '30', '8'].map((amount) => ledger.deposit(user, amount, { status: 'confirmed' }));
  await ledger.save(own);
  const operator = operatorOf(url);
  const { report } = await operator.runs();
  const [stored] = await own<{ id: string }[]>`
    insert into reconciliation_exceptions (
      report_id, last_report_id, check_type, kind, fingerprint, severity, description, expected_value, actual_value,
      difference, currency, affected_entity
    )
    values (
      ${report.id}, ${report.id}, 'circle_balance', 'balance_mismatch', 'circle_balance/balance_mismatch/custodian:circle',
      'medium', 'short', 142.25, 100, -42.25, 'USDC', 'custodian:circle'
    )
    returning id`;
  return { pending: pending.slice(0, 2), custodian: await operator.types(['exceptions', 'show', stored!.id]) };
}

/** Faults of which the numbers say little, and how things stand all; `show` tells the exception of a subject. */
async function plainlyFaulty() {
  const { url, sql: own } = await testDatabase();
  const ledger = new LedgerBuilder({ now: cutAt, seed: 7 });
  const user = ledger.user();
  const turned = ledger.deposit(user, '80');
  for (const entry of turned.transaction!.entries) entry.entry_type = entry.entry_type === 'debit' ? 'credit' : 'debit';
  const original = ledger.deposit(user, '100', { status: 'failed', post: true }).transaction!;
  const reversal = ledger.reversal(original);
  original.row.status = 'completed';
  const local = ledger.withdrawal(user, '12', { minutesAgo: -420, post: false });
  await ledger.save(own);
  const operator = operatorOf(url);
  const { exceptions: found } = await operator.runs();
  const tells = async (subject: string) => {
    const { id } = found.find(({ affected_entity: entity }) => entity === subject)!;
    return (await operator.types(['exceptions', 'show', id])).stdout;
  };
  return { tells, turned, original, reversal, local };
}

const { show, types, sql, exceptions, swapped, unbalanced, invalid, missing, ada } = await faultyBooks();

describe('recon exceptions show', { timeout: 120_000 }, () => {
  test('both sides, the records and postings involved, and what it could be', async () => {
    const mismatch = (await show('amount_mismatch')).stdout;
    expect(mismatch).toMatch(
      /^ {2}expected +1250 {2}USDC {2}amount of the record\n {2}actual +1205 {2}USDC {2}amount posted$/m,
    );
    expect(mismatch).toContain('- Two digits are swapped: 1250 and 1205.\n');
    expect(mismatch).toMatch(new RegExp(`^ {2}deposit ${swapped.id.slice(0, 8)} +1250 +USDC +settled `, 'm'));
    expect(mismatch).toMatch(
      new RegExp(
        `^ {2}${swapped.transaction!.id.slice(0, 8)} +destination +1205 +USDC +usdc_balance +${ada.id.slice(0, 8)}$`,
        'm',
      ),
    );
    expect(mismatch).toContain(`transaction ${swapped.transaction!.id.slice(0, 8)}  deposit  completed  `);
    expect(mismatch).toMatch(/^ {4}[0-9a-f]{8} +credit +1205 +USDC +system_buffer_usdc +-$/m);

    const twice = (await show('unbalanced_transaction')).stdout;
    const credits = unbalanced.entries.slice(1).map(({ id }) => id);
    expect(twice).toMatch(
      new RegExp(`- entry (${credits.join('|')}) of 30 USDC stands twice in the credits: entry (${credits.join('|')})`),
    );

    const lost = (await show('missing_in_source')).stdout;
    expect(lost).toContain(`deposit ${missing.id} of another user, differs by -77.7 USDC`);
    const document = JSON.parse((await show('missing_in_ledger', '-o', 'json')).stdout) as Record<string, unknown>;
    expect(document).toMatchObject({
      version: 1,
      involved: { records: [{ id: missing.id, amount: '77.7' }], postings: [], unreadable: null },
      causes: [{ cause: 'elsewhere', evidence: [expect.stringMatching(/^transaction:/) as string] }],
      sightings: [{ severity: 'medium' }],
      events: [{ event: 'created', actor: 'system' }],
    });

    expect(mismatch).toMatch(/^ {2}destination +amount 1250, posted 1205$/m);
    expect(mismatch).toMatch(/^ {2}settled at +2026-\d\d-\d\d \d\d:\d\d:\d\d \+00:00$/m);
    expect(mismatch).toMatch(new RegExp(`^ {2}transactions +${swapped.transaction!.id}$`, 'm'));

    const reasons = (await show('invalid_amount')).stdout;
    expect(reasons.replace(/\s+/g, ' ')).toContain(
      'Make up for the entry by compensating entries. The entries themselves stay, and every run finds them: accept the exception then.',
    );
    const [negative, euro] = invalid.entries.map(({ id }) => id);
    expect(reasons).toContain(`  - entry ${negative}: its amount is negative (-5).\n`);
    expect(reasons).toContain(
      `  - entry ${euro}: its amount is negative (-5), its currency is “EUR”, neither USDC nor USD.\n`,
    );

    const unknown = (await show('unknown_status')).stdout;
    expect(unknown, 'as a list has it').toMatch(/^seen\n.*\n {2}2026-.* \(510\) {2}USDC {2}/m);

    const drift = (await show('balance_drift')).stdout;
    expect(drift).toContain('None of the usual causes meets the difference to the last digit.');
  });

  test('how things stand comes before the numbers, and what it makes of the advice', async () => {
    const { tells, turned, original, reversal, local } = await plainlyFaulty();
    const named = await tells(turned.subject);
    expect(named).toContain('was never posted');
    expect(named).toContain(
      `what it could be\n  - Transaction ${turned.transaction!.id} names it already, but with no entry that counts for it: posted the wrong way round, or to no user? Reverse that one before it is posted.\n`,
    );
    expect(named).not.toMatch(/None of the usual causes|corrections propose|then post it\./);
    expect(named).toContain('Look at the transaction that names it; reverse that one, and only then post the record.');
    expect(await tells(`transaction:${original.id}`)).toContain(
      `- Its status is completed, not reversed, though ${reversal.id} takes it back: the status of the original was never changed.\n`,
    );
    expect(await tells(local.subject)).toContain(
      '- Its time lay in the future when a run saw it (in 7 h): local time written as UTC?\n',
    );
  });

  test('what a custodian lacks may be what is not final yet, or open elsewhere', async () => {
    const { pending, custodian } = await shortCustodian();
    expect(custodian.stdout).toMatch(/^records that are not final$/m);
    const [one, other] = pending.map(({ id }) => `deposit ${id}`).sort();
    const sentence = `- ${one}, ${other} are open or not final, and may stand on one side only: `;
    expect(custodian.stdout).toContain(sentence);
    expect(custodian.stdout).toMatch(/: (12\.25 \+ 30|30 \+ 12\.25) = 42\.25 USDC\.$/m);
  });

  test('of one that stands, what fits: a run closes what is mended, nobody what is still wrong', async () => {
    const { id } = exceptions.find(({ kind }) => kind === 'amount_mismatch')!;
    const short = id.slice(0, 8);
    const commands = async (env = {}) => {
      const { stdout } = await types(['exceptions', 'show', id], { env });
      return stdout
        .match(/^ {2}recon (?!.*(--sql|--dry-run)).*$/gm)
        ?.map((line) => line.trim().replace(' --by NAME --note TEXT', ''));
    };
    const look = 'recon run --check deposits';
    const accept = `recon exceptions accept ${short} --until 7d`;
    expect(await commands()).toEqual([`recon exceptions acknowledge ${short}`, accept, look]);
    await types(['exceptions', 'acknowledge', id]);
    expect(await commands({ RECONCILIATION_CHECKS: 'withdrawals' })).toEqual([
      accept,
      `recon exceptions resolve ${short}`,
    ]);
    await types(['exceptions', 'accept', id, '--until', '7d', '--note', 'x']);
    expect(await commands()).toEqual([`recon exceptions reopen ${short}`, look]);
    await types(['exceptions', 'reopen', id, '--note', 'x']);
  });

  test('of one that is over, how to reopen it', async () => {
    const { id } = exceptions.find(({ kind }) => kind === 'unbalanced_transaction')!;
    const resolved = await types(['exceptions', 'resolve', id, '--note', 'mended']);
    const warning = 'recon: 1 exception stood when a run last looked: what is not mended, a daily run finds again ';
    expect(resolved.stderr).toContain(`${warning}and opens as a new one\n`);
    const { stdout } = await show('unbalanced_transaction');
    expect(stdout).toMatch(
      new RegExp(`\n {2}It is over. .*\n {2}recon exceptions reopen ${id.slice(0, 8)} --by NAME --note TEXT\n`),
    );
    expect(stdout).not.toContain('recon exceptions acknowledge');
    await types(['exceptions', 'reopen', id, '--note', 'not mended']);
  });

  test('--sql prints what can be run as it is', async () => {
    for (const { id, kind } of exceptions) {
      const { exitCode, stdout } = await types(['exceptions', 'show', id, '--sql']);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(
        new RegExp(`^-- ${id.slice(0, 8)}: \\w+ findings, others of the same rows among them$`, 'm'),
      );
      for (const statement of stdout.split(/^-- [0-9a-f]{8}: .*$/m).slice(1))
        await expect(sql.unsafe(statement), kind).resolves.toBeDefined();
    }
  });

  test('one that is older than recon has no SQL, and says so', async () => {
    const [legacy] = await sql<{ id: string }[]>`
      insert into reconciliation_exceptions (report_id, last_report_id, check_type, kind, fingerprint, severity, description)
      select id, id, 'ledger', 'unclassified', 'ledger/legacy/1', 'low', 'of the first version'
      from reconciliation_reports limit 1
      returning id`;
    expect(await types(['exceptions', 'show', legacy!.id, '--sql'])).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: 'recon: no check of recon made this exception: it has no SQL\n',
    });
    const { stdout } = await types(['exceptions', 'show', legacy!.id]);
    expect(stdout).toContain('of the first version');
    expect(stdout).toMatch(
      /older than recon\. Once it is mended:\n {2}recon exceptions resolve [0-9a-f]{8} --by NAME --note TEXT\n$/,
    );
    const { stderr } = await types(['exceptions', 'resolve', legacy!.id, '--note', 'x']);
    expect(stderr).not.toContain('a run last looked');
  });

  test('where the host’s tables cannot be read the rest of the story is told, and why', async () => {
    await sql`alter table deposits rename to elsewhere`;
    const { exitCode, stdout } = await show('amount_mismatch');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^records\n {2}They could not be read: A table that this check reads does not exist: .*"deposits"/m,
    );
    expect(stdout).toContain('1250');
    expect(await show('amount_mismatch', '-o', 'json')).toMatchObject({ exitCode: 0 });
    await sql`alter table elsewhere rename to deposits`;
    await sql`alter table ledger_entries rename to elsewhere`;
    const drift = (await show('balance_drift')).stdout;
    expect(drift, 'not told is not none').toMatch(
      /\n {2}Whether one of the usual causes meets the difference could not be told\.\n {2}The records and /,
    );
    await sql`alter table elsewhere rename to ledger_entries`;
  });

  test('what stands in the host’s tables is text, however hostile, and a flood of it is cut off', async () => {
    const hostile = '\u001b]0;owned\u0007\u202e\r\n<script>';
    await sql`update deposits set status = ${hostile}`;
    await sql`update ledger_transactions set transaction_type = ${hostile}`;
    await sql`update reconciliation_exceptions
      set description = ${hostile + 'x'.repeat(1_048_576)}, metadata = ${sql.json({ [hostile]: [hostile.repeat(1000)] })}
      where id = ${exceptions.find(({ kind }) => kind === 'amount_mismatch')!.id}`;
    const { stdout } = await show('amount_mismatch');
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(stdout).toMatch(/x … \(1,048,\d\d\d characters\)$/m);
    expect(stdout.length).toBeLessThan(30_000);
    expect(JSON.parse((await show('amount_mismatch', '-o', 'json')).stdout)).toMatchObject({
      exception: { description: expect.stringMatching(/^\u001b/) as string },
    });
  });
});
