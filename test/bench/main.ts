// npm run bench                      ledgers of 1 and of 10 million entries, and what recon takes on them
// npm run bench -- --help            other sizes and shapes, ledgers that are kept, figures as JSON
import { listOf } from '../../src/database/list-of.ts';
import { toJson } from '../../src/output/json.ts';
import { runProgram } from '../support/command-line.ts';
import { readConditions } from './conditions.ts';
import { connected, openLedger } from './filled-ledger.ts';
import { historyText, measureHistory } from './history.ts';
import { measureLedger, type LedgerFigures } from './measure.ts';
import { parseOptions, type BenchOptions } from './options.ts';
import { reportText, type BenchReport } from './report.ts';
import { withServer } from './server.ts';
import { measureStartUp } from './start-up.ts';
import { measureSweeps, sweepText } from './sweep.ts';

async function main(args: string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.sweep !== undefined) return sweep(options.sweep, options);
  if (options.history !== undefined) return history(options.history, options);
  const report = await withServer(options, (url) => measure(url, options));
  return print(options.json ? (await listOf(toJson({ ...report }))).join('') : reportText(report));
}

async function sweep(holdings: number, { rate, json }: BenchOptions): Promise<number> {
  const sweeps = await measureSweeps({ holdings, rate, say });
  return print(json ? (await listOf(toJson({ sweeps }))).join('') : sweepText(sweeps));
}

async function history(years: number, options: BenchOptions): Promise<number> {
  const figures = await withServer(options, (url) => measureHistory(url, { years, rounds: options.rounds }, say));
  return print(options.json ? (await listOf(toJson({ history: figures }))).join('') : historyText(figures));
}

async function measure(serverUrl: string, { entries: sizes, shape, rounds }: BenchOptions): Promise<BenchReport> {
  const conditions = await connected(serverUrl, (sql) => readConditions(sql, rounds));
  say('Starting recon --version and node -e 0 twenty times each …');
  const startUp = await measureStartUp();
  const ledgers: LedgerFigures[] = [];
  for (const entries of sizes) {
    const size = { entries, shape };
    const ledger = await openLedger(serverUrl, size, say);
    say(`Measuring on ${entries} entries (${shape}) …`);
    ledgers.push(await measureLedger(ledger, { size, rounds, say }));
  }
  return { conditions, start_up: startUp, ledgers };
}

function print(text: string): 0 {
  process.stdout.write(text);
  return 0;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

await runProgram(main);
