import { expect, test } from 'vitest';
import type { SandboxTransfer } from './support/alpaca-sandbox.ts';
import { idFrom } from './support/circle-sandbox.ts';
import { detailsOf, fillLook, scene, type Scene } from './support/custody-scene.ts';
import { credit, debit } from './support/ledger.ts';
import { cutAt } from './support/run-check.ts';

function minutesAgo(minutes: number): string {
  return new Date(cutAt.getTime() - 60_000 * minutes).toISOString();
}

/** Pays Ada out of what Circle holds, in the books only. */
async function payOut({ ledger, sql, ada }: Scene, amount: string, status: string, age: number): Promise<string> {
  const entries = [
    debit(ledger.account(ada, 'usdc_balance'), amount),
    credit(ledger.systemAccount('system_buffer_usdc'), amount),
  ];
  const { id } = ledger.transaction({ type: 'withdrawal', user: ada, status, minutesAgo: age, entries });
  await ledger.save(sql);
  return id;
}

/** Books that she deposited that. */
async function receive({ ledger, sql, ada }: Scene, amount: string, status: string, age: number): Promise<void> {
  const entries = [
    debit(ledger.systemAccount('system_buffer_usdc'), amount),
    credit(ledger.account(ada, 'usdc_balance'), amount),
  ];
  ledger.transaction({ type: 'deposit', user: ada, status, minutesAgo: age, entries });
  await ledger.save(sql);
}

test('what is final at Circle and not in the books yet is on its way for the grace period, and missing after it', async () => {
  const { runs, circle, ada } = await scene('circle_balance');
  const received = circle.move(ada.walletId, '500');
  received.updateDate = minutesAgo(4.9);
  const awaited = await runs();
  expect(awaited).toMatchObject({ exitCode: 0, checks: [{ difference: '500', metadata: { awaited: 1 } }] });
  expect(detailsOf(awaited)).toMatchObject({
    unexplained: '0',
    in_flight: { count: 1, items: [{ id: received.id, state: 'COMPLETE', explains: '500' }] },
    cut: { rounds: 0 },
  });
  received.updateDate = minutesAgo(5);
  expect(await runs()).toMatchObject({ exitCode: 2, exceptions: [{ difference: '500', severity: 'high' }] });
  expect(await runs([], { env: { RECONCILIATION_GRACE_PERIOD: '10m' } })).toMatchObject({ exitCode: 0 });
});

test('how long ago something ended at Circle is told by our clock, where the answers say what Circle’s does', async () => {
  const { runs, circle, ada } = await scene('circle_balance');
  circle.move(ada.walletId, '500').updateDate = minutesAgo(7);
  circle.dateBy(() => new Date(minutesAgo(4)));
  const document = await runs();
  expect(document).toMatchObject({ exitCode: 0, checks: [{ difference: '500', metadata: { awaited: 1 } }] });
  expect(document.checks[0]!.metadata['details']).toMatchObject({ clock_apart_ms: -239_001 });
});

test('what is booked and not at Circle yet is on its way for the grace period, and missing after it', async () => {
  const here = await scene('circle_balance');
  const id = await payOut(here, '30', 'completed', 4);
  await here.booksSay('70');
  const awaited = await here.runs();
  expect(awaited).toMatchObject({ exitCode: 0, checks: [{ difference: '30' }] });
  expect(detailsOf(awaited).in_flight.items).toMatchObject([{ id, state: 'completed', explains: '30' }]);
  await here.sql`update ledger_transactions set created_at = ${minutesAgo(5.1)} where id = ${id}`;
  expect(await here.runs()).toMatchObject({ exitCode: 2, exceptions: [{ difference: '30' }] });
});

test.each(['04:30', '05:30'])('what was booked a minute ago is on its way to Alpaca, also at %s UTC', async (time) => {
  const now = new Date(`2026-03-03T${time}:00Z`); // its day begins in New York
  const { runs, ledger, sql, ada } = await scene('alpaca_balance', now);
  ledger.investment(ada, '500', { minutesAgo: 1 });
  await ledger.save(sql);
  expect(await runs([], { now, asOf: now })).toMatchObject({ exitCode: 0, checks: [{ difference: '-500' }] });
});

test('what both sides have, though not as one movement each, stays explained by nothing', async () => {
  const here = await scene('circle_balance');
  await payOut(here, '30', 'completed', 4);
  await here.booksSay('70');
  here.circle.move(here.ada.walletId, '-25');
  here.circle.move(here.ada.walletId, '-5').updateDate = minutesAgo(6);
  const document = await here.runs();
  expect(document).toMatchObject({ exitCode: 0, checks: [{ difference: '0' }] });
  expect(detailsOf(document)).toMatchObject({ unexplained: '0', in_flight: { count: 0 } });
});

test('a transfer that Alpaca completed explains its part once, though an activity tells of it too', async () => {
  const { runs, alpaca, ada } = await scene('alpaca_balance');
  alpaca.move(ada.alpacaAccountId, '500');
  const transfer = transferOf(ada.alpacaAccountId, 'COMPLETE', '500');
  alpaca.transfers.push(transfer);
  transfer.updated_at = minutesAgo(1);
  const awaited = await runs();
  expect(awaited).toMatchObject({ exitCode: 0, checks: [{ difference: '500' }] });
  expect(detailsOf(awaited).in_flight.items).toMatchObject([{ of: 'transfer', id: transfer.id, explains: '500' }]);
  transfer.updated_at = minutesAgo(5);
  expect(await runs([], { now: cutAt })).toMatchObject({ exitCode: 2, exceptions: [{ difference: '500' }] });
});

test('what has been pending for hours is explained once Circle was asked for all of that time', async () => {
  const here = await scene('circle_balance');
  const { circle, ada, runs, booksSay } = here;
  await payOut(here, '40', 'pending', 60 * 5); // done long ago, and nobody told the books
  Object.assign(circle.move(ada.walletId, '-40'), { createDate: minutesAgo(60 * 3), updateDate: minutesAgo(60 * 3) });
  const waiting = await payOut(here, '30', 'pending', 60 * 4); // waits for somebody to approve it
  circle.move(ada.walletId, '1').updateDate = minutesAgo(10);
  await booksSay('31');
  const document = await runs();
  expect(document).toMatchObject({ exitCode: 0, checks: [{ difference: '30' }] });
  expect(detailsOf(document)).toMatchObject({ first_difference: '30', unexplained: '0', cut: { rounds: 1 } });
  expect(detailsOf(document).in_flight.items).toMatchObject([{ id: waiting, explains: '30' }]);

  const sent = circle.move(ada.walletId, '-30', 'CONFIRMED');
  sent.createDate = minutesAgo(30);
  const paid = await runs();
  expect(paid).toMatchObject({ exitCode: 0, checks: [{ difference: '0' }] });
  expect(detailsOf(paid).in_flight.items).toMatchObject([{ id: sent.id, explains: '0' }]); // and its twin is not missing
});

test('what Circle had before the books did is not missing there because the first look went no further back', async () => {
  const here = await scene('circle_balance');
  const { runs, circle, ada, booksSay } = here;
  await receive(here, '50', 'pending', 119);
  await booksSay('150');
  Object.assign(circle.move(ada.walletId, '50'), { createDate: minutesAgo(121), updateDate: minutesAgo(121) });
  fillLook(here, minutesAgo(120.5));
  const document = await runs();
  expect(document).toMatchObject({ exitCode: 0, checks: [{ difference: '0' }] });
  expect(detailsOf(document)).toMatchObject({ unexplained: '0', cut: { rounds: 0 } });
});

test('a deposit that is under way is not taken for one of the same worth hours ago', async () => {
  const here = await scene('circle_balance');
  const { runs, circle, ada, booksSay } = here;
  await receive(here, '50', 'completed', 180);
  await booksSay('150');
  const earlier = circle.move(ada.walletId, '50');
  Object.assign(earlier, { createDate: minutesAgo(180), updateDate: minutesAgo(180) });
  const arriving = circle.move(ada.walletId, '50', 'CONFIRMED');
  arriving.createDate = minutesAgo(1);
  const document = await runs();
  expect(document).toMatchObject({ exitCode: 0, checks: [{ difference: '50' }] });
  expect(detailsOf(document).in_flight.items).toMatchObject([{ id: arriving.id, explains: '50' }]);
  // nor is a loss explained for ever by what never becomes final, nor by what is yet to come
  for (const age of [60 * 73, -6]) {
    arriving.createDate = minutesAgo(age);
    expect(await runs()).toMatchObject({ exitCode: 2, exceptions: [{ difference: '50' }] });
  }
});

test('as many accounts are asked for their transfers as it takes to explain a difference', async () => {
  const { runs, alpaca, ledger, sql } = await scene('alpaca_balance');
  const users = Array.from({ length: 24 }, () => ledger.user());
  for (const user of users) {
    ledger.investment(user, '50', { minutesAgo: 5000 });
    alpaca.add({ id: user.alpacaAccountId, cash: '0' });
    alpaca.transfers.push(transferOf(user.alpacaAccountId, 'SENT_TO_CLEARING', '50'));
  }
  await ledger.save(sql);
  await sql`update ledger_transactions set created_at = ${minutesAgo(29)} where user_id = any (${users.map(({ id }) => id)})`;
  const document = await runs();
  expect(document).toMatchObject({ exitCode: 0, checks: [{ difference: '-1200' }] });
  expect(detailsOf(document)).toMatchObject({ in_flight: { count: 22 }, unexplained: '-100' });

  alpaca.transfers.splice(0, 1);
  const short = await runs();
  expect(short).toMatchObject({ exitCode: 0, checks: [{ difference: '-1200' }] });
  expect(detailsOf(short)).toMatchObject({ in_flight: { count: 23 }, unexplained: '-50', cut: { rounds: 2 } });
});

test('a transfer that was booked two days ago is believed once Alpaca was asked for all of that time', async () => {
  const { runs, alpaca, ledger, sql, ada } = await scene('alpaca_balance');
  ledger.investment(ada, '500', { minutesAgo: 60 * 50 });
  await ledger.save(sql);
  const transfer = transferOf(ada.alpacaAccountId, 'SENT_TO_CLEARING', '500');
  alpaca.transfers.push(Object.assign(transfer, { created_at: minutesAgo(60 * 48) }));
  const document = await runs();
  expect(document).toMatchObject({ exitCode: 0, checks: [{ difference: '-500' }] });
  expect(detailsOf(document).in_flight.items).toMatchObject([{ id: transfer.id, explains: '-500' }]);
  transfer.created_at = minutesAgo(-60 * 24 * 365);
  expect(await runs()).toMatchObject({ exitCode: 2, exceptions: [{ difference: '-500' }] });
  alpaca.transfers.length = 0;
  expect(await runs()).toMatchObject({ exitCode: 2, exceptions: [{ difference: '-500' }] });
});

test('what the books date further ahead than clocks differ explains nothing, at either custodian', async () => {
  const here = await scene('circle_balance,alpaca_balance');
  const { runs, ledger, sql, ada } = here;
  ledger.investment(ada, '500', { minutesAgo: 0 });
  await payOut(here, '30', 'pending', 0);
  await here.booksSay('70');
  const date = (ageMinutes: number) =>
    sql`update ledger_transactions set status = 'pending', created_at = ${minutesAgo(ageMinutes)}
      where created_at > ${minutesAgo(60)}`;
  await date(-5);
  expect(await runs()).toMatchObject({ exitCode: 0, checks: [{ difference: '30' }, { difference: '-500' }] });
  await date(-5.1);
  expect(await runs()).toMatchObject({ exitCode: 2, exceptions: [{ difference: '-500' }, { difference: '30' }] });
});

function transferOf(account: string, status: string, amount: string): SandboxTransfer {
  const shared = { type: 'ach', direction: 'INCOMING', created_at: minutesAgo(30) } as const;
  return { id: idFrom(`transfer to ${account}`), account_id: account, status, amount, ...shared };
}
