import { Command, InvalidArgumentError } from 'commander';
import { checkNames, type CheckName } from '../checks/names.ts';
import type { Config } from '../config.ts';
import { parseDuration } from '../duration.ts';
import { severities } from '../kinds.ts';
import { listOf, type Items } from '../database/list-of.ts';
import { OperatorError } from '../operator-error.ts';
import { runTypes, type RunType } from '../reports.ts';
import type { RunOptions } from '../run/engine.ts';
import type { FailOn, RunResult } from '../run/result.ts';
import type { ScheduledType } from '../schedule/schedule.ts';
import { isUuid } from '../uuid.ts';
import type { World } from '../world.ts';
import {
  assertSpan,
  choice,
  choices,
  idPrefix,
  moment,
  outputOption,
  type CommandContext,
  type OutputFormat,
} from './options.ts';
import { print, tell } from './print.ts';

interface RunFlags {
  type: RunType;
  check?: CheckName[];
  since?: string;
  until?: string;
  user?: string;
  dryRun?: true;
  acceptFewer?: true;
  canary?: true;
  failOn: FailOn;
  wait?: number;
  output: OutputFormat;
}

const examples = `
Examples:
  recon run --type hourly --fail-on high      as schedulers call it: 2 only while something high or critical stands
  recon run --type daily -o json              the whole result for a machine
  recon run --check deposits --since 7d       one check over the records of a week; clears nothing
  recon run --dry-run                         reads and prints, stores nothing; needs no tables of recon

There is one run at a time in a schema, dry runs too: while another one holds the lock, exit code 4 says whose it is.

Exit codes: recon help exit-codes`;

/** `recon run`. */
export function runCommand(context: CommandContext): Command {
  return new Command('run')
    .description('compare ledger, operational tables, Circle and Alpaca, and store what was found')
    .addOption(choice('--type <type>', 'what kind of run this is', runTypes).default('manual'))
    .addOption(choices('--check <name>', 'only this check', checkNames))
    .option('--since <time>', 'manual only: records from this time on (7d, 2026-11-01, RFC 3339)')
    .option('--until <time>', 'manual only: records before this time')
    .option(
      '--user <id>',
      'manual only: records of this user (a prefix of the id; with --dry-run the whole id)',
      idPrefix,
    )
    .option('--dry-run', 'read, compare and print; store nothing')
    .addOption(
      choice('--fail-on <severity>', 'lowest severity of a finding that exits 2', [...severities, 'never']).default(
        'low',
      ),
    )
    .option('--wait <duration>', 'how long to wait for another run to end (daily 15m, else 0s)', waitDuration)
    .option('--canary', 'let each check of the database also find known faults in built-in rows (daily runs do)')
    .option('--accept-fewer', 'believe a source that lost more than half of its records since the last run')
    .addOption(outputOption('table', 'json', 'csv'))
    .addHelpText('after', examples)
    .action(async (_flags, command: Command) => {
      const { world, exitWith } = context;
      const flags = command.optsWithGlobals<RunFlags>();
      exitWith(await execute(flags, world));
    });
}

async function execute(flags: RunFlags, world: World) {
  const { parseConfig } = await import('../config.ts');
  const config = parseConfig(world.env);
  if (!config.enabled && flags.type !== 'manual') return announceDisabled(config, flags.type, flags.output, world);
  const options = await toOptions(flags, config, world);
  const { run } = await import('../run/run.ts');
  const { exitCodeOf } = await import('../run/result.ts');
  const { runTalk } = await import('../talk/run-talk.ts');
  const { exposed, tooLate } = await import('../doctor/env-file.ts');
  const talk = runTalk(config, world);
  for (const { message, next } of exposed(world)) talk.trouble('env_file.exposed', `${message} ${next ?? ''}`);
  for (const { message, next } of tooLate(world)) talk.trouble('env_file.too_late', `${message} ${next ?? ''}`);
  const result = await run(config, options, world, talk).finally(talk.end);
  world.signal.throwIfAborted(); // it is stored, but somebody may not have been told
  const exitCode = exitCodeOf(result, flags.failOn);
  await print(world.stdout, await render(result, flags.output, world));
  const { outcomeLine } = await import('../output/report-screen.ts');
  await tell(world, `recon: ${outcomeLine(result.report, result.checks, result.found)}; exit ${exitCode}\n`);
  return exitCode;
}

/** What cannot be remembered or pushed is said, and changes nothing: nothing was to be done. */
async function announceDisabled(config: Config, type: ScheduledType, output: OutputFormat, world: World): Promise<0> {
  const { toJson } = await import('../output/json.ts');
  if (output === 'json') await print(world.stdout, toJson({ report: null, checks: [], exceptions: [] }));
  const { standDown } = await import('../run/stand-down.ts');
  await standDown(config, type, world).catch(async (error: unknown) => {
    if (!(error instanceof OperatorError)) throw error;
    const { createMask } = await import('../secrets.ts');
    await tell(world, createMask(world.env)(`recon: ${error.message}\n`));
  });
  await tell(world, `recon: RECONCILIATION_ENABLED is false: the ${type} run did nothing; exit 0\n`);
  return 0;
}

async function toOptions(flags: RunFlags, config: Config, world: World): Promise<RunOptions> {
  const scope = scopeOf(flags, world.now());
  const { chooseChecks } = await import('../checks/choice.ts');
  const { defaultWaitMs } = await import('../run/timeout.ts');
  return {
    type: flags.type,
    checks: chooseChecks(flags.check, config, scope),
    scope: { ...scope, userId: scope.userId && (await wholeUserId(scope.userId, flags, world)) },
    dryRun: flags.dryRun === true,
    waitMs: flags.wait ?? defaultWaitMs[flags.type],
    acceptFewer: flags.acceptFewer === true,
    canary: flags.canary === true || flags.type === 'daily',
  };
}

/** What a manual run is narrowed to; the user as they were named. Throws an OperatorError (64) where that makes no sense. */
function scopeOf(flags: RunFlags, now: Date): RunOptions['scope'] {
  const scope = {
    since: moment('--since', flags.since, now),
    until: moment('--until', flags.until, now),
    userId: flags.user ?? null,
  };
  const narrowed = Object.values(scope).some((limit) => limit !== null);
  if (narrowed && flags.type !== 'manual')
    throw new OperatorError(
      64,
      `A run of --type ${flags.type} is not narrowed.`,
      '--since, --until and --user belong to --type manual.',
    );
  assertSpan(scope.since, '--until', scope.until, now);
  return scope;
}

/** The id of the user that begins so: of a part of it only the tables of recon can tell. */
async function wholeUserId(idPrefix: string, { dryRun }: RunFlags, world: World): Promise<string> {
  if (isUuid(idPrefix)) return idPrefix.toLowerCase();
  if (dryRun === true)
    throw new OperatorError(
      64,
      `--user ${idPrefix} is no whole id.`,
      'A dry run takes a whole one: it works without the tables of recon, in which the others are looked up.',
    );
  const { findUser } = await import('../exceptions/users.ts');
  const { withReading } = await import('./store.ts');
  return withReading(world, ({ transaction, schema }) => findUser(transaction, schema, idPrefix));
}

function waitDuration(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) throw new InvalidArgumentError('It must be a duration such as 0s, 90s or 15m.');
  return milliseconds;
}

async function render(result: RunResult, format: OutputFormat, world: World): Promise<string | Items<string>> {
  const { report, checks, exceptions } = result;
  if (format === 'json') {
    const { toJson } = await import('../output/json.ts');
    return toJson({ report, checks }, { name: 'exceptions', items: exceptions() });
  }
  if (format === 'csv') {
    const { exceptionColumns, exceptionRows } = await import('../output/exceptions.ts');
    return (await import('../output/csv.ts')).toCsv(exceptionColumns, exceptionRows(exceptions()));
  }
  const { listedExceptions, reportScreen } = await import('../output/report-screen.ts');
  const { screenOf } = await import('../output/screen.ts');
  const listed = await listOf(exceptions(listedExceptions));
  return reportScreen(report, checks, listed, world.now(), screenOf(world.stdout, world));
}
