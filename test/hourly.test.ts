import type postgres from 'postgres';
import { describe, expect, test } from 'vitest';
import { databaseWithoutConstraints } from './support/database.ts';
import { debit, LedgerBuilder, type User } from './support/ledger.ts';
import { cutAt } from './support/run-check.ts';
import { sourceFolder } from './support/source-folder.ts';
import { operatorOf, withoutCustodians, type Operator, type RunDocument, type WorldOptions } from './support/world.ts';

/** Books that run on from hour to hour; hour 0 is the moment of the builder. */
interface Desk extends Operator {
  url: string;
  sql: postgres.Sql;
  ledger: LedgerBuilder;
  ada: User;
  /** Runs at that hour by both clocks: at hour 0 over everything; then hourly. */
  at: (hour: number, flags?: readonly string[], options?: WorldOptions) => Promise<Run>;
}

type Run = RunDocument & { exitCode: number };

function moment(hour: number): Date {
  return new Date(cutAt.getTime() + hour * 3_600_000);
}

/** Time in minutes before hour 0, as the builder wants it. */
const atHour = (hour: number) => ({ minutesAgo: -60 * hour });

/** As a daily run, but without the canary. */
const everything = ['--type', 'manual'];

/** With the checks that the test is about: each costs its part of every run. */
async function desk(checks = withoutCustodians): Promise<Desk> {
  const { url, sql } = await databaseWithoutConstraints();
  const ledger = new LedgerBuilder({ now: cutAt, seed: 11 });
  const ada = ledger.user();
  for (let count = 0; count < 5; count += 1) ledger.deposit(ada, '10', { minutesAgo: 600 });
  ledger.investment(ada, '3', { minutesAgo: 600 });
  await ledger.save(sql);
  const operator = operatorOf(url, { RECONCILIATION_CHECKS: checks });
  const at: Desk['at'] = (hour, flags = hour === 0 ? everything : ['--type', 'hourly'], options = {}) =>
    operator.runs(flags, { now: moment(hour), asOf: moment(hour), ...options });
  return { ...operator, url, sql, ledger, ada, at };
}

function checkOf(run: Run, name: string) {
  return run.checks.find(({ check_type: type }) => type === name)!;
}

function found(run: Run): string[] {
  return run.exceptions.map(({ kind, affected_entity: subject }) => `${kind}/${subject}`).sort();
}

async function verifiedThrough(sql: postgres.Sql, check = 'deposits'): Promise<Date | undefined> {
  const [row] = await sql<{ verified_through: Date }[]>`
    select verified_through from reconciliation_watermarks where check_type = ${check}`;
  return row?.verified_through;
}

describe('an hourly run', () => {
  test('looks at everything where nothing was verified, and then at what changed', async () => {
    const { sql, ledger, ada, at } = await desk();
    const first = await at(1);
    expect(checkOf(first, 'deposits').metadata).toMatchObject({
      coverage: 'everything',
      compared: 5,
      why_everything: 'nothing was verified before',
      verified_through: '2026-03-01T12:45:00Z',
    });

    ledger.deposit(ada, '7', atHour(1.5));
    await ledger.save(sql);
    const second = await at(2);
    expect(second.exitCode).toBe(0);
    expect(checkOf(second, 'deposits').metadata).toMatchObject({
      coverage: 'changes',
      compared: 1,
      verified_since: '2026-03-01T12:45:00Z',
      verified_through: '2026-03-01T13:45:00Z',
      proven_as_of: '2026-03-01T13:00:00Z',
    });
    expect(checkOf(second, 'ledger_consistency').metadata).toMatchObject({
      coverage: 'changes',
      compared: 1,
      details: { all: { accounts: 2 } },
    });
    expect(checkOf(second, 'withdrawals').metadata).toMatchObject({ coverage: 'changes', compared: 0 });
  });

  test('looks at the transaction that an entry which is known to name none names by now', async () => {
    const { sql, ledger, ada, at } = await desk('ledger_consistency,deposits');
    const [usdc, stash] = [ledger.account(ada, 'usdc_balance'), ledger.account(ada, 'stash_balance')];
    const { id, subject } = ledger.internalTransfer(ada, usdc, stash, '9', atHour(-10));
    const entry = ledger.entry(debit(stash, '7'), null, moment(-10));
    const deposit = ledger.deposit(ada, '40', atHour(-10));
    const loose = ledger.entry(debit(usdc, '40'), null, moment(-10));
    await ledger.save(sql);
    expect(found(await at(0))).toEqual([entry, loose].map((one) => `invalid_amount/entry:${one.id}`).sort());
    await sql`update ledger_entries set transaction_id = ${id} where id = ${entry.id}`;
    await sql`update ledger_entries set transaction_id = ${deposit.transaction!.id} where id = ${loose.id}`;
    const all = [subject, deposit.transaction!.subject].map((one) => `unbalanced_transaction/${one}`);
    expect(found(await at(1))).toEqual([`amount_mismatch/${deposit.subject}`, ...all].sort());
  });

  test('finds a posting that is older or younger than the window of its record', async () => {
    const { sql, ledger, ada, at } = await desk('deposits');
    const early = ledger.deposit(ada, '20', { ...atHour(0.5), post: false });
    ledger.postDeposit(ada, early.id, '20', { minutesAgo: 4000 });
    const old = ledger.deposit(ada, '30', { minutesAgo: 4000, status: 'pending' });
    await ledger.save(sql);
    await at(0);
    await sql`update deposits set status = 'completed', alpaca_funded_at = ${moment(0.5)} where id = ${old.id}`;
    ledger.postDeposit(ada, old.id, '30', atHour(0.5));
    await ledger.save(sql);
    expect(found(await at(1))).toEqual([]);
  });

  test('looks again at what was not final, however old', async () => {
    const { sql, ledger, ada, at } = await desk('ledger_consistency,deposits,withdrawals');
    const settles = ledger.deposit(ada, '20', { minutesAgo: 600, status: 'pending', post: false });
    const sticks = ledger.withdrawal(ada, '4', { minutesAgo: 60 * 70.5, status: 'processing', post: false });
    const lies = ledger.investment(ada, '2', { minutesAgo: 600 });
    lies.row.status = 'pending';
    await ledger.save(sql);
    await sql`delete from ledger_entries where transaction_id = ${lies.id}`;
    await sql`update ledger_accounts set balance = balance + case account_type when 'usdc_balance' then 2 else -2 end
      where user_id = ${ada.id}`;
    expect(found(await at(0))).toEqual([]);
    // neither leaves a time that a window could see
    await sql`update deposits set status = 'completed' where id = ${settles.id}`;
    await sql`update ledger_transactions set status = 'completed' where id = ${lies.id}`;
    expect(found(await at(1))).toEqual([`empty_transaction/${lies.subject}`, `missing_in_ledger/${settles.subject}`]);
    expect(found(await at(2))).toEqual([
      `empty_transaction/${lies.subject}`,
      `missing_in_ledger/${settles.subject}`,
      `stuck/${sticks.subject}`,
    ]);
  });

  test('looks again at every open exception, and clears it when it is mended', async () => {
    const { sql, ledger, ada, at } = await desk('ledger_consistency,deposits');
    const deposit = ledger.deposit(ada, '20', { minutesAgo: 4000, post: false });
    const orphan = ledger.postDeposit(ada, ledger.random.uuid(), '9', { minutesAgo: 4000 });
    await ledger.save(sql);
    const account = ledger.account(ada, 'usdc_balance');
    await sql`update ledger_accounts set balance = balance + 1 where id = ${account.id}`;
    const all = [
      `balance_drift/${account.subject}`,
      `missing_in_ledger/${deposit.subject}`,
      `missing_in_source/${orphan.subject}`,
    ];
    expect(found(await at(0))).toEqual(all);
    expect(found(await at(1))).toEqual(all);
    await sql`update ledger_accounts set balance = balance - 1 where id = ${account.id}`;
    await sql`update ledger_transactions set reference_id = ${deposit.id} where id = ${orphan.id}`;
    await sql`update deposits set amount = 9 where id = ${deposit.id}`;
    expect(found(await at(2))).toEqual([]);
    expect(await sql`select from reconciliation_exceptions where resolved_at is null`).toHaveLength(0);
  });

  test('holds the accounts with new entries against what they held before', async () => {
    const { sql, ledger, ada, at } = await desk('ledger_consistency');
    await at(0);
    const [usdc, usd] = [ledger.account(ada, 'usdc_balance'), ledger.account(ada, 'fiat_exposure')];
    ledger.investment(ada, '5', atHour(0.5));
    await ledger.save(sql);
    await sql`update ledger_accounts set balance = balance - 5 where id = ${usd.id}`; // a lost update
    const drift = [`balance_drift/${usd.subject}`];
    expect(found(await at(1))).toEqual(drift);
    expect(found(await at(2))).toEqual(drift);
    await sql`update ledger_accounts set balance = balance + 5 where id = ${usd.id}`;
    ledger.investment(ada, '6', atHour(2.5));
    await ledger.save(sql);
    expect(found(await at(3))).toEqual([]);
    // the account that nobody touched is looked at by the daily run
    ledger.deposit(ada, '1', atHour(3.5));
    await ledger.save(sql);
    await sql`update ledger_accounts set balance = balance + 1 where id in ${sql([usdc.id, usd.id])}`;
    expect(found(await at(4))).toEqual([`balance_drift/${usdc.subject}`]);
    expect(found(await at(5, everything))).toEqual(
      [`balance_drift/${usdc.subject}`, `balance_drift/${usd.subject}`].sort(),
    );
  });

  test('looks at an account with new entries whose id stands twice', async () => {
    const { sql, ledger, ada, at } = await desk('ledger_consistency');
    await at(0);
    const usdc = ledger.account(ada, 'usdc_balance');
    ledger.deposit(ada, '7', atHour(0.5));
    await ledger.save(sql);
    await sql`insert into ledger_accounts select * from ledger_accounts where id = ${usdc.id}`;
    await sql`update ledger_accounts set balance = balance + 500 where id = ${usdc.id}`;
    const hourly = found(await at(1));
    expect(hourly).toHaveLength(1);
    expect(hourly).toEqual(found(await at(1, [...everything, '--dry-run'])));
  });

  test('that sees no other change leaves what is old and edited to the next daily run', async () => {
    const { sql, ledger, ada, at } = await desk('ledger_consistency,deposits');
    const [edited, deleted] = [ledger.deposit(ada, '20', { minutesAgo: 4000 }), ledger.deposit(ada, '21')];
    await ledger.save(sql);
    await at(0);
    const backdated = ledger.deposit(ada, '22', { minutesAgo: 4000, post: false });
    await ledger.save(sql);
    await sql`update deposits set amount = 19 where id = ${edited.id}`;
    await sql`delete from ledger_entries where transaction_id = ${deleted.transaction!.id} and entry_type = 'debit'`;
    expect(found(await at(1))).toEqual([]);
    const { exceptions } = await at(2, everything);
    expect(exceptions.map(({ affected_entity: subject }) => subject)).toEqual(
      expect.arrayContaining([edited.subject, backdated.subject, deleted.transaction!.subject]),
    );
  });

  test('tells the checks of the records what a transaction books that was pending', async () => {
    const { sql, ledger, ada, at } = await desk('deposits');
    const failed = ledger.deposit(ada, '20', { minutesAgo: 600, status: 'failed', post: false });
    const good = ledger.deposit(ada, '30', { minutesAgo: 600 });
    const postings = [failed.id, good.id, ledger.random.uuid()].map((id) =>
      ledger.postDeposit(ada, id, id === failed.id ? '20' : '30', { minutesAgo: 60 }),
    );
    for (const { row } of postings) row.status = 'pending';
    await ledger.save(sql);
    await at(0);
    await sql`update ledger_transactions set status = 'completed' where status = 'pending'`;
    const all = [
      `duplicate_posting/${good.subject}`,
      `missing_in_source/${postings[2]!.subject}`,
      `posted_for_failed/${failed.subject}`,
    ];
    expect(found(await at(1))).toEqual(all);
    expect(found(await at(2))).toEqual(all);
  });

  test('knows the family of a reversal that names an order', async () => {
    const { sql, ledger, ada, at } = await desk('ledger_consistency');
    const investment = ledger.investment(ada, '2', { minutesAgo: 600 });
    const [usdc, stash] = [ledger.account(ada, 'usdc_balance'), ledger.account(ada, 'stash_balance')];
    const transfer = ledger.internalTransfer(ada, usdc, stash, '1', { minutesAgo: 600 });
    Object.assign(transfer.row, { reference_id: ledger.random.uuid(), reference_type: 'order' });
    await ledger.save(sql);
    await at(0);
    for (const original of [investment, transfer]) {
      const reference = { reference_id: original.row.reference_id, reference_type: 'order' };
      Object.assign(ledger.reversal(original, atHour(0.5)).row, reference);
    }
    await ledger.save(sql);
    await sql`update ledger_transactions set status = 'reversed' where id = ${investment.id}`;
    const broken = [`broken_reversal/${transfer.subject}`]; // mirrored, but left completed
    expect(found(await at(1))).toEqual(broken);
    expect(found(await at(2, everything))).toEqual(broken);
  });

  test('proves nothing, and clears nothing, where most of what was open is gone', async () => {
    const { sql, ledger, ada, at } = await desk('deposits');
    for (let count = 0; count < 3; count += 1) ledger.deposit(ada, '50', { minutesAgo: 600, post: false });
    ledger.deposit(ada, '1', { minutesAgo: 600, status: 'pending', post: false });
    await ledger.save(sql);
    expect(found(await at(0))).toHaveLength(3);
    await sql`delete from deposits`;
    const emptied = await at(1);
    expect(emptied.exitCode).toBe(3);
    expect(checkOf(emptied, 'deposits')['error_message']).toContain(
      'Only 0 records where the last complete run compared 9',
    );
    expect(await sql`select from reconciliation_exceptions where resolved_at is null`).toHaveLength(3);
  });

  test('does not believe a table without rows, nor a ledger of which little is left', async () => {
    const { sql, ledger, ada, at } = await desk('ledger_consistency,deposits');
    const [usdc, stash] = [ledger.account(ada, 'usdc_balance'), ledger.account(ada, 'stash_balance')];
    const transfer = ledger.internalTransfer(ada, usdc, stash, '90', atHour(-10)); // more than she has
    const orphan = ledger.postDeposit(ada, ledger.random.uuid(), '9', atHour(-10));
    for (let count = 0; count < 2; count += 1) {
      ledger.deposit(ada, '1', { ...atHour(-10), status: 'pending', post: false });
      ledger.transaction({ type: 'internal_transfer', user: ada, entries: [], ...atHour(-10) }).row.status = 'pending';
    }
    await ledger.save(sql);
    expect(found(await at(0))).toEqual([`missing_in_source/${orphan.subject}`, `negative_balance/${usdc.subject}`]);
    const tables = ['deposits', 'ledger_transactions', 'ledger_entries', 'ledger_accounts'] as const;
    for (const table of tables) await sql`create table ${sql(`kept_${table}`)} as table ${sql(table)}`;
    const hourAfter = async (loss: () => Promise<unknown>) => {
      await loss();
      const run = await at(1, ['--type', 'hourly', '--dry-run']);
      for (const table of tables)
        await sql`with gone as (delete from ${sql(table)}) insert into ${sql(table)} table ${sql(`kept_${table}`)}`;
      return run;
    };

    const withoutDeposits = await hourAfter(() => sql`truncate deposits`);
    expect(checkOf(withoutDeposits, 'deposits')['error_message']).toContain(
      'Only 0 records where the last complete run compared 7',
    );
    const [tooFew, all] = ['where the last complete run compared 10', { coverage: 'everything' }];
    const withoutLedger = await hourAfter(
      () => sql`truncate deposits, ledger_transactions, ledger_entries, ledger_accounts`,
    );
    expect(checkOf(withoutLedger, 'ledger_consistency')['error_message']).toContain(`Only 0 records ${tooFew}`);
    expect(checkOf(withoutLedger, 'deposits')['status']).toBe('failed');
    const withoutTransactions = await hourAfter(() => sql`truncate ledger_transactions`);
    expect(checkOf(withoutTransactions, 'deposits').metadata).toMatchObject(all);
    for (const table of ['ledger_entries', 'ledger_accounts'])
      expect(checkOf(await hourAfter(() => sql`truncate ${sql(table)}`), 'ledger_consistency').metadata).toMatchObject(
        all,
      );
    const cut = await hourAfter(async () => {
      await sql`delete from ledger_transactions where id <> ${transfer.id}`;
      await sql`insert into ledger_accounts select * from ledger_accounts where id = ${usdc.id}`; // still one of three
    });
    expect(checkOf(cut, 'ledger_consistency')['error_message']).toContain(`Only 1 record ${tooFew}`);
    const bothCut = await hourAfter(async () => {
      await sql`delete from ledger_transactions where id = ${orphan.id}`;
      await sql`delete from deposits where id <> (select min(id::text)::uuid from deposits where status <> 'pending')`;
      await sql`
        insert into ledger_transactions select * from ledger_transactions where status = 'pending' order by id limit 1`;
    });
    expect(checkOf(bothCut, 'deposits')['error_message']).toContain('Only 1 record where the last');
    expect(checkOf(bothCut, 'ledger_consistency').metadata).toMatchObject({ coverage: 'changes' });
    const accountLeft = await hourAfter(
      () => sql`
        delete from ledger_transactions
        where id <> (select min(id::text)::uuid from ledger_transactions where status = 'pending')`,
    );
    expect(checkOf(accountLeft, 'ledger_consistency').metadata, 'two of three').toMatchObject({ coverage: 'changes' });
  });

  test('does not stumble over an exception that was adopted and names no id', async () => {
    const { sql, at } = await desk('deposits');
    const { report } = await at(0);
    await sql`
      insert into reconciliation_exceptions (
        report_id, last_report_id, check_type, kind, fingerprint, severity, description, affected_entity
      )
      values (
        ${report.id}, ${report.id}, 'deposits', 'unclassified', 'deposits/legacy/1', 'low', 'old', 'deposit:12345'
      )`;
    for (const hour of [1, 2]) expect((await at(hour)).exitCode).toBe(0);
    expect((await at(3, everything)).exitCode).toBe(0);
  });
});

describe('verified_through', () => {
  test('stays a quarter of an hour behind: a commit that comes so late is seen', async () => {
    const { sql, ledger, ada, at } = await desk('deposits');
    await at(0);
    const late = ledger.deposit(ada, '20', { minutesAgo: 14.9, post: false });
    await ledger.save(sql);
    expect(found(await at(1))).toEqual([`missing_in_ledger/${late.subject}`]);
  });

  test('stays behind the oldest open transaction, also one whose session PgBouncer left the name of recon', async () => {
    const { url, sql, ledger, ada, at } = await desk('deposits');
    const [deposit] = [ledger.deposit(ada, '20', { post: false })];
    // the clock of the cut is ahead of the database's, as if the transaction had been open for hours
    const [{ now }] = await sql<[{ now: Date }]>`select now() as now`;
    const ahead = (hours: number) => new Date(now.getTime() + hours * 3_600_000);
    const run = (type: string, hours: number) => at(0, ['--type', type], { now: ahead(hours), asOf: ahead(hours) });
    const other = (await import('postgres')).default(url, { max: 1, connection: { application_name: 'recon' } });
    try {
      await other.begin(async (transaction) => {
        await transaction`select now()`;
        expect(checkOf(await run('manual', 3), 'deposits').metadata['held_back']).toMatch(
          /^a transaction is open since 2\d{3}-/,
        );
        expect((await verifiedThrough(sql))!.getTime()).toBeLessThan(now.getTime());
        await ledger.save(transaction);
        await transaction`update deposits set created_at = now(), alpaca_funded_at = now() where id = ${deposit.id}`;
      });
      expect(found(await run('hourly', 4))).toEqual([`missing_in_ledger/${deposit.subject}`]);
      expect(await verifiedThrough(sql)).toEqual(new Date(ahead(4).getTime() - 15 * 60_000));
    } finally {
      await other.end();
    }
  });

  test('stays an hour behind where others’ transactions cannot be seen', async () => {
    const { url, sql, at } = await desk('deposits');
    const role = `recon_blind_${Math.random().toString(36).slice(2)}`;
    await at(0);
    await sql.unsafe(`create role ${role} login password 'blind'; grant all on all tables in schema public to ${role}`);
    try {
      const blind = new URL(url);
      [blind.username, blind.password] = [role, 'blind'];
      await sql.begin(async (transaction) => {
        await transaction`select 1`;
        const run = await at(2, ['--type', 'hourly'], { env: { DATABASE_URL: blind.href } });
        expect(checkOf(run, 'deposits').metadata).toMatchObject({
          held_back: 'the transactions of others are hidden from this role',
        });
      });
      expect(await verifiedThrough(sql)).toEqual(moment(1));
    } finally {
      await sql.unsafe(`drop owned by ${role}; drop role ${role}`);
    }
  });

  test('does not move on a run that was killed, was incomplete, or was narrowed', async () => {
    const { sql, ledger, ada, at } = await desk('deposits,withdrawals');
    await at(0);
    const fault = ledger.deposit(ada, '20', { ...atHour(0.5), post: false });
    await ledger.save(sql);
    const before = await verifiedThrough(sql);

    const mapping = await sourceFolder({ deposits: () => 'select * from nowhere' });
    const incomplete = await at(1, ['--type', 'hourly'], { env: { RECONCILIATION_SOURCE: mapping } });
    expect(incomplete.exitCode).toBe(78);
    expect(await verifiedThrough(sql), 'incomplete').toEqual(before);
    expect(await verifiedThrough(sql, 'withdrawals')).not.toEqual(before);

    await sql`delete from reconciliation_watermarks where check_type = 'withdrawals'`;
    for (const flags of [
      ['--user', ada.id],
      ['--dry-run', '--type', 'hourly'],
      ['--check', 'withdrawals'],
    ]) {
      await at(1.2, flags);
      expect(await verifiedThrough(sql), flags.join(' ')).toEqual(before);
    }

    await sql`
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no space left'; end $$`;
    await sql`
      create trigger refuse before insert or update on reconciliation_watermarks
      for each row execute function refuse()`;
    await expect(at(1.5)).rejects.toThrow('no space left');
    await sql`drop function refuse cascade`;
    expect(await verifiedThrough(sql), 'killed').toEqual(before);
    expect(
      await sql`select from reconciliation_exceptions where affected_entity = ${fault.subject}
      and report_id in (select id from reconciliation_reports where run_type = 'hourly')`,
    ).toHaveLength(0);

    expect(found(await at(2))).toEqual([`missing_in_ledger/${fault.subject}`]);
  });

  test.each([
    ['knows of more transactions than the database', 'transactions = transactions + 1000000'],
    ['is of another database, or of before a replica took over', `history = '1 ' || history`],
  ])('that %s is not gone by: everything is looked at', async (_name, change) => {
    const { sql, ledger, ada, at } = await desk('deposits');
    await at(0);
    const old = ledger.deposit(ada, '20', { minutesAgo: 4000, post: false });
    await ledger.save(sql);
    await sql.unsafe(`update reconciliation_watermarks set ${change}`);
    const first = await at(1);
    expect(checkOf(first, 'deposits').metadata).toMatchObject({
      coverage: 'everything',
      why_everything: 'the database was restored to an earlier moment, or another took its place',
    });
    expect(found(first)).toEqual([`missing_in_ledger/${old.subject}`]);
    expect(checkOf(await at(2), 'deposits').metadata).toMatchObject({ coverage: 'changes' });
  });

  test('is not gone by when a clock jumped, ahead or back', async () => {
    const { sql, ledger, ada, at, types } = await desk('deposits');
    await at(0);
    // the database's clock is three hours ahead for one run, and what comes meanwhile is put right again
    const apart = { now: moment(1), asOf: moment(4), env: { LOG_LEVEL: 'warn' } };
    const { exitCode, stderr } = await types(['run', '--type', 'hourly'], apart);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('the clock where the checks read is 10800 s ahead of this machine’s: set both by NTP');
    const skipped = ledger.deposit(ada, '20', { ...atHour(1.1), post: false });
    await ledger.save(sql);
    const back = await at(5);
    expect(checkOf(back, 'deposits').metadata).toMatchObject({
      coverage: 'everything',
      why_everything: 'a clock jumped since the last run',
    });
    expect(found(back)).toEqual([`missing_in_ledger/${skipped.subject}`]);

    const backwards = await at(3);
    expect(checkOf(backwards, 'deposits').metadata).toMatchObject({ coverage: 'everything' });
    expect(await verifiedThrough(sql)).toEqual(moment(2.75));
  });

  test('belongs to one mapping: through another one everything is looked at', async () => {
    const { at } = await desk('deposits');
    await at(0);
    const env = { RECONCILIATION_SOURCE: await sourceFolder({ deposits: (original) => `${original}-- edited\n` }) };
    const other = await at(1, ['--type', 'hourly'], { env });
    expect(checkOf(other, 'deposits').metadata).toMatchObject({
      coverage: 'everything',
      why_everything: 'the mapping or the rules have changed',
    });
    expect(checkOf(await at(2, ['--type', 'hourly'], { env }), 'deposits').metadata).toMatchObject({
      coverage: 'changes',
    });
  });
});
