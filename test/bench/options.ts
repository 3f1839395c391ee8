import { parseArgs } from 'node:util';
import { OperatorError } from '../../src/operator-error.ts';
import { shapes, type Shape } from './shapes.ts';

export interface BenchOptions {
  /** Sizes of the ledgers, from small to big. */
  entries: number[];
  shape: Shape;
  rounds: number;
  /** Folder of the embedded server's data; undefined: one that is gone at the end. */
  keep: string | undefined;
  /** A server that runs already, instead of the embedded one. */
  server: string | undefined;
  /** Instead of ledgers: so many wallets and accounts are read from the custodians' sandboxes. */
  sweep: number | undefined;
  /** Requests a second for the sweep; undefined: what recon allows itself by default. */
  rate: number | undefined;
  /** Instead of ledgers: so many years of hourly runs in the books of recon. */
  history: number | undefined;
  json: boolean;
  help: boolean;
}

const shapeList = Object.entries(shapes).map(([name, meaning]) => `                         ${name}: ${meaning}`);

export const usage = `npm run bench -- [options]

Fills ledgers and measures recon on them, beside one plain sum and beside queries that compare totals only.

  --entries <n,n,…>      sizes of the ledgers (default 1000000,10000000; the bigger one takes 6 GB of disk)
  --shape <name>         what the ledgers look like (default ordinary)
${shapeList.join('\n')}
  --rounds <n>           how often everything is measured (default 3)
  --keep <folder>        keep the filled ledgers there, and use them the next time
  --server <url>         a PostgreSQL that runs already, as superuser, instead of the embedded one
  --sweep <n>            instead: read n wallets and n accounts from the sandboxes (10000 take 22 minutes)
  --rate <n>             with --sweep: so many requests a second (default: 10 to Circle and 8 to Alpaca, as in recon)
  --history <n>          instead: recon after n years of hourly runs, and after a purge (5 take 2 GB and 4 minutes)
  --json                 the figures as JSON on stdout (npm run --silent bench -- --json)
`;

/** @throws OperatorError (64) for what it does not understand. */
export function parseOptions(args: string[]): BenchOptions {
  const { entries, shape, rounds, keep, server, sweep, rate, history, json = false, help = false } = parseFlags(args);
  if (keep !== undefined && server !== undefined)
    throw new OperatorError(64, '--keep and --server exclude each other.', 'A server keeps its databases anyway.');
  return {
    entries: (entries ?? '1000000,10000000')
      .split(',')
      .map((text) => wholeNumber('--entries', text, 1000))
      .toSorted((a, b) => a - b),
    shape: shapeOf(shape ?? 'ordinary'),
    rounds: wholeNumber('--rounds', rounds ?? '3', 1),
    keep,
    server,
    sweep: sweep === undefined ? undefined : wholeNumber('--sweep', sweep, 1),
    rate: rate === undefined ? undefined : wholeNumber('--rate', rate, 1),
    history: history === undefined ? undefined : wholeNumber('--history', history, 1),
    json,
    help,
  };
}

function parseFlags(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = {
    entries: text,
    shape: text,
    rounds: text,
    keep: text,
    server: text,
    sweep: text,
    rate: text,
    history: text,
    json: flag,
    help: flag,
  };
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new OperatorError(64, (error as Error).message, 'npm run bench -- --help lists the options.');
  }
}

function wholeNumber(flag: string, text: string, smallest: number): number {
  const value = Number(text.replaceAll('_', ''));
  if (Number.isSafeInteger(value) && value >= smallest) return value;
  throw new OperatorError(64, `${flag} ${text}: it must be a whole number, ${smallest} or more.`);
}

function shapeOf(name: string): Shape {
  if (Object.hasOwn(shapes, name)) return name as Shape;
  throw new OperatorError(64, `--shape ${name} is unknown.`, `Known are ${Object.keys(shapes).join(', ')}.`);
}
