import { expect, onTestFinished, test } from 'vitest';
import { withCorrectionDatabase } from '../../src/corrections/database.ts';
import { startLineCutter, type Message } from '../simulate/line-cutter.ts';
import { configOf, openPool } from '../support/run-check.ts';
import { operatorOf } from '../support/world.ts';
import { desk } from './desk.ts';

/** Somebody whose connection for corrections is cut at the commit of the next one. */
async function behindALine() {
  const at = await desk();
  let strike: (message: Message) => void = () => undefined;
  const line = await startLineCutter(at.url, (message) => {
    strike(message);
  });
  onTestFinished(line.close);
  const env = { RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY: 'true', CORRECTION_DATABASE_URL: line.url };
  const cutAtCommit = (moment: 'unheard' | 'unanswered', isMended = true) => {
    let hasWritten = false;
    strike = (message) => {
      hasWritten ||= message.bytes.includes('correction_action =');
      if (!hasWritten || !message.bytes.includes('commit\0')) return;
      if (moment === 'unheard') message.drop();
      else message.loseAnswer();
      strike = () => {
        if (!isMended) line.cut(); // whoever asks afterwards
      };
    };
  };
  return { ...at, ...operatorOf(at.url, env), line, cutAtCommit };
}

test('a run whose connection is lost at a commit asks whether it was written, and says so', async () => {
  const { runs, drift, ledger, ada, bob, sql, corrections, cutAtCommit, types, line } = await behindALine();
  const [account, other] = [ledger.account(ada, 'usdc_balance').id, ledger.account(bob, 'usdc_balance').id];
  await drift(account, '0.5');
  const made = async () => (await runs()).report.metadata['corrections'];
  const balance = async (id: string) =>
    (await sql<{ balance: string }[]>`select balance from ledger_accounts where id = ${id}`)[0]?.balance;

  cutAtCommit('unheard');
  expect(await made()).toMatchObject({ tried: 1, failed: 1, corrected: 0 });
  expect(await corrections()).toMatchObject([
    {
      state: 'failed',
      reason: expect.stringMatching(
        /^The connection of CORRECTION_DATABASE_URL was lost while .*, and nothing was written/,
      ) as string,
    },
  ]);
  expect(await balance(account)).toBe('80.500000000000000000');

  cutAtCommit('unanswered');
  expect(await made()).toMatchObject({ tried: 1, failed: 0, corrected: 1 });
  expect(await balance(account)).toBe('80.000000000000000000');

  await drift(other, '0.5');
  cutAtCommit('unanswered', false);
  const unknown = await made();
  line.mend();
  expect(unknown).toMatchObject({
    not_made: expect.stringMatching(
      /^The connection of CORRECTION_DATABASE_URL was lost while correction .*: nobody knows whether it was written/,
    ) as string,
  });
  const [, id = ''] = /correction (\S+) was/.exec(JSON.stringify(unknown)) ?? [];
  expect((await types(['corrections', 'show', id])).stdout).toContain('applied');
});

test('so do people who approve and undo: what is not known is said, with what to do next', async () => {
  const { runs, types, ledger, ada, save, books, cutAtCommit, line, corrections } = await behindALine();
  ledger.deposit(ada, '5000', { post: false });
  await save();
  const { id } = (await runs()).exceptions[0]!;
  expect(await types(['corrections', 'propose', id])).toMatchObject({ exitCode: 0 });
  const [proposal] = await corrections();
  const before = await books();
  cutAtCommit('unheard', false);
  const unknown = await types(['corrections', 'approve', proposal!.id, '--by', 'Grace', '--yes']);
  expect(unknown).toMatchObject({
    exitCode: 3,
    stdout: '',
    stderr: expect.stringMatching(
      /nobody knows whether it was written.\n.*`recon corrections show \w{8}` says: unless that is applied/,
    ) as string,
  });
  line.mend();
  expect(await books()).toEqual(before);
  cutAtCommit('unanswered');
  expect(await types(['corrections', 'approve', proposal!.id, '--by', 'Grace', '--yes'])).toMatchObject({
    exitCode: 0,
  });
  const posted = await books();
  cutAtCommit('unheard');
  expect(await types(['corrections', 'undo', proposal!.id, '--note', 'x', '--yes'])).toMatchObject({
    exitCode: 2,
    stderr: 'recon: failed: nothing was written; exit 2\n',
  });
  expect(await books()).toEqual(posted);
  cutAtCommit('unanswered');
  expect(await types(['corrections', 'undo', proposal!.id, '--note', 'x', '--yes'])).toMatchObject({ exitCode: 0 });
  expect((await books()).accounts).toEqual(before.accounts);
});

test('the database that is lost is the one that is named', async () => {
  const { url, line } = await behindALine();
  const signal = new AbortController().signal;
  const using = (main: string, corrections: string) =>
    withCorrectionDatabase(
      {
        ...configOf(),
        databaseUrl: main,
        corrections: { ...configOf().corrections, databaseUrl: corrections, variable: 'CORRECTION_DATABASE_URL' },
      },
      openPool(main),
      { signal },
      () => Promise.resolve(),
    );
  await using(line.url, url);
  line.cut();
  const said = (variable: string) =>
    expect.objectContaining({ hint: expect.stringContaining(variable) as string }) as Error;
  await expect(using(line.url, url)).rejects.toEqual(said('in DATABASE_URL'));
  await expect(using(url, line.url)).rejects.toEqual(said('in CORRECTION_DATABASE_URL'));
});
