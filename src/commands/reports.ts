import { Command } from 'commander';
import { listOf } from '../database/list-of.ts';
import { listReports, runTypes, type RunType } from '../reports.ts';
import { checksOf } from '../stored-checks.ts';
import type { World } from '../world.ts';
import { choice, limitOption, outputOption, reportId, type CommandContext, type OutputFormat } from './options.ts';
import { print } from './print.ts';
import { printList } from './print-list.ts';
import { reportMeant } from './report-meant.ts';
import { withReading, type Reading } from './store.ts';

/** `recon reports`. */
export function reportsCommand(context: CommandContext): Command {
  return new Command('reports')
    .description('past runs and what they proved')
    .addCommand(listCommand(context))
    .addCommand(showCommand(context));
}

interface ListFlags {
  type?: RunType;
  limit: number;
  output: OutputFormat;
}

function listCommand(context: CommandContext): Command {
  return new Command('list')
    .description('runs, the newest first')
    .addOption(choice('--type <type>', 'only runs of this type', runTypes))
    .addOption(limitOption().default(20))
    .addOption(outputOption('table', 'json', 'csv'))
    .addHelpText('after', '\nExamples:\n  recon reports list --type daily -L 7\n  recon reports list -o csv > runs.csv')
    .action(async (_flags, command: Command) => {
      const { world } = context;
      const { type, limit, output } = command.optsWithGlobals<ListFlags>();
      const { reports, matching } = await withReading(world, ({ transaction, schema }) =>
        listReports(transaction, schema, { type, limit }),
      );
      const { reportColumns: columns, reportTable: table } = await import('../output/reports.ts');
      await printList({ noun: 'report', items: reports, matching, columns, table }, output, world);
    });
}

function showCommand(context: CommandContext): Command {
  return new Command('show')
    .description('one run: its checks, both sides of each, and its exceptions')
    .argument('[id]', 'its id, or the first characters of it', reportId, 'latest')
    .addOption(outputOption('table', 'json', 'html'))
    .addHelpText('after', showExamples)
    .action(async (id: string, _flags, command: Command) => {
      const { world } = context;
      const { output } = command.optsWithGlobals<{ output: OutputFormat }>();
      if (output === 'json') return withReading(world, (reading) => printJson(reading, id, world));
      const textOf = output === 'html' ? pageOf : screenTextOf;
      return print(world.stdout, await withReading(world, (reading) => textOf(reading, id, world)));
    });
}

const showExamples = `
Examples:
  recon reports show                              the last run that has a result
  recon reports show 0fe1c5d9 -o html > run.html  one file with charts, for a browser, a mail or a printer`;

/** Bit by bit: it may be a million exceptions. */
async function printJson(reading: Reading, id: string, world: World): Promise<void> {
  const { report, checks, exceptions } = await read(reading, id, world);
  const { toJson } = await import('../output/json.ts');
  return print(world.stdout, toJson({ report, checks }, { name: 'exceptions', items: exceptions() }));
}

async function pageOf(reading: Reading, id: string, world: World): Promise<string> {
  const { transaction, schema } = reading;
  const { report, checks, exceptions } = await read(reading, id, world);
  const { exceptionsOnPage, reportPage } = await import('../output/report-page.ts');
  const { totalsOfRun } = await import('../exceptions/totals.ts');
  const { trendUntil } = await import('../status/trend.ts');
  return reportPage({
    report,
    checks,
    trend: await trendUntil(transaction, schema, new Date(report.completed_at ?? report.started_at)),
    totals: await totalsOfRun(transaction, schema, report),
    exceptions: await listOf(exceptions(exceptionsOnPage)),
    madeAt: world.now(),
  });
}

async function screenTextOf(reading: Reading, id: string, world: World): Promise<string> {
  const { report, checks, exceptions } = await read(reading, id, world);
  const { listedExceptions, reportScreen } = await import('../output/report-screen.ts');
  const { screenOf } = await import('../output/screen.ts');
  const listed = await listOf(exceptions(listedExceptions));
  return reportScreen(report, checks, listed, world.now(), screenOf(world.stdout, world));
}

async function read(reading: Reading, id: string, world: World) {
  const { transaction, schema } = reading;
  const { anyException } = await import('../exceptions/filter.ts');
  const { streamExceptions } = await import('../exceptions/store.ts');
  const report = await reportMeant(reading, id, world);
  return {
    report,
    checks: await checksOf(transaction, schema, report.id),
    exceptions: (limit?: number) =>
      streamExceptions(transaction, schema, { ...anyException, reportId: report.id }, { limit }),
  };
}
