import { Command } from 'commander';
import type { World } from '../world.ts';
import { OperatorError } from '../operator-error.ts';
import type { CommandContext } from './options.ts';
import { print, tell } from './print.ts';
import { withReading, withStore } from './store.ts';

const explanation = `
Every number comes from the database: what was counted stands there as totals that only grow. Each run pushes all of
them when it begins and when it ends; push does the same by hand, after the Pushgateway has lost its data.`;

/** `recon metrics`. */
export function metricsCommand(context: CommandContext): Command {
  return new Command('metrics')
    .description('the metrics for Prometheus')
    .addHelpText('after', explanation)
    .addCommand(
      new Command('print')
        .description('print them in the text format of Prometheus')
        .addHelpText('after', '\nExample:\n  recon metrics print | promtool check metrics')
        .action(() => printMetrics(context.world)),
    )
    .addCommand(
      new Command('push')
        .description('push them to PUSHGATEWAY_URL')
        .addHelpText('after', '\nExample:\n  recon metrics push')
        .action(() => pushByHand(context.world)),
    );
}

async function printMetrics(world: World): Promise<void> {
  const { metricsText } = await import('../metrics/snapshot.ts');
  const text = await withReading(world, ({ transaction, schema, config }) =>
    metricsText(transaction, schema, config, world.now()),
  );
  await print(world.stdout, text);
}

async function pushByHand(world: World): Promise<void> {
  await withStore(world, async ({ database, schema, config }) => {
    if (config.pushgatewayUrl === undefined)
      throw new OperatorError(78, 'PUSHGATEWAY_URL is not set: there is nowhere to push to.');
    const { pushMetrics } = await import('../metrics/pushgateway.ts');
    await pushMetrics(database, schema, config, world);
    await tell(world, `recon: pushed to ${new URL(config.pushgatewayUrl).host}\n`);
  });
}
