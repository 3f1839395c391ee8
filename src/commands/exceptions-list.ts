import { Command } from 'commander';
import type { StoredException } from '../exceptions/exception.ts';
import type { ExceptionFilter } from '../exceptions/filter.ts';
import { sorts, type Sort } from '../exceptions/order.ts';
import type { Total } from '../exceptions/list-totals.ts';
import { partsOf, type Items } from '../database/list-of.ts';
import type { World } from '../world.ts';
import { addFilter, filterOf, filterWords, type FilterFlags } from './exception-filter.ts';
import { choice, idPrefix, limitOption, outputOption, type CommandContext, type OutputFormat } from './options.ts';
import { hasLeft, print } from './print.ts';
import { withReading, type Reading } from './store.ts';

interface ListFlags extends FilterFlags {
  sort: Sort;
  limit?: number;
  after?: string;
  output: OutputFormat;
}

const examples = `
What is snoozed or accepted is not open: --status unresolved lists it too. CSV has three empty columns, action, note
and until: recon exceptions apply carries out what is entered there, and knows by version if amounts have changed since.

Examples:
  recon exceptions list --severity critical --severity high
  recon exceptions list --unassigned --before 7d --sort amount
  recon exceptions list --status all --report latest -o csv > exceptions.csv`;

/** `recon exceptions list`. */
export function listCommand(context: CommandContext): Command {
  return addFilter(new Command('list').description('exceptions, the most severe first'))
    .addOption(choice('--sort <order>', 'what comes first', sorts).default('severity'))
    .addOption(limitOption('at most so many (table: 50)'))
    .option('--after <id>', 'only those that come after this one (a prefix of its id)', idPrefix)
    .addOption(outputOption('table', 'json', 'csv'))
    .addHelpText('after', examples)
    .action(async (_flags, command: Command) => {
      const { world } = context;
      const flags = command.optsWithGlobals<ListFlags>();
      await withReading(world, (reading) => list(reading, flags, world));
    });
}

async function list(reading: Reading, flags: ListFlags, world: World): Promise<void> {
  const { countExceptions, findException, streamExceptions } = await import('../exceptions/store.ts');
  const { transaction, schema } = reading;
  const filter = await filterOf(reading, flags, world);
  const afterId = flags.after === undefined ? undefined : (await findException(transaction, schema, flags.after)).id;
  const limit = flags.limit ?? (flags.output === 'table' ? 50 : undefined);
  const page = { sort: flags.sort, afterId };
  const exceptions = streamExceptions(transaction, schema, filter, { ...page, limit });
  if (limit === undefined) return printExceptions(exceptions, flags.output, world, 'worklist');
  const shown = { count: 0, lastId: '' };
  await printExceptions(counted(exceptions, shown), flags.output, world, 'worklist');
  if (hasLeft(world.stdout)) return;
  const more = shown.count === limit && (await countExceptions(transaction, schema, filter, page)) > limit;
  const next = more ? nextCommand(flags, shown.lastId) : undefined;
  if (flags.output === 'table' || next !== undefined) await printFoot(reading, filter, shown.count, next, world);
}

/** Passes them on, and notes how many there were and which was the last one. */
async function* counted(exceptions: Items<StoredException>, seen: { count: number; lastId: string }) {
  for await (const exception of exceptions) {
    seen.count += 1;
    seen.lastId = exception.id ?? '';
    yield exception;
  }
}

async function printFoot(
  { transaction, schema, config }: Reading,
  filter: ExceptionFilter,
  shown: number,
  next: string | undefined,
  world: World,
): Promise<void> {
  const { totalsOf } = await import('../exceptions/list-totals.ts');
  const { footOf } = await import('../output/exceptions.ts');
  const { screenOf } = await import('../output/screen.ts');
  // what is not open is counted apart, so that nobody takes it for gone
  const status = filter.status === 'open' ? 'unresolved' : filter.status;
  const totals = await totalsOf(transaction, schema, { ...filter, status });
  const isListed = ({ state }: Total) => filter.status !== 'open' || state === 'open';
  const foot = { shown, totals: totals.filter(isListed), apart: totals.filter((total) => !isListed(total)), next };
  await print(world.stderr, footOf(config.environment, foot, screenOf(world.stderr, world)));
}

/** The same list, from the last exception shown on. */
function nextCommand(flags: ListFlags, lastId: string): string {
  return [
    'recon exceptions list',
    ...filterWords(flags),
    ...(flags.sort === 'severity' ? [] : [`--sort ${flags.sort}`]),
    ...(flags.limit === undefined ? [] : [`--limit ${flags.limit}`]),
    `--after ${lastId.slice(0, 8)}`,
  ].join(' ');
}

/** Prints exceptions as a result; a worklist is CSV that is to come back. */
export async function printExceptions(
  exceptions: Items<StoredException>,
  format: OutputFormat,
  world: World,
  purpose: 'worklist' | 'result' = 'result',
): Promise<void> {
  const { exceptionColumns, exceptionRows, exceptionTable, worklistColumns } = await import('../output/exceptions.ts');
  if (format === 'json') {
    const { toJson } = await import('../output/json.ts');
    return print(world.stdout, toJson({}, { name: 'exceptions', items: exceptions }));
  }
  if (format === 'csv') {
    const { toCsv } = await import('../output/csv.ts');
    const columns = [...exceptionColumns, ...(purpose === 'worklist' ? worklistColumns : [])];
    return print(world.stdout, toCsv(columns, exceptionRows(exceptions)));
  }
  const { screenOf } = await import('../output/screen.ts');
  const screen = screenOf(world.stdout, world);
  return print(
    world.stdout,
    partByPart(exceptions, (part) => exceptionTable(part, world.now(), screen)),
  );
}

/** A long list is told in several tables, each with its header: no more than one is in memory. */
async function* partByPart(exceptions: Items<StoredException>, toTable: (part: StoredException[]) => string) {
  for await (const part of partsOf(exceptions, 1_000)) yield toTable(part);
}
