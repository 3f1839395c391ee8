import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { correct } from '../../src/corrections/attempt.ts';
import { Failure } from '../../src/corrections/refusal.ts';
import { inCorrection } from '../../src/corrections/transaction.ts';
import { openDatabase } from '../../src/database/database.ts';
import { OperatorError } from '../../src/operator-error.ts';
import { testDatabase, untilWaited } from '../support/database.ts';
import { openPool } from '../support/run-check.ts';
import { deskOf } from './desk.ts';

const { url, sql } = await testDatabase();
const desk = deskOf(openPool(url));
await sql`create function fail(code text) returns void language plpgsql as $$
  begin raise exception using errcode = code, message = 'on purpose'; end $$`;

/** How often it was tried, and what came of it, where the first `times` attempts meet this SQLSTATE. */
async function attempt(code: string, times: number): Promise<[number, unknown]> {
  let tried = 0;
  const outcome = await inCorrection(desk, randomUUID(), async ({ transaction }) => {
    tried += 1;
    await transaction`create table public.written ()`;
    if (tried <= times) await transaction`select public.fail(${code})`;
    await transaction`drop table public.written`;
    return 'done';
  }).catch((error: unknown) => error);
  return [tried, outcome];
}

test('a deadlock, a serialization failure and a lock that is not to be had are tried again, three times', async () => {
  for (const code of ['40P01', '40001', '55P03']) expect(await attempt(code, 1), code).toEqual([2, 'done']);
  const [tried, outcome] = await attempt('40P01', 9);
  expect([tried, outcome instanceof Failure]).toEqual([4, true]);
  expect(await sql`select from pg_tables where tablename = 'written'`).toHaveLength(0);
});

test('what would be the same another time is not: a refusal, a long statement, a right or a column that is missing', async () => {
  for (const code of ['P0001', '23514', '57014']) {
    const [tried, outcome] = await attempt(code, 1);
    expect([tried, outcome instanceof Failure], code).toEqual([1, true]);
  }
  for (const code of ['42501', '42703']) {
    const [tried, outcome] = await attempt(code, 1);
    expect([tried, outcome instanceof OperatorError && outcome.exitCode], code).toEqual([1, 78]);
  }
  expect(await attempt('25006', 1)).toEqual([1, expect.objectContaining({ code: '25006' })]); // another server takes over
});

test('a signal ends it at once, also where it waits for somebody’s lock, and nothing is written', async () => {
  const controller = new AbortController();
  const stopped = { ...desk, world: { ...desk.world, signal: controller.signal } };
  const outcome = await sql.begin(async (other) => {
    await other`select pg_advisory_xact_lock(hashtextextended('recon exceptions public', 0))`;
    const waiting = inCorrection(stopped, randomUUID(), () => Promise.resolve('done')).catch((error: unknown) => error);
    await untilWaited(sql);
    controller.abort(new Error('SIGTERM'));
    return waiting;
  });
  expect(outcome).toBe(controller.signal.reason);
});

test('what is put on record of a refusal waits for no lock without end', async () => {
  await sql`update reconciliation_correction_switch set stopped = true`;
  const database = openDatabase(url, { connections: 2, lockTimeoutMs: 50 });
  await sql.begin(async (other) => {
    await other`lock table reconciliation_exceptions in access exclusive mode`;
    const refused = correct(deskOf(database), { exceptionId: randomUUID(), author: { reportId: randomUUID() } });
    await expect(refused).rejects.toMatchObject({ code: '55P03' });
  });
  await database.end();
});
