import { describe, expect, test } from 'vitest';
import { idFrom } from './support/circle-sandbox.ts';
import { detailsOf, fillLook, scene } from './support/custody-scene.ts';
import { credit, debit } from './support/ledger.ts';
import { changedJson, type Fault } from './support/sandbox-server.ts';

const bulk = /^\/v1\/w3s\/developer\/wallets\/balances\?/;
const direct = /^\/v1\/w3s\/wallets\/[^/]+\/balances\?/;
const account = /^\/v1\/trading\/accounts\//;

describe('the cut', () => {
  test('is bracketed where nothing moved', async () => {
    const { runs } = await scene('circle_balance,alpaca_balance');
    const document = await runs();
    expect(document.exitCode).toBe(0);
    for (const { metadata } of document.checks)
      expect(metadata['details']).toMatchObject({
        cut: { bracketed: true, rounds: 0, moved: 0, books_at: '2026-03-01T12:00:00Z' },
        unexplained: '0',
      });
  });

  test('what moved at Circle is read again, together with the books', async () => {
    const { runs, circle, ada, booksSay } = await scene('circle_balance');
    await booksSay('150');
    circle.faults.push(andThen({ path: bulk, times: 1 }, () => void circle.move(ada.walletId, '50')));
    const document = await runs();
    expect(document).toMatchObject({ exitCode: 0, checks: [{ actual_value: '150', difference: '0' }] });
    expect(detailsOf(document).cut).toMatchObject({
      bracketed: true,
      rounds: 1,
      moved: 1,
      moved_first: [{ of: 'transaction', external_id: ada.walletId, state: 'COMPLETE' }],
    });
  });

  test('a transfer that is old may be booked in between', async () => {
    const { runs, circle, ada, booksSay } = await scene('circle_balance');
    const old = circle.move(ada.walletId, '-60', 'STUCK');
    old.createDate = '2026-02-01T00:00:00Z';
    await booksSay('40');
    circle.faults.push(
      andThen({ path: bulk, times: 1 }, () => {
        circle.book(old);
      }),
    );
    const document = await runs();
    expect(document).toMatchObject({ exitCode: 0, checks: [{ actual_value: '40' }] });
    expect(detailsOf(document).cut).toMatchObject({ bracketed: true, moved_first: [{ id: old.id }] });
  });

  test('what moved at Alpaca is read again: an activity carries a day only', async () => {
    const { runs, alpaca, ada } = await scene('alpaca_balance');
    alpaca.move(ada.alpacaAccountId, '-500');
    alpaca.faults.push(andThen({ path: account, times: 1 }, () => void alpaca.move(ada.alpacaAccountId, '500')));
    const document = await runs();
    expect(document).toMatchObject({ exitCode: 0, checks: [{ actual_value: '500' }] });
    expect(detailsOf(document).cut).toMatchObject({ bracketed: true, moved_first: [{ of: 'activity' }] });
  });

  test('that cannot be closed proves nothing, and says where money kept moving', async () => {
    const { runs, circle, ada } = await scene('circle_balance');
    const moveOn = () => void circle.move(ada.walletId, '1');
    circle.faults.push(andThen({ path: bulk }, moveOn), andThen({ path: direct }, moveOn));
    const document = await runs();
    expect(document).toMatchObject({ exitCode: 3, checks: [{ status: 'failed', expected_value: null }] });
    expect(document.checks[0]!['error_message']).toMatch(
      new RegExp(
        `^Money kept moving at Circle while it was read, and read again 10 times: last at ${ada.walletId} \\(transaction [^)]+\\)\\. The two sides`,
      ),
    );
    expect(detailsOf(document).cut).toMatchObject({ bracketed: false, rounds: 10 });
  });
});

describe('a mismatch', () => {
  test('that only one reading shows is no exception', async () => {
    const { runs, circle } = await scene('circle_balance');
    circle.faults.push(changedBalance({ path: bulk, times: 1 }, '40'));
    const document = await runs();
    expect(document).toMatchObject({ exitCode: 0, exceptions: [] });
    expect(detailsOf(document)).toMatchObject({ first_difference: '-60', unexplained: '0', cut: { rounds: 1 } });
  });

  test('of what is on its way is none before its account was read again', async () => {
    const { runs, alpaca, ledger, sql, ada } = await scene('alpaca_balance');
    ledger.investment(ada, '250', { minutesAgo: 1 });
    await ledger.save(sql);
    alpaca.journal(ada.alpacaAccountId, '250');
    const early = changedJson({ path: account, times: 1 }, (body: object) => ({ ...body, buying_power: '550' }));
    alpaca.faults.push({ ...early, path: new RegExp(`trading/accounts/${ada.alpacaAccountId}`) });
    const document = await runs();
    expect(document).toMatchObject({ exitCode: 0, checks: [{ difference: '-250' }] });
    expect(detailsOf(document)).toMatchObject({ first_difference: '0', unexplained: '0', cut: { rounds: 1 } });
  });

  test('that both readings show is one', async () => {
    const { runs, circle, booksSay } = await scene('circle_balance');
    await booksSay('110.01');
    const document = await runs();
    expect(document).toMatchObject({ exitCode: 2, exceptions: [{ difference: '-10.01' }] });
    expect(detailsOf(document)).toMatchObject({ first_difference: '-10.01', cut: { rounds: 1, bracketed: true } });
    expect(circle.log.filter((line) => bulk.test(line.replace('GET ', '')))).toHaveLength(2);
  });

  test('names the users whose part disagrees, the largest first, and reads only theirs again', async () => {
    const { runs, types, alpaca, ada, bob } = await scene('alpaca_balance');
    alpaca.accounts.get(ada.alpacaAccountId)!.buying_power = '300.5';
    alpaca.accounts.get(bob.alpacaAccountId)!.buying_power = '90';
    const document = await runs();
    expect(document).toMatchObject({ exitCode: 2, exceptions: [{ difference: '-109.5' }] });
    expect(detailsOf(document).users?.largest).toMatchObject([
      { user_id: bob.id, difference: '-110', external_ids: [bob.alpacaAccountId] },
      { user_id: ada.id, difference: '0.5' },
    ]);
    const asked = (id: string) => alpaca.log.filter((line) => line.includes(`/trading/accounts/${id}`)).length;
    expect([asked(ada.alpacaAccountId), asked(bob.alpacaAccountId)]).toEqual([1, 2]);
    const { stdout } = await types(['exceptions', 'show', document.exceptions[0]!.id]);
    expect(stdout).toMatch(
      / cut +bracketed: read from 2026-03-0\S+ \S+ \S+, books of 2026-03-0\S+ \S+ \S+, \d+ ms apart; 0 moved/,
    );
    expect(stdout).toMatch(new RegExp(` by user +${bob.id}: expected 200, actual 90, difference -110 USD\n`));
  });

  test('is explained by what is in flight, item by item; the rest is told', async () => {
    const { runs, types, circle, ledger, sql, ada, bob, booksSay } = await scene('circle_balance');
    const buffer = ledger.systemAccount('system_buffer_usdc');
    const entries = [debit(ledger.account(ada, 'usdc_balance'), '30'), credit(buffer, '30')];
    ledger.transaction({ type: 'withdrawal', user: ada, status: 'pending', minutesAgo: 2, entries });
    await ledger.save(sql);
    const sent = circle.move(ada.walletId, '-30', 'SENT');
    const arrived = circle.move(bob.walletId, '25.5', 'CONFIRMED');
    await booksSay('70');
    const passed = await runs();
    expect(passed).toMatchObject({ exitCode: 0, checks: [{ difference: '55.5' }] });
    expect(detailsOf(passed)).toMatchObject({ unexplained: '0', in_flight: { count: 2, explains: '55.5' } });

    await booksSay('58');
    const document = await runs();
    expect(document).toMatchObject({ exitCode: 2, exceptions: [{ difference: '67.5' }] });
    const { stdout } = await types(['exceptions', 'show', document.exceptions[0]!.id]);
    const lines = stdout.replace(/ +/g, ' ').split('\n');
    expect(lines).toContain(' in flight 2 items, explaining 55.5 USDC');
    expect(lines).toContain(` transaction ${sent.id} SENT at ${ada.walletId}: -30 USDC, explains 30 USDC`);
    expect(lines).toContain(` transaction ${arrived.id} CONFIRMED at ${bob.walletId}: 25.5 USDC, explains 25.5 USDC`);
    expect(lines).toContain(' unexplained 12 USDC');
  });
});

test('what ends at Circle between the question for the past and the next look is asked for again', async () => {
  const here = await scene('circle_balance');
  const { runs, circle, ledger, sql, ada, booksSay } = here;
  const buffer = ledger.systemAccount('system_buffer_usdc');
  const entries = [debit(ledger.account(ada, 'usdc_balance'), '60'), credit(buffer, '60')];
  ledger.transaction({ type: 'withdrawal', user: ada, status: 'pending', minutesAgo: 300, entries });
  await ledger.save(sql);
  await booksSay('40');
  const old = circle.move(ada.walletId, '-60', 'SENT');
  old.createDate = '2026-03-01T07:00:00Z';
  fillLook(here, '2026-03-01T09:30:00Z');
  circle.faults.push(
    changedBalance({ path: bulk, times: 1 }, '70'),
    andThen({ path: /transactions\?.*from=/, times: 1 }, () => {
      circle.book(old);
    }),
  );
  const document = await runs();
  expect(document).toMatchObject({ exitCode: 0, checks: [{ actual_value: '40', difference: '0' }] });
  expect(detailsOf(document)).toMatchObject({ first_difference: '30', unexplained: '0', in_flight: { explains: '0' } });
});

describe('a second answer proves nothing', () => {
  test('that is older than the first', async () => {
    const { runs, circle, ada, booksSay } = await scene('circle_balance');
    await booksSay('500');
    circle.faults.push(changedBalance({ path: bulk, skip: 1 }, '100', '2026-11-20T00:00:00Z'));
    const document = await runs();
    expect(document.exitCode).toBe(3);
    expect(document.checks[0]!['error_message']).toBe(
      `Circle could not be read: the second answer about ${ada.walletId} is older than the first.`,
    );
  });

  test('that leaves out a wallet, though the books know nothing of it', async () => {
    const { runs, circle, booksSay } = await scene('circle_balance');
    const treasury = circle.add({ id: idFrom('treasury'), blockchain: 'BASE-SEPOLIA', usdc: '25' });
    await booksSay('500');
    circle.faults.push({
      path: /\/wallets\?/,
      skip: 1,
      respond: (real) => {
        circle.wallets.delete(treasury.id);
        return real();
      },
    });
    const document = await runs();
    expect(document.exitCode).toBe(3);
    expect(document.checks[0]!['error_message']).toBe(
      `Circle could not be read: the second reading leaves out ${treasury.id}, which the first had.`,
    );
  });

  test('of less than there should be, if wallets that the books know are not listed', async () => {
    const { runs, circle, bob, booksSay } = await scene('circle_balance');
    circle.wallets.delete(bob.walletId);
    expect(await runs()).toMatchObject({ exitCode: 0 });
    await booksSay('111');
    const document = await runs();
    expect(document.exitCode).toBe(3);
    expect(document.checks[0]!['error_message']).toContain(`does not list ${bob.walletId}, which the books know`);
    const excluded = await runs([], { env: { RECONCILIATION_CIRCLE_EXCLUDE: bob.walletId } });
    expect(excluded).toMatchObject({ exitCode: 2 });
  });
});

/** The real answer, and right after it something happens. */
function andThen(where: Pick<Fault, 'path' | 'times'>, happen: () => void): Fault {
  return {
    ...where,
    respond: (real) => {
      const answer = real();
      happen();
      return answer;
    },
  };
}

/** The first wallet shows another amount. */
function changedBalance(where: Parameters<typeof changedJson>[0], amount: string, updateDate?: string) {
  interface Body {
    data: { wallets: { tokenBalances: { amount: string; updateDate: string }[] }[] };
  }
  return changedJson(where, ({ data }: Body) => {
    const balance = data.wallets
      .flatMap(({ tokenBalances }) => tokenBalances)
      .find(({ amount: held }) => held !== '0')!;
    balance.amount = amount;
    if (updateDate) balance.updateDate = updateDate;
  });
}

test('a user with money who was deleted is told by run and status, until somebody has the account again', async () => {
  const { runs, types, sql, ada } = await scene('alpaca_balance');
  const told = `alpaca_balance: users with money there by the books, but no account of their own: 1, together 300 USD (${ada.id}); recon doctor says what to do\n`;
  await sql`update users set alpaca_account_id = null where id = ${ada.id}`;
  expect(await runs()).toMatchObject({
    exitCode: 0,
    checks: [{ metadata: { details: { without_account: { count: 1, amount: '300' } } } }],
  });
  expect((await types(['reports', 'show', 'latest'])).stdout).toContain(told);
  expect((await types(['status'])).stdout).toContain(told);
  await sql`update users set alpaca_account_id = ${ada.alpacaAccountId} where id = ${ada.id}`;
  await runs();
  expect((await types(['status'])).stdout).not.toContain('users with money');
});
