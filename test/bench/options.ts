import { Command, Option } from 'commander';
import { readArguments } from '../support/command-line.ts';
import { wholeNumber } from '../support/whole-number.ts';
import { shapes, type Shape } from './shapes.ts';

export interface BenchOptions {
  /** Sizes of the ledgers, from small to big. */
  entries: number[];
  shape: Shape;
  rounds: number;
  /** Folder of the embedded server's data; undefined: one that is gone at the end. */
  keep?: string;
  /** A server that runs already, instead of the embedded one. */
  server?: string;
  /** Instead of ledgers: so many wallets and accounts are read from the custodians' sandboxes. */
  sweep?: number;
  /** Requests a second for the sweep; undefined: what recon allows itself by default. */
  rate?: number;
  /** Instead of ledgers: so many years of hourly runs in the books of recon. */
  history?: number;
  json: boolean;
}

const shapeList = Object.entries(shapes).map(([name, meaning]) => `  ${name}: ${meaning}`);
const small = wholeNumber(1);

/** Ends the process with 0 after --help; throws an OperatorError (64) for what it does not understand. */
export function parseOptions(args: string[]): BenchOptions {
  const command = new Command('npm run bench --')
    .description(
      'Fills ledgers and measures recon on them, beside one plain sum and beside queries that compare totals only.',
    )
    .option('--entries <n,n,…>', 'sizes of the ledgers; 10,000,000 take 6 GB of disk', sizes, [1_000_000, 10_000_000])
    .addOption(
      new Option('--shape <name>', 'what the ledgers look like').choices(Object.keys(shapes)).default('ordinary'),
    )
    .option('--rounds <n>', 'how often everything is measured', small, 3)
    .option('--keep <folder>', 'keep the filled ledgers there, and use them the next time')
    .addOption(
      new Option(
        '--server <url>',
        'a PostgreSQL that runs already, as superuser, instead of the embedded one',
      ).conflicts('keep'),
    )
    .option('--sweep <n>', 'instead: read n wallets and n accounts from the sandboxes (10,000 take 22 minutes)', small)
    .option('--rate <n>', 'with --sweep: requests a second (default: 10 to Circle and 8 to Alpaca, as in recon)', small)
    .option('--history <n>', 'instead: recon after n years of hourly runs, and after a purge (5 take 2 GB)', small)
    .option('--json', 'the figures as JSON on stdout (npm run --silent bench -- --json)', false)
    .addHelpText('after', `\nShapes:\n${shapeList.join('\n')}`);
  return readArguments(command, args).opts<BenchOptions>();
}

function sizes(text: string): number[] {
  return text
    .split(',')
    .map(wholeNumber(1000))
    .toSorted((left, right) => left - right);
}
