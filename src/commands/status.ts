import { Command } from 'commander';
import { asCalled } from '../shell.ts';
import type { World } from '../world.ts';
import { outputOption, type CommandContext, type OutputFormat } from './options.ts';
import { print } from './print.ts';
import { withReading } from './store.ts';

const explanation = `
Examples:
  recon status
  recon status -o json | jq '.runs[] | select(.overdue)'

A run is overdue 30 minutes after it was expected (RECONCILIATION_HOURLY_INTERVAL after the last one, and at
RECONCILIATION_DAILY_RUN_TIME), of a shorter interval than an hour after half of it. A daily run counts as an hourly
one, one that left out checks as none. While RECONCILIATION_ENABLED was false nothing was missed.

Verified through: whatever was created before that moment was looked at by a complete run. An hourly run looks at
what came, was not final, was booked or has an open exception; what else became of an old row, edited or deleted,
is found when everything is looked at again, by the next daily run. Circle and Alpaca are totals, compared whole by
every run.`;

/** `recon status`. */
export function statusCommand(context: CommandContext): Command {
  return new Command('status')
    .description('the morning screen: runs and schedule, each check, what is open, the trend, what to do next')
    .addOption(outputOption('table', 'json'))
    .addHelpText('after', explanation)
    .action(async (_flags, command: Command) => {
      await show(command.optsWithGlobals<{ output: OutputFormat }>().output, context.world);
    });
}

async function show(format: OutputFormat, world: World): Promise<void> {
  const { statusOf } = await import('../status/status.ts');
  const status = await withReading(world, ({ transaction, schema, config }) =>
    statusOf(transaction, schema, config, world.now()),
  );
  if (format === 'json') {
    const { toJson } = await import('../output/json.ts');
    const next = status.next.map(({ command, why }) => ({ command: asCalled(command, world.envFile), why }));
    return print(world.stdout, toJson({ ...status, next }));
  }
  const { statusScreen } = await import('../output/status.ts');
  const { screenOf } = await import('../output/screen.ts');
  return print(world.stdout, statusScreen(status, world.now(), screenOf(world.stdout, world)));
}
