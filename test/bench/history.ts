import { readFile } from 'node:fs/promises';
import type { Sql } from 'postgres';
import { figureOf, timeOf, type Figure } from './figures.ts';
import { connected, openLedger } from './filled-ledger.ts';
import { startAnew, timeRecon } from './recon-process.ts';

/** What years of runs cost the next ones. Times in milliseconds. */
export interface HistoryFigures {
  years: number;
  runs: number;
  sightings: number;
  without: BooksFigures;
  with: BooksFigures;
  /** After a purge and a plain `vacuum`, as autovacuum does it: what is free stays with the tables. */
  purged: BooksFigures;
  purge_ms: number;
  /** How large the tables are where `vacuum full` has written them anew, besides. */
  rewritten_bytes: number;
}

/** What the commands take on the books of recon, and how large those are. */
interface BooksFigures {
  size_bytes: number;
  commands_ms: Record<string, Figure>;
}

/** What is measured; each has to end with exit code 0. */
const commands = [
  'run --type hourly',
  'status',
  'exceptions list --status all -L 100',
  'reports list',
  'metrics print',
];

/** Makes up the books of so many years of hourly runs, and measures recon without them, with them, and after a purge. */
export async function measureHistory(
  serverUrl: string,
  { years, rounds }: { years: number; rounds: number },
  say: (text: string) => void,
): Promise<HistoryFigures> {
  const { url } = await openLedger(serverUrl, { entries: 10_000, shape: 'ordinary' }, say);
  say('Measuring without a history …');
  await startAnew(url);
  await proveAll(url);
  const without = await measureBooks(url, rounds);
  say(`Making up ${years} years of hourly runs …`);
  await startAnew(url);
  const { runs, sightings } = await connected(url, (sql) => makeUpHistory(sql, new Date(), 365 * years));
  await proveAll(url);
  say(`Measuring with ${runs} runs and ${sightings} sightings …`);
  const withThem = await measureBooks(url, rounds);
  say('Purging …');
  const purgeMs = await timeOf(() => timeRecon(url, ['purge', '--yes', '--by', 'bench'], 0));
  await connected(url, (sql) => sql`vacuum (analyze)`);
  const purged = await measureBooks(url, rounds);
  await connected(url, (sql) => sql`vacuum full`);
  const rewrittenBytes = await connected(url, sizeOfBooks);
  return {
    years,
    runs,
    sightings,
    without,
    with: withThem,
    purged,
    purge_ms: purgeMs,
    rewritten_bytes: rewrittenBytes,
  };
}

/** The first run after the history looks at everything. */
async function proveAll(url: string): Promise<void> {
  await timeRecon(url, ['run', '--type', 'daily', '--fail-on', 'never'], 0);
}

/** Fills the empty books of recon with `days` of hourly runs before `until`. `sql` must be one connection. */
export async function makeUpHistory(sql: Sql, until: Date, days: number): Promise<{ runs: number; sightings: number }> {
  await sql`
    select
      set_config('bench.until', ${until.toISOString()}, false),
      set_config('bench.days', ${String(days)}, false)`;
  await sql.unsafe(await readFile(new URL('./history.sql', import.meta.url), 'utf8'));
  const [made] = await sql<[{ runs: number; sightings: number }]>`
    select
      (select count(*) from reconciliation_reports)::integer as runs,
      (select count(*) from reconciliation_findings)::integer as sightings`;
  return made;
}

async function measureBooks(url: string, rounds: number): Promise<BooksFigures> {
  const figures: BooksFigures = { size_bytes: await connected(url, sizeOfBooks), commands_ms: {} };
  for (const line of commands) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) times.push((await timeRecon(url, line.split(' '), 0)).wallMs);
    figures.commands_ms[line] = figureOf(times);
  }
  return figures;
}

async function sizeOfBooks(sql: Sql): Promise<number> {
  const [books] = await sql<[{ bytes: number }]>`
    select sum(pg_total_relation_size(oid))::float8 as bytes
    from pg_class
    where relname like 'reconciliation\\_%' and relkind = 'r'`;
  return books.bytes;
}

/** A table of them, as test/README.md shows it. */
export function historyText({
  years,
  runs,
  sightings,
  purge_ms: purgeMs,
  rewritten_bytes: rewrittenBytes,
  ...books
}: HistoryFigures): string {
  const columns = [books.without, books.with, books.purged];
  const name = (args: string) => `\`recon ${args}\``;
  const rows = [
    ['', 'no history', `${years} years`, 'purged'],
    ...Object.keys(books.without.commands_ms).map((args) => [
      name(args),
      ...columns.map(({ commands_ms: taken }) => `${(taken[args]!.median / 1000).toFixed(2)} s`),
    ]),
    ['tables of recon', ...columns.map(({ size_bytes: bytes }) => inMiB(bytes))],
  ];
  const lines = rows.map(
    (row) =>
      `${row[0]!.padEnd(36)}${row
        .slice(1)
        .map((cell) => cell.padStart(12))
        .join('')}`,
  );
  const what = `${runs.toLocaleString('en-US')} runs, ${sightings.toLocaleString('en-US')} sightings`;
  return `${lines.join('\n')}\n\n${what}; \`recon purge\` took ${(purgeMs / 1000).toFixed(1)} s; \`vacuum full\` leaves ${inMiB(rewrittenBytes)}.\n`;
}

function inMiB(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
