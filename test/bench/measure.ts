import type { Sql } from 'postgres';
import { figureOf, figuresOf, timeOf, type Figure } from './figures.ts';
import { applyChanges, removeChanges } from './fill.ts';
import { connected, type FilledLedger } from './filled-ledger.ts';
import { startAnew, timeRun, type RunTimes } from './recon-process.ts';
import type { LedgerSize, Shape } from './shapes.ts';
import { readTotalsOnly } from './totals-only.ts';

/** How many records change before the hourly runs. */
export const changes = 10_000;

export interface RunFigures {
  wall_ms: Figure;
  checks_ms: Record<string, Figure>;
  /** Null where the system does not tell. */
  peak_memory_bytes: Figure | null;
}

export interface LedgerFigures {
  shape: Shape;
  entries: number;
  database_bytes: number;
  /** Null if the ledger was kept from an earlier time. */
  fill_ms: number | null;
  /** One plain sum over all entries: nothing that looks at each of them can take less. */
  floor_ms: Figure;
  totals_only_ms: Figure;
  totals_only_queries_ms: Record<string, Figure>;
  daily: RunFigures;
  daily_entries_per_second: number;
  hourly: RunFigures;
}

export interface MeasureOptions {
  size: LedgerSize;
  rounds: number;
  say: (text: string) => void;
}

/** Measures everything on one ledger, with all of it in memory as far as it fits: a first round is not counted. */
export async function measureLedger(ledger: FilledLedger, options: MeasureOptions): Promise<LedgerFigures> {
  return connected(ledger.url, async (sql) => {
    await removeChanges(sql, changes); // of a time before that was stopped
    await startAnew(ledger.url);
    const whole = await measureWhole(sql, ledger.url, options);
    const hourly = await measureHourly(sql, ledger.url, options);
    await removeChanges(sql, changes);
    const { entries, bytes } = await sizeOf(sql);
    return {
      shape: options.size.shape,
      entries,
      database_bytes: bytes,
      fill_ms: ledger.fillMs,
      ...whole,
      daily_entries_per_second: (entries / whole.daily.wall_ms.median) * 1000,
      hourly,
    };
  });
}

async function sizeOf(sql: Sql): Promise<{ entries: number; bytes: number }> {
  const [row] = await sql<[{ entries: string; bytes: string }]>`
    select count(*) as entries, pg_database_size(current_database()) as bytes from ledger_entries`;
  return { entries: Number(row.entries), bytes: Number(row.bytes) };
}

/** What looks at the whole ledger, in turns, so that a slow moment of the machine meets all alike. */
async function measureWhole(sql: Sql, url: string, { size, rounds, say }: MeasureOptions) {
  await sql`set work_mem = '64MB'`; // as recon sets it for itself; everything else is the server's default
  const queries = await readTotalsOnly();
  const floor: number[] = [];
  const totals: Record<string, number>[] = [];
  const daily: RunTimes[] = [];
  for (let round = 0; round <= rounds; round++) {
    say(roundText('sum, totals and daily run', round, rounds));
    const taken = [
      await timeOf(() => sql`select sum(amount) from ledger_entries`),
      await timeEach(sql, queries),
      await timeRun(url, 'daily', expectedExit(size.shape)),
    ] as const;
    if (round === 0) continue;
    floor.push(taken[0]);
    totals.push(taken[1]);
    daily.push(taken[2]);
  }
  return {
    floor_ms: figureOf(floor),
    totals_only_ms: figureOf(totals.map((round) => Object.values(round).reduce((sum, ms) => sum + ms, 0))),
    totals_only_queries_ms: figuresOf(totals),
    daily: runFigures(daily),
  };
}

async function timeEach(
  sql: Sql,
  queries: readonly { title: string; text: string }[],
): Promise<Record<string, number>> {
  const taken: Record<string, number> = {};
  for (const { title, text } of queries) taken[title] = await timeOf(() => sql.unsafe(text));
  return taken;
}

/**
 * The changes are made once, after a run that knows nothing of them. They are younger than the quarter of an hour that
 * every run looks at again, so each of the rounds compares all of them.
 */
async function measureHourly(sql: Sql, url: string, { size, rounds, say }: MeasureOptions): Promise<RunFigures> {
  const hourly: RunTimes[] = [];
  for (let round = 0; round <= rounds; round++) {
    say(roundText('hourly run', round, rounds));
    const taken = await timeRun(url, 'hourly', expectedExit(size.shape));
    if (round === 0) await applyChanges(sql, changes);
    else hourly.push(taken);
  }
  return runFigures(hourly);
}

function roundText(what: string, round: number, rounds: number): string {
  return `  ${what}: ${round === 0 ? 'once, not counted' : `round ${round} of ${rounds}`} …`;
}

function runFigures(runs: readonly RunTimes[]): RunFigures {
  const peaks = runs.map(({ peakMemoryBytes }) => peakMemoryBytes).filter((peak) => peak !== undefined);
  return {
    wall_ms: figureOf(runs.map(({ wallMs }) => wallMs)),
    checks_ms: figuresOf(runs.map(({ checksMs }) => checksMs)),
    peak_memory_bytes: peaks.length === 0 ? null : figureOf(peaks),
  };
}

function expectedExit(shape: Shape): 0 | 2 {
  return shape === 'known-exceptions' ? 2 : 0;
}
