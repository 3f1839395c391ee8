import { expect, test } from 'vitest';
import type { WalletInput } from '../support/circle-sandbox.ts';
import { startCustodians } from '../support/custodians.ts';
import { testDatabase } from '../support/database.ts';
import { LedgerBuilder } from '../support/ledger.ts';
import { money, toText } from '../../src/money.ts';
import { Random } from '../support/random.ts';
import { reconIn, testWorld, type RunDocument } from '../support/world.ts';
import { keepMoving, type Firm } from './firm-in-motion.ts';

/** RECON_RUNS says how many, 4 if unset (`npm run test:long` asks for 200); RECON_SEED chooses what moves when. */
const { RECON_RUNS: runs = '4', RECON_SEED: seed = '1' } = process.env;

/** A cent more than each tolerance. */
const loss = { circle_balance: '10.01', alpaca_balance: '100.01' };

test(`${runs} runs while money moves on both sides (RECON_SEED=${seed})`, { timeout: 3_600_000 }, async () => {
  const { url, firm, env } = await startFirm(new Random(Number(seed)));
  const stopped = new AbortController();
  const moving = keepMoving(firm, stopped.signal);
  const verdicts: Record<string, number> = {};
  for (let run = 0; run < Number(runs); run += 1) {
    const planted = run % 2 === 1;
    const restore = planted ? plant(firm) : () => undefined;
    for (const check of (await runOnce(url, env)).checks) {
      const verdict = verdictOf(check);
      verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
      expectHonest(check, verdict, planted ? 'failed' : 'passed', `run ${run}`);
    }
    restore();
  }
  stopped.abort();
  const done = await moving;
  expect(Math.min(done.paidOut, done.received, done.journaled)).toBeGreaterThan(0);
  expect((verdicts['passed'] ?? 0) + (verdicts['failed'] ?? 0)).toBeGreaterThan(Number(runs)); // of two checks each
});

type Check = RunDocument['checks'][0];
type Verdict = 'passed' | 'failed' | 'incomplete';

function verdictOf({ status, passed }: Check): Verdict {
  if (status === 'failed') return 'incomplete';
  return passed === true ? 'passed' : 'failed';
}

/** It may not have been able to tell; if it says anything, it is right, to the cent. */
function expectHonest(check: Check, verdict: Verdict, right: Verdict, run: string): void {
  const { check_type: name, metadata, error_message: error } = check;
  const about = `${name} of ${run}: ${JSON.stringify(metadata['details'] ?? error)}`;
  if (verdict === 'incomplete') {
    expect(error, about).toMatch(/^Money kept moving/);
    return;
  }
  expect(verdict, about).toBe(right);
  const lost = right === 'passed' ? '0' : `-${loss[name as keyof typeof loss]}`;
  expect(metadata['details'], about).toMatchObject({ unexplained: lost, cut: { bracketed: true } });
}

async function startFirm(random: Random): Promise<{ url: string; firm: Firm; env: Record<string, string> }> {
  const { url, sql } = await testDatabase();
  const ledger = new LedgerBuilder({ now: new Date(Date.now() - 86_400_000), seed: 4 });
  const users = Array.from({ length: 20 }, () => ledger.user());
  const buffer = ledger.systemAccount('system_buffer_usdc');
  const exposure = new Map(users.map((user) => [user, ledger.account(user, 'fiat_exposure')]));
  const usdc = new Map(users.map((user) => [user, ledger.account(user, 'usdc_balance')]));
  await ledger.save(sql);
  await sql`update ledger_accounts set balance = 1000000 where id = any (${[buffer, ...exposure.values()].map(({ id }) => id)})`;
  const { circle, alpaca, env } = await startCustodians(
    users[0]!,
    { usdc: '50000', cash: '1000000' },
    () => new Date(),
  );
  for (const sandbox of [circle, alpaca]) sandbox.dateBy(() => new Date());
  for (const user of users.slice(1)) {
    const wallet: WalletInput = { id: user.walletId, blockchain: 'BASE-SEPOLIA', usdc: '50000' };
    circle.add(wallet);
    alpaca.add({ id: user.alpacaAccountId, cash: '1000000' });
  }
  return { url, firm: { sql, users, circle, alpaca, accounts: { buffer, exposure, usdc }, random }, env };
}

/** Money is gone at both custodians, without a trace. Returns what brings it back. */
function plant({ circle, alpaca, users, random }: Firm): () => void {
  const user = random.pick(users);
  const [balance] = circle.wallets.get(user.walletId)!.balances;
  const account = alpaca.accounts.get(user.alpacaAccountId)!;
  const change = (sign: 1 | -1) => {
    balance!.amount = toText(money(balance!.amount).plus(money(loss.circle_balance).times(sign)));
    account.buying_power = toText(money(account.buying_power).plus(money(loss.alpaca_balance).times(sign)));
  };
  change(-1);
  return () => {
    change(1);
  };
}

async function runOnce(url: string, env: Record<string, string>): Promise<RunDocument> {
  const checks = { RECONCILIATION_CHECKS: 'circle_balance,alpaca_balance', LOG_LEVEL: 'silent' };
  const world = testWorld({ env: { DATABASE_URL: url, ...env, ...checks }, asOf: null });
  world.now = () => new Date();
  const { stdout, stderr } = await reconIn(world, ['run', '-o', 'json']);
  expect(stdout, stderr).not.toBe('');
  return JSON.parse(stdout) as RunDocument;
}
