import { Command, Option } from 'commander';
import { OperatorError } from '../operator-error.ts';
import { keptDaysMin, type Purge, type PurgePlan } from '../purge.ts';
import type { World } from '../world.ts';
import { confirm } from './confirm.ts';
import { moment, outputOption, yesOption, type CommandContext, type OutputFormat } from './options.ts';
import { print } from './print.ts';
import { inReading, withStore, type Store } from './store.ts';

const explanation = `
Of the hourly and manual runs before that time it deletes those in which no exception was seen first or last, and of the
others what they saw in between; and the alerts that were delivered before it. Exceptions and their log, daily runs, the
totals of the metrics, and alerts that nobody took stay for ever. It needs the rights of recon_purger (sql/roles.sql), may
be stopped at any time, and never stands in the way of a run.

Examples:
  recon purge --dry-run
  recon purge --older-than 180d
  recon purge --yes  # once a week, by whatever starts the runs`;

interface Flags {
  olderThan: string;
  dryRun?: boolean;
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
    .option('--dry-run', 'only say what would be deleted')
    .addOption(yesOption())
    .addOption(outputOption('table', 'json'))
    .addHelpText('after', explanation)
    .action(async (_flags, command: Command) => {
      const { world } = context;
      const flags = command.optsWithGlobals<Flags>();
      const before = limitOf(flags.olderThan, world.now());
      await withStore(world, (store) => purgeStore(store, before, flags, world));
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

async function purgeStore(store: Store, before: string, flags: Flags, world: World) {
  const { planPurge, purge } = await import('../purge.ts');
  const { database, schema, config } = store;
  const plan = await inReading(store, ({ transaction }) => planPurge(transaction, schema, before));
  if (flags.dryRun === true) return printPurge(plan, plan, flags, world);
  if (flags.yes !== true && plan.runs + plan.sightings + plan.alerts > 0) {
    const { purgeText } = await import('../output/purge.ts');
    await print(world.stderr, purgeText(plan, plan, true));
    await confirm('purge', 'This deletes rows for good', `in ${config.environment}`, world);
  }
  const done = await purge(database, schema, plan, { now: world.now().toISOString(), signal: world.signal });
  await printPurge(plan, done, flags, world);
}

async function printPurge(
  { before }: PurgePlan,
  { runs, checks, sightings, alerts }: Purge,
  flags: Flags,
  world: World,
) {
  const dryRun = flags.dryRun === true;
  if (flags.output === 'json') {
    const { toJson } = await import('../output/json.ts');
    return print(world.stdout, toJson({ before, dry_run: dryRun, deleted: { runs, checks, sightings, alerts } }));
  }
  const { purgeText } = await import('../output/purge.ts');
  await print(world.stdout, purgeText({ before }, { runs, checks, sightings, alerts }, dryRun));
}
