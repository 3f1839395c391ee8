import { expect, test } from 'vitest';
import { query } from '../../src/database/database.ts';
import { knownUser } from '../../src/run/known-user.ts';
import { bind, compose, type Params } from '../../src/source.ts';
import { faultyHost, identity, withBooks, type Books } from '../support/scenario.ts';
import { inCut, runCheck, searchAll } from '../support/run-check.ts';

const host = await faultyHost();

const found = async ({ sql }: Books, params: Partial<Params>) =>
  (await searchAll(sql, { params })).map(identity).sort();
const minutesAgo = ({ ledger }: Books, minutes: number) => ledger.minutesAgo(minutes).toISOString();

test('a window has its first moment and not its last', async () => {
  await withBooks(host, async (books) => {
    const { ledger, ada, save } = books;
    const faults = [120, 90, 60].map((minutes) => ledger.deposit(ada, '5', { post: false, minutesAgo: minutes }));
    await save();
    const [first, second, third] = faults.map(({ subject }) => `deposits/missing_in_ledger/${subject}`);
    const [since, middle, until] = [120, 90, 60].map((minutes) => minutesAgo(books, minutes));
    expect(await found(books, {})).toEqual([first, second, third].sort());
    expect(await found(books, { since: since!, until: until! })).toEqual([first, second].sort());
    expect(await found(books, { since: middle! })).toEqual([second, third].sort());
    expect(await found(books, { until: middle! })).toEqual([first]);
  });
});

test('a record is looked for by when it settled, its posting everywhere', async () => {
  await withBooks(host, async (books) => {
    const { ledger, ada, save } = books;
    const early = ledger.deposit(ada, '5', { post: false, minutesAgo: 60 });
    ledger.postDeposit(ada, early.id, '5', { minutesAgo: 600 });
    await save();
    expect(await found(books, { since: minutesAgo(books, 61), until: minutesAgo(books, 59) })).toEqual([]);
    expect(await found(books, { since: minutesAgo(books, 601), until: minutesAgo(books, 599) })).toEqual([]);
  });
});

test('a posting without a record, a transaction and a loose entry are looked for by when they were written', async () => {
  await withBooks(host, async (books) => {
    const { ledger, ada, sql, save } = books;
    const posting = ledger.postDeposit(ada, ledger.random.uuid(), '5', { minutesAgo: 90 });
    const empty = ledger.transaction({ type: 'internal_transfer', user: ada, minutesAgo: 90, entries: [] });
    const loose = ledger.entry(
      { entry_type: 'debit', account: ledger.account(ada, 'stash_balance'), amount: '0', currency: 'USDC' },
      null,
      ledger.minutesAgo(90),
    );
    await save();
    const all = [
      `deposits/missing_in_source/${posting.subject}`,
      `ledger_consistency/empty_transaction/${empty.subject}`,
      `ledger_consistency/invalid_amount/entry:${loose.id}`,
    ].sort();
    expect(await found(books, { since: minutesAgo(books, 90), until: minutesAgo(books, 89) })).toEqual(all);
    expect(await found(books, { since: minutesAgo(books, 91), until: minutesAgo(books, 90) })).toEqual([]);
    expect(await found(books, { user_id: ada.id })).toEqual(all);
    expect(await found(books, { user_id: books.bob.id })).toEqual([]);
    const { totals, compared } = await runCheck(sql, 'deposits', {
      params: { since: minutesAgo(books, 90), until: minutesAgo(books, 89) },
    });
    expect(compared).toBe(0);
    expect(totals).toMatchObject([{ currency: 'USDC', expected: '0', actual: '5' }]);
  });
});

test('an account is looked at if it was touched in the window', async () => {
  await withBooks(host, async (books) => {
    const { ledger, ada, sql, save } = books;
    const { id, subject } = ledger.account(ada, 'pending_investment');
    ledger.internalTransfer(ada, ledger.account(ada, 'usdc_balance'), ledger.account(ada, 'pending_investment'), '5', {
      minutesAgo: 90,
    });
    await save();
    await sql`update ledger_accounts set balance = balance + 1 where id = ${id}`;
    const drift = [`ledger_consistency/balance_drift/${subject}`];
    expect(await found(books, { since: minutesAgo(books, 90), until: minutesAgo(books, 89) })).toEqual(drift);
    expect(await found(books, { since: minutesAgo(books, 89), until: minutesAgo(books, 88) })).toEqual([]);
    expect(await found(books, { user_id: ada.id })).toEqual(drift);
    expect(await found(books, { user_id: books.bob.id })).toEqual([]);
  });
});

test('a user’s run sees the user’s records only, wherever they are booked', async () => {
  await withBooks(host, async (books) => {
    const { ledger, ada, bob, sql, save } = books;
    const astray = ledger.withdrawal(ada, '5', { postedTo: bob });
    await save();
    expect(await found(books, { user_id: ada.id })).toEqual([`withdrawals/wrong_account/${astray.subject}`]);
    expect(await found(books, { user_id: bob.id })).toEqual([]);
    const { compared } = await runCheck(sql, 'withdrawals', { params: { user_id: ada.id } });
    expect(compared).toBe(2);
  });
});

test('a user is known by any one thing that is theirs, and by nothing of others', async () => {
  await withBooks(host, async ({ ledger, sql, save }) => {
    const stranger = () => ({ id: ledger.random.uuid(), walletId: '', alpacaAccountId: '' });
    const [holder, depositor, recipient, booked, nobody] = [1, 2, 3, 4, 5].map(stranger);
    const signedUp = ledger.user(); // has a wallet at Circle and an account at Alpaca
    ledger.account(holder!, 'usdc_balance');
    ledger.deposit(depositor!, '5', { post: false });
    ledger.withdrawal(recipient!, '5', { post: false });
    ledger.transaction({ type: 'internal_transfer', user: booked!, entries: [] });
    await save();
    const isKnown = ({ id }: { id: string }) =>
      inCut(sql, 'deposits', { params: { user_id: id } }, async ({ transaction, source, params }) =>
        query(transaction, compose(source, knownUser), bind(params)),
      );
    for (const user of [holder!, signedUp, depositor!, recipient!, booked!])
      expect(await isKnown(user)).toEqual([{ known: true }]);
    expect(await isKnown(nobody!)).toEqual([{ known: false }]);
  });
});
