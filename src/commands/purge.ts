import { Command, Option } from 'commander';
import { OperatorError } from '../operator-error.ts';
import type { PurgeOrder } from '../purge/log.ts';
import type { Purge, PurgePlan } from '../purge/plan.ts';
import type { World } from '../world.ts';
import { confirm } from './confirm.ts';
import { noteOf, signatureOf } from './exceptions-change.ts';
import { byOption, moment, outputOption, yesOption, type CommandContext, type OutputFormat } from './options.ts';
import { print } from './print.ts';
import { inReading, withReading, withStore, type Store } from './store.ts';

/** How many days of runs every screen looks back at, and one more: a younger limit would change what they say. */
const keptDaysMin = 31;

const explanation = `
Of the hourly and manual runs before that time it deletes those that an exception, its log, a correction or an alert does
not name, and of the others what they saw between an exception’s first and last sighting; and the texts of alerts that
were delivered before it. Exceptions and their log, daily runs, runs that could not tell or were interrupted, the totals of
the metrics, to whom an alert was delivered and when, and alerts that nobody took stay for ever. What went, how much of
each day, by whom and why stays on record: --log shows it. It needs the rights of recon_purger (sql/roles.sql), may be
stopped at any time, and never stands in the way of a run.

Examples:
  recon purge --dry-run
  recon purge --older-than 180d --note "ticket 812"
  recon purge --yes --by cron  # once a week, by whatever starts the runs
  recon purge --log`;

interface Flags {
  olderThan: string;
  by?: string;
  note?: string;
  dryRun?: boolean;
  log?: boolean;
  yes?: boolean;
  output: OutputFormat;
}

/** `recon purge`. */
export function purgeCommand(context: CommandContext): Command {
  return new Command('purge')
    .description('delete what old runs left and nobody needs; exceptions, their log and daily runs stay')
    .addOption(
      new Option(
        '--older-than <time>',
        `from before this time: 90d ago, or a date; at least ${keptDaysMin}d ago`,
      ).default('90d'),
    )
    .addOption(byOption())
    .option('--note <text>', 'why; it stays on record')
    .option('--dry-run', 'only say what would be deleted')
    .addOption(
      new Option('--log', 'only say what was deleted so far, when, and by whom; -o json of each day').conflicts([
        'olderThan',
        'by',
        'note',
        'dryRun',
        'yes',
      ]),
    )
    .addOption(yesOption())
    .addOption(outputOption('table', 'json'))
    .addHelpText('after', explanation)
    .action(async (_flags, command: Command) => {
      const { world } = context;
      const flags = command.optsWithGlobals<Flags>();
      if (flags.log === true) return printLog(flags.output, world);
      const before = limitOf(flags.olderThan, world.now());
      const note = noteOf(flags);
      await withStore(world, (store) =>
        flags.dryRun === true
          ? dryRun(store, before, flags.output, world)
          : purgeStore(store, { ...signatureOf(flags, world), note, before }, flags, world),
      );
    });
}

const hint = `Give ${keptDaysMin}d or more, or a date (UTC) such as 2026-01-31.`;

/** Throws an OperatorError (64) for a time that the screens still look back at. */
function limitOf(text: string, now: Date): string {
  const before = moment('--older-than', text, now, hint) ?? '';
  if (Date.parse(before) <= now.getTime() - keptDaysMin * 86_400_000) return before;
  throw new OperatorError(
    64,
    `--older-than ${text} is too young: status and charts look ${keptDaysMin} days back.`,
    hint,
  );
}

async function dryRun(store: Store, before: string, output: OutputFormat, world: World): Promise<void> {
  await printPurge(before, await planOf(store, before), { output, isPlan: true }, world);
}

async function planOf(store: Store, before: string): Promise<PurgePlan> {
  const { planPurge } = await import('../purge/plan.ts');
  return inReading(store, ({ transaction, schema }) => planPurge(transaction, schema, before));
}

async function purgeStore(store: Store, order: PurgeOrder, flags: Flags, world: World): Promise<void> {
  const { database, schema, config } = store;
  const plan = await planOf(store, order.before);
  if (flags.yes !== true && plan.runs + plan.sightings + plan.alertBodies > 0) {
    const { purgeText } = await import('../output/purge.ts');
    await print(world.stderr, purgeText(plan, plan, true));
    await confirm('purge', 'This deletes rows for good', `in ${config.environment}`, world);
  }
  const { purge } = await import('../purge/purge.ts');
  const done = await purge(database, schema, plan, { order, signal: world.signal });
  await printPurge(order.before, done, { output: flags.output, isPlan: false }, world);
}

async function printPurge(
  before: string,
  purge: Purge,
  { output, isPlan }: { output: OutputFormat; isPlan: boolean },
  world: World,
): Promise<void> {
  if (output === 'json') {
    const { toJson } = await import('../output/json.ts');
    const { runs, checks, sightings, alertBodies } = purge;
    const deleted = { runs, checks, sightings, alert_bodies: alertBodies };
    return print(world.stdout, toJson({ before, dry_run: isPlan, deleted }));
  }
  const { purgeText } = await import('../output/purge.ts');
  await print(world.stdout, purgeText({ before }, purge, isPlan));
}

async function printLog(output: OutputFormat, world: World): Promise<void> {
  const { listPurges } = await import('../purge/log.ts');
  const purges = await withReading(world, ({ transaction, schema }) => listPurges(transaction, schema));
  if (output === 'json') {
    const { toJson } = await import('../output/json.ts');
    return print(world.stdout, toJson({}, { name: 'purges', items: purges }));
  }
  if (purges.length === 0) return print(world.stderr, 'No purge was made.\n');
  const { purgeLogTable } = await import('../output/purge.ts');
  const { screenOf } = await import('../output/screen.ts');
  await print(world.stdout, purgeLogTable(purges, screenOf(world.stdout, world)));
}
