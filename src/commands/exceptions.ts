import { Command, Option } from 'commander';
import type { Database } from '../database.ts';
import type { StoredException } from '../exceptions/exception.ts';
import type { ExceptionFilter } from '../exceptions/store.ts';
import { kinds as knownKinds, severities as knownSeverities, type Severity } from '../kinds.ts';
import { checkNames } from '../checks/names.ts';
import { listOf, type Items } from '../list-of.ts';
import { OperatorError } from '../operator-error.ts';
import { plain } from '../plain.ts';
import type { World } from '../world.ts';
import {
  gather,
  idPrefix,
  outputOption,
  reportId,
  uuid,
  wholeNumber,
  type CommandContext,
  type OutputFormat,
} from './options.ts';
import { print } from './print.ts';
import { makeChangeKnown, withStore, type Store } from './store.ts';

/** `recon exceptions`. */
export function exceptionsCommand(context: CommandContext): Command {
  return new Command('exceptions')
    .description('the discrepancies that were found, and what became of them')
    .addCommand(listCommand(context))
    .addCommand(showCommand(context))
    .addCommand(resolveCommand(context));
}

interface ListFlags {
  status: ExceptionFilter['status'];
  severity?: Severity[];
  check?: string[];
  kind?: string[];
  user?: string;
  report?: string;
  limit?: number;
  after?: string;
  output: OutputFormat;
}

function listCommand(context: CommandContext): Command {
  return new Command('list')
    .description('exceptions, the most severe first')
    .addOption(new Option('--status <status>', 'which ones').choices(['open', 'resolved', 'all']).default('open'))
    .addOption(repeatable('--severity <severity>', 'of this severity', knownSeverities))
    .addOption(repeatable('--check <name>', 'of this check', checkNames))
    .addOption(
      repeatable(
        '--kind <name>',
        'of this kind',
        knownKinds.map(({ name }) => name),
      ),
    )
    .option('--user <id>', 'of this user', uuid)
    .option('--report <id>', 'seen by this report (a prefix of its id, or latest)', reportId)
    .option('-L, --limit <number>', 'at most so many (table: 50)', wholeNumber)
    .option('--after <id>', 'only those that come after this one (a prefix of its id)')
    .addOption(outputOption('table', 'json', 'csv'))
    .addHelpText(
      'after',
      '\nExamples:\n  recon exceptions list --severity critical --severity high\n  recon exceptions list --status all --report latest -o csv',
    )
    .action(async (_flags, command: Command) => {
      const { world } = context;
      const flags = command.optsWithGlobals<ListFlags>();
      await withStore(world, (store) => list(store, flags, world));
    });
}

function repeatable(flags: string, description: string, choices: readonly string[]): Option {
  const option = new Option(flags, `${description} (repeatable)`).choices(choices);
  const parse = option.parseArg;
  return option.argParser<string[]>((value, previous) => {
    parse?.(value, undefined); // refuses what is not a choice
    return gather(value, previous);
  });
}

async function list({ database, schema, config }: Store, flags: ListFlags, world: World): Promise<void> {
  const { countExceptions, findException, streamExceptions } = await import('../exceptions/store.ts');
  const filter = await filterOf(database, schema, flags);
  const after = flags.after === undefined ? undefined : await findException(database, schema, flags.after);
  const limit = flags.limit ?? (flags.output === 'table' ? 50 : undefined);
  const exceptions = streamExceptions(database, schema, filter, { after, limit });
  if (limit === undefined) return printExceptions(exceptions, flags.output, world);
  const shown = await listOf(exceptions);
  const { matching, following } = await countExceptions(database, schema, filter, after);
  await printExceptions(shown, flags.output, world);
  const last = shown.at(-1)?.id ?? undefined;
  const next = last !== undefined && following > shown.length ? nextCommand(flags, filter, last) : undefined;
  if (flags.output !== 'table' && next === undefined) return;
  const { shownOf } = await import('../output/exceptions.ts');
  return print(world.stderr, `${plain(config.environment)}: ${shownOf(shown.length, matching, next)}`);
}

async function filterOf(database: Database, schema: string, flags: ListFlags): Promise<ExceptionFilter> {
  const { findReport } = await import('../reports.ts');
  return {
    status: flags.status,
    severities: flags.severity ?? [],
    checks: flags.check ?? [],
    kinds: flags.kind ?? [],
    userId: flags.user,
    reportId: flags.report === undefined ? undefined : (await findReport(database, schema, flags.report)).id,
  };
}

/** The same list, from the last exception shown on. All of its values are names, numbers or ids: none needs quotes. */
function nextCommand({ limit }: ListFlags, filter: ExceptionFilter, lastId: string): string {
  const { status, severities, checks, kinds, userId, reportId } = filter;
  return [
    'recon exceptions list',
    ...(status === 'open' ? [] : [`--status ${status}`]),
    ...severities.map((value) => `--severity ${value}`),
    ...checks.map((value) => `--check ${value}`),
    ...kinds.map((value) => `--kind ${value}`),
    ...(userId === undefined ? [] : [`--user ${userId}`]),
    ...(reportId === undefined ? [] : [`--report ${reportId.slice(0, 8)}`]),
    ...(limit === undefined ? [] : [`--limit ${limit}`]),
    `--after ${lastId.slice(0, 8)}`,
  ].join(' ');
}

async function printExceptions(exceptions: Items<StoredException>, format: OutputFormat, world: World): Promise<void> {
  const { exceptionColumns, exceptionTable } = await import('../output/exceptions.ts');
  if (format === 'json') {
    const { toJson } = await import('../output/json.ts');
    return print(world.stdout, toJson({}, { name: 'exceptions', items: exceptions }));
  }
  if (format === 'csv')
    return print(world.stdout, (await import('../output/csv.ts')).toCsv(exceptionColumns, exceptions));
  const { screenOf } = await import('../output/screen.ts');
  const shown = await listOf(exceptions);
  if (shown.length > 0) await print(world.stdout, exceptionTable(shown, screenOf(world.stdout, world.env)));
}

function showCommand(context: CommandContext): Command {
  return new Command('show')
    .description('the whole story of one exception')
    .argument('<id>', 'its id, or the first characters of it', idPrefix)
    .addOption(outputOption('table', 'json'))
    .action(async (id: string, _flags, command: Command) => {
      const { world } = context;
      const flags = command.optsWithGlobals<{ output: OutputFormat }>();
      await withStore(world, (store) => show(store, id, flags.output, world));
    });
}

async function show(
  { database, schema, config }: Store,
  id: string,
  format: OutputFormat,
  world: World,
): Promise<void> {
  const { findException, historyOf } = await import('../exceptions/store.ts');
  const exception = await findException(database, schema, id);
  const history = await historyOf(database, schema, exception.id);
  if (format === 'json') {
    const { toJson } = await import('../output/json.ts');
    return print(world.stdout, toJson({ exception, ...history }));
  }
  const { exceptionStory } = await import('../output/exceptions.ts');
  const { screenOf } = await import('../output/screen.ts');
  return print(world.stdout, exceptionStory(exception, history, config.environment, screenOf(world.stdout, world.env)));
}

interface ResolveFlags {
  by?: string;
  note: string;
  output: OutputFormat;
}

function resolveCommand(context: CommandContext): Command {
  return new Command('resolve')
    .description('close exceptions by hand; all of them, or none')
    .argument<string[]>('<id...>', 'their ids, or the first characters of them', (id, others) =>
      gather(idPrefix(id), others),
    )
    .option('--by <name>', 'who closes them (default: $USER)')
    .requiredOption('--note <text>', 'why they are closed; kept for the auditor')
    .addOption(outputOption('table', 'json', 'csv'))
    .addHelpText(
      'after',
      '\nExample:\n  recon exceptions resolve 3f2a91bc --by "Ada Lovelace" --note "posted by hand, ticket 812"',
    )
    .action(async (ids: string[], _flags, command: Command) => {
      const { world } = context;
      const flags = command.optsWithGlobals<ResolveFlags>();
      const resolution = { by: nameOf(flags, world), note: noteOf(flags), at: world.now() };
      await withStore(world, async (store) => {
        const { resolveExceptions } = await import('../exceptions/store.ts');
        const resolved = await resolveExceptions(store.database, store.schema, ids, resolution);
        await makeChangeKnown(store, world);
        await printExceptions(resolved, flags.output, world);
        await print(
          world.stderr,
          `recon: ${resolved.length} resolved by ${plain(resolution.by)} in ${plain(store.config.environment)}; exit 0\n`,
        );
      });
    });
}

/** The actor of what a run does: nobody else may look like it in the log of an exception. */
const systemName = 'system';

function nameOf(flags: ResolveFlags, world: World): string {
  const name = (flags.by ?? world.env['USER'] ?? world.env['LOGNAME'] ?? '').trim();
  if (name === '') throw new OperatorError(64, 'Nobody is named who closes the exception.', 'Give --by NAME.');
  if (name.toLowerCase() === systemName)
    throw new OperatorError(64, `${systemName} is what recon itself signs with.`, 'Give your own name: --by NAME.');
  return name;
}

function noteOf(flags: ResolveFlags): string {
  const note = flags.note.trim();
  if (note === '') throw new OperatorError(64, 'The note is empty.', 'Give --note TEXT: why the exception is closed.');
  return note;
}
