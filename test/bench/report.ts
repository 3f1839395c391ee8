import { renderTable } from '../../src/output/table.ts';
import type { Conditions } from './conditions.ts';
import type { Figure } from './figures.ts';
import { changes, type LedgerFigures, type RunFigures } from './measure.ts';
import { shapes } from './shapes.ts';
import type { StartUp } from './start-up.ts';

export interface BenchReport {
  conditions: Conditions;
  start_up: StartUp;
  /** From the smallest to the biggest. */
  ledgers: LedgerFigures[];
}

/** One line of the table: a figure of each ledger. */
interface Line {
  title: string;
  of: (ledger: LedgerFigures) => Figure | number | null;
  unit: Unit;
  /** Whether it says something how many times larger it is on the biggest ledger. */
  grows: boolean;
}

/** How a value is written: in what, and how many of its own make one of those. */
type Unit = (value: number) => { name: string; size: number };

/** The figures side by side, the conditions above them. */
export function reportText({ conditions, start_up: startUp, ledgers }: BenchReport): string {
  return [
    conditionsText(conditions),
    ...ledgers.slice(0, 1).map(({ shape }) => `The ledgers are ${shape}: ${shapes[shape]}.`),
    `Medians (min..max); rounds: ${conditions.rounds}, after one that is not counted.`,
    `The hourly runs follow ${thousands(changes)} new records, booked once, just after an hourly run that is not counted.`,
    '',
    ledgerTable(ledgers),
    startUpText(startUp),
  ].join('\n');
}

function conditionsText(conditions: Conditions): string {
  const settings = Object.entries(conditions.settings).map(([name, value]) => `${name} = ${value}`);
  return [
    `${conditions.date}, PostgreSQL ${conditions.postgresql}, Node ${conditions.node}, ${conditions.system}`,
    `${conditions.cpus} x ${conditions.cpu}, ${cell(conditions.memory_bytes, memory)} of memory`,
    settings.join(', '),
    'The sum and the totals-only queries run with work_mem = 64MB, as recon sets it for itself.',
  ].join('\n');
}

function ledgerTable(ledgers: readonly LedgerFigures[]): string {
  const compares = ledgers.length > 1;
  const columns = [
    { header: '' },
    ...ledgers.map(({ entries }) => ({ header: `${thousands(entries)} entries`, align: 'right' as const })),
    ...(compares ? [{ header: 'grows', align: 'right' as const }] : []),
  ];
  const rows = linesFor(ledgers).map(({ title, of, unit, grows }) => {
    const values = ledgers.map(of);
    const factor = compares ? [grows ? growth(values) : ''] : [];
    return [title, ...values.map((value) => cell(value, unit)), ...factor];
  });
  return renderTable(columns, rows);
}

function linesFor([first]: readonly LedgerFigures[]): Line[] {
  if (first === undefined) return [];
  return [
    timeLine('one sum over all entries', (ledger) => ledger.floor_ms),
    timeLine('totals only', (ledger) => ledger.totals_only_ms),
    ...Object.keys(first.totals_only_queries_ms).map((title) =>
      timeLine(`  ${title}`, (ledger) => ledger.totals_only_queries_ms[title] ?? null),
    ),
    ...runLines('recon run --type daily', first.daily, ({ daily }) => daily),
    { title: '  entries per second', of: (ledger) => ledger.daily_entries_per_second, unit: count, grows: false },
    ratioLine('  against totals only', ({ daily, totals_only_ms: totals }) => ratio(daily.wall_ms, totals)),
    ratioLine('  against the sum', ({ daily, floor_ms: floor }) => ratio(daily.wall_ms, floor)),
    ...runLines('recon run --type hourly', first.hourly, ({ hourly }) => hourly),
    { title: 'size of the database', of: (ledger) => ledger.database_bytes, unit: memory, grows: true },
    timeLine('filling it', (ledger) => ledger.fill_ms),
  ];
}

function runLines(title: string, run: RunFigures, of: (ledger: LedgerFigures) => RunFigures): Line[] {
  return [
    timeLine(title, (ledger) => of(ledger).wall_ms),
    ...Object.keys(run.checks_ms).map((check) =>
      timeLine(`  ${check}`, (ledger) => of(ledger).checks_ms[check] ?? null),
    ),
    { title: '  peak memory of the process', of: (ledger) => of(ledger).peak_memory_bytes, unit: memory, grows: true },
  ];
}

function timeLine(title: string, of: Line['of']): Line {
  return { title, of, unit: time, grows: true };
}

function ratioLine(title: string, of: Line['of']): Line {
  return { title, of, unit: times, grows: false };
}

function startUpText({ recon_version_ms: recon, node_ms: node }: StartUp): string {
  return `recon --version ${cell(recon, time)}, node -e 0 ${cell(node, time)}: ${cell(ratio(recon, node), times)}\n`;
}

function cell(value: Figure | number | null, unit: Unit): string {
  if (value === null) return 'n/a';
  const { name, size } = unit(medianOf(value));
  const written = (part: number) => rounded(part / size);
  if (typeof value === 'number') return `${written(value)}${name}`;
  const range = value.min === value.max ? '' : ` (${written(value.min)}..${written(value.max)})`;
  return `${written(value.median)}${name}${range}`;
}

/** From the smallest ledger to the biggest. */
function growth(values: readonly (Figure | number | null)[]): string {
  const [smallest = null, biggest = null] = [values[0], values.at(-1)];
  if (smallest === null || biggest === null) return '';
  return cell(medianOf(biggest) / medianOf(smallest), times);
}

function ratio(of: Figure, to: Figure): number {
  return of.median / to.median;
}

function medianOf(value: Figure | number): number {
  return typeof value === 'number' ? value : value.median;
}

const time: Unit = (milliseconds) => (milliseconds < 1000 ? { name: ' ms', size: 1 } : { name: ' s', size: 1000 });

const memory: Unit = (bytes) => (bytes < 2 ** 30 ? { name: ' MiB', size: 2 ** 20 } : { name: ' GiB', size: 2 ** 30 });

const times: Unit = () => ({ name: ' x', size: 1 });

const count: Unit = () => ({ name: '', size: 1 });

/** Three digits say more than the machine does. */
function rounded(value: number): string {
  return value >= 100 ? thousands(value) : String(Number(value.toPrecision(3)));
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
