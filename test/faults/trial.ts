import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import { isMeant, type Fault } from './fault.ts';
import {
  expectAllTold,
  expectClosed,
  expectNoHalves,
  expectNoSessions,
  readBooks,
  type Books,
  type Left,
} from './held.ts';
import type { Moment, Phase } from './moments.ts';
import type { Ended, Run, Scene, Stage } from './stage.ts';

/** Whatever has not come to its end by then hangs, however busy the machine is. */
const patienceMs = 180_000;

/**
 * How long a run may take from the blow on, and one that is told to stop, with a second or two until it is; longer by
 * what the next run takes, which nobody disturbs but a busy machine.
 */
const [soonMs, stopMs] = [60_000, 12_000];

/** Where a run is struck: at the nth moment that the fault fits, and to what it is done if the fault has several objects. */
export interface Aim {
  place: number;
  on?: string;
}

/** What became of one run that was struck, or why something did not hold. */
export type Trial = { phase: Phase } & ({ end: string; left: Left } | { broken: string });

/** What a run leaves that nobody disturbs, and when it speaks. */
export interface Rehearsal {
  moments: readonly Moment[];
  /** All tables of the database. */
  tables: readonly string[];
  books: Books;
}

export async function rehearse(stage: Stage): Promise<Rehearsal> {
  return stage.withScene(async (scene) => {
    stage.moments.begin();
    const ended = await scene.start('daily').ended;
    assert.equal(ended.exitCode, 2, lastWords(ended));
    const moments = [...stage.moments.passed];
    const tables = await scene.sql<{ name: string }[]>`
      select tablename as name from pg_tables where schemaname = 'public' order by tablename`;
    return { moments, tables: tables.map(({ name }) => name), books: (await goOn(stage, scene)).books };
  });
}

/** Strikes a run, and lets another one follow. Null: the run was over before, or there was nothing to do at that moment. */
export async function attempt(stage: Stage, fault: Fault, aim: Aim, wanted: Books): Promise<Trial | null> {
  const { moments } = stage;
  try {
    return await stage.withScene(async (scene) => {
      const { ended, tookMs } = await struckRun(stage, scene, fault, aim);
      if (moments.struck === undefined || !(await moments.struck.isDone)) {
        assert.equal(endOf(ended), 'exit 2', `a run that nobody disturbed: ${lastWords(ended)}`);
        return null;
      }
      const left = await afterwards(stage, scene, fault, ended);
      if (fault.happened !== undefined && !(await fault.happened(scene))) return null;
      const next = await goOn(stage, scene);
      assert.deepEqual(next.books, wanted);
      const patience = (ended.exitCode === 143 ? stopMs : soonMs) + next.tookMs;
      assert.ok(tookMs < patience, `it ended with ${endOf(ended)} after ${tookMs} ms, not within ${patience} ms`);
      return { phase: moments.struck.moment.phase, end: endOf(ended), left };
    });
  } catch (error) {
    if (moments.struck === undefined) throw error;
    const { phase, says } = moments.struck.moment;
    return { phase, broken: `${says.slice(0, 300)}\n${(error as Error).message}` };
  }
}

/** Strikes a run, and says how long it took to end from then on. */
async function struckRun({ moments }: Stage, scene: Scene, fault: Fault, { place, on }: Aim): Promise<Timed> {
  let struckAt = 0;
  await fault.before?.(scene);
  moments.strikeAt(place, isMeant(fault), (moment) => {
    struckAt = performance.now();
    return fault.strike(moment, { scene, run, on: on ?? '' });
  });
  const run = scene.start('daily', fault.env);
  try {
    const ended = await inTime(run);
    return { ended, tookMs: performance.now() - struckAt };
  } finally {
    moments.rest();
    scene.line.mend();
    await fault.after?.();
  }
}

interface Timed {
  ended: Ended;
  tookMs: number;
}

async function inTime(run: Run): Promise<Ended> {
  const over = new AbortController();
  const ended = await Promise.race([run.ended, sleep(patienceMs, undefined, { signal: over.signal, ref: false })]);
  over.abort();
  if (ended !== undefined) return ended;
  run.child.kill('SIGKILL');
  assert.fail(`the run did not end within ${patienceMs} ms: ${lastWords(await run.ended)}`);
}

async function afterwards(stage: Stage, { sql }: Scene, fault: Fault, ended: Ended): Promise<Left> {
  await untilItAnswers(sql);
  await expectNoSessions(sql);
  assert.ok(
    fault.ends.some((end) => end === (ended.signal ?? ended.exitCode)),
    `it ended with ${endOf(ended)}: ${lastWords(ended)}`,
  );
  if (fault.closesReport) await expectClosed(sql);
  if (ended.exitCode === 3 && fault.says !== undefined) assert.match(ended.said, fault.says);
  const left = await expectNoHalves(sql, ended, stage.secrets);
  if (ended.exitCode === 2) assert.equal(left, 'its whole result');
  return left;
}

/** A server that crashed is there again after a moment. */
async function untilItAnswers(sql: postgres.Sql): Promise<void> {
  const patience = performance.now() + patienceMs;
  for (;;) {
    const problem = await sql`select`.then(
      () => null,
      (error: unknown) => error as Error,
    );
    if (problem === null) return;
    if (performance.now() > patience) throw problem;
    await sleep(20);
  }
}

/** The next run: nothing is in its way, it finds what is wrong, and nothing is left of what came before. */
async function goOn(stage: Stage, scene: Scene): Promise<{ books: Books; tookMs: number }> {
  const startedAt = performance.now();
  const ended = await inTime(scene.start('manual'));
  const tookMs = performance.now() - startedAt;
  assert.equal(ended.exitCode, 2, `the next run: ${lastWords(ended)}`);
  await expectNoHalves(scene.sql, ended, stage.secrets);
  await expectAllTold(scene.sql, stage.received);
  return { books: await readBooks(scene.sql), tookMs };
}

function lastWords({ said }: Ended): string {
  return said.trim().split('\n').slice(-6).join('\n').slice(-1500);
}

function endOf({ signal, exitCode }: Ended): string {
  return signal ?? `exit ${exitCode}`;
}
