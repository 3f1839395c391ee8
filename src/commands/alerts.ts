import { Command } from 'commander';
import type { Delivered } from '../alerts/deliver.ts';
import type { StoredAlert } from '../alerts/outbox.ts';
import { alertStates, type AlertState } from '../alerts/states.ts';
import type { TargetName } from '../alerts/target.ts';
import { OperatorError } from '../operator-error.ts';
import { plain } from '../plain.ts';
import type { World } from '../world.ts';
import {
  choices,
  gather,
  idPrefix,
  limitOption,
  outputOption,
  type CommandContext,
  type OutputFormat,
} from './options.ts';
import { print, tell } from './print.ts';
import { printList } from './print-list.ts';
import { inReading, withReading, withStore, type Store } from './store.ts';

const explanation = `
A run writes what it has to tell into an outbox, in the transaction that stores what it found, and delivers it then. What
a target does not take waits for the next run, under the same id, until it is older than RECONCILIATION_ALERT_MAX_AGE.

Examples:
  recon alerts list --state waiting --state dead    what nobody has heard of yet
  recon alerts retry                                deliver it now, what was given up too
  recon alerts test                                 does every target take a message?`;

/** `recon alerts`. */
export function alertsCommand(context: CommandContext): Command {
  return new Command('alerts')
    .description('what was told to Slack, PagerDuty and webhooks, and what could not be')
    .addHelpText('after', explanation)
    .addCommand(listCommand(context))
    .addCommand(retryCommand(context))
    .addCommand(testCommand(context));
}

interface ListFlags {
  state?: AlertState[];
  limit: number;
  output: OutputFormat;
}

function listCommand(context: CommandContext): Command {
  return new Command('list')
    .description('alerts, the newest first')
    .addOption(choices('--state <state>', 'only those in this state', alertStates))
    .addOption(limitOption().default(20))
    .addOption(outputOption('table', 'json', 'csv'))
    .addHelpText('after', '\nExample:\n  recon alerts list --state waiting --state dead')
    .action(async (_flags, command: Command) => {
      const { world } = context;
      await list(command.optsWithGlobals<ListFlags>(), world);
    });
}

async function list(flags: ListFlags, world: World): Promise<void> {
  const { listAlerts } = await import('../alerts/outbox.ts');
  const filter = { states: flags.state ?? [], limit: flags.limit };
  const { alerts, matching, targets } = await withReading(world, async ({ transaction, schema, config }) => ({
    ...(await listAlerts(transaction, schema, filter)),
    targets: config.alerts.targets,
  }));
  const { alertColumns: columns, alertTable: table } = await import('../output/alerts.ts');
  await printList({ noun: 'alert', items: alerts, matching, columns, table }, flags.output, world);
  if (targets.length === 0) await tell(world, `recon: ${nobodyIsTold.message}\n${nobodyIsTold.hint}\n`);
}

function retryCommand(context: CommandContext): Command {
  return new Command('retry')
    .description(
      'deliver now what waits, and what was given up; exit code 3 if something is left, 2 if one that you name cannot be told any more',
    )
    .argument<string[]>('[id...]', 'which of what was given up (default: all of it)', (id, others) =>
      gather(idPrefix(id), others),
    )
    .addHelpText('after', '\nExamples:\n  recon alerts retry\n  recon alerts retry 3f2a91bc')
    .action(async (ids: string[]) => {
      const { world } = context;
      await withStore(world, async (store) => {
        const named = (await find(store, ids)).map(({ id }) => id);
        const results = await retry(store, named, world);
        for (const result of results) await print(world.stdout, `${result.target}: ${describe(result)}\n`);
        const now = await find(store, named);
        for (const alert of now)
          await print(world.stdout, `${alert.id.slice(0, 8)}: ${describeState(alert, results)}\n`);
        const isLeft = ({ state, target }: StoredAlert) => state === 'waiting' && has(results, target);
        if (results.some(({ left }) => left > 0) || now.some(isLeft)) context.exitWith(3);
        else if (now.some(({ state }) => state !== 'delivered')) context.exitWith(2);
      });
    });
}

async function find(store: Store, ids: readonly string[]): Promise<StoredAlert[]> {
  const { findAlert } = await import('../alerts/outbox.ts');
  return inReading(store, ({ transaction, schema }) =>
    Promise.all(ids.map((id) => findAlert(transaction, schema, id))),
  );
}

async function retry({ database, schema, config }: Store, ids: readonly string[], world: World): Promise<Delivered[]> {
  assertTargets(config.alerts.targets.length);
  const { announceActions } = await import('../alerts/announce.ts');
  const { deliverAlerts } = await import('../alerts/deliver.ts');
  const { revive } = await import('../alerts/outcome.ts');
  const { inTransaction } = await import('../database/database.ts');
  const { createMask } = await import('../secrets.ts');
  const mask = createMask(world.env);
  await inTransaction(database, 'read write', (transaction) => revive(transaction, schema, ids));
  await announceActions(database, schema, config, { now: world.now(), mask });
  return deliverAlerts(database, schema, config, world, mask);
}

/** What became of an alert that was asked for by its id: it may be overtaken, or its target not configured any more. */
function describeState({ state, target, last_error: error }: StoredAlert, results: readonly Delivered[]): string {
  if (state === 'delivered') return state;
  const reason = has(results, target) ? error : `${target} is not configured any more`;
  return reason === null ? state : `${state}, ${plain(reason)}`;
}

function has(results: readonly Delivered[], target: StoredAlert['target']): boolean {
  return results.some((result) => result.target === target);
}

function describe({ delivered, left, problem }: Delivered): string {
  return `${delivered} delivered${left === 0 ? '' : `, ${left} left (${problem ?? 'the time was over'})`}`;
}

function testCommand(context: CommandContext): Command {
  return new Command('test')
    .description('send a test message to every target; exit code 3 if one does not take it')
    .addHelpText('after', '\nExample:\n  recon alerts test')
    .action(async () => {
      const { world } = context;
      const { parseConfig } = await import('../config.ts');
      const config = parseConfig(world.env);
      assertTargets(config.alerts.targets.length);
      const { tryTargets } = await import('../alerts/trial.ts');
      const { createMask } = await import('../secrets.ts');
      const results = await tryTargets(config, world, createMask(world.env));
      for (const { target, host, problem } of results)
        await print(world.stdout, `${target} at ${host}: ${problem ?? 'took it'}\n`);
      const refused = results.filter(({ problem }) => problem !== null);
      if (refused.length === 0) return;
      throw new OperatorError(
        3,
        `${refused.length} of ${results.length} targets did not take the test message.`,
        `${adviceFor(refused)}; then \`recon alerts test\` again.`,
      );
    });
}

/** Of what answered it is known that it can be reached. */
function adviceFor(refused: readonly { target: TargetName; answered: boolean }[]): string {
  const named = (those: typeof refused) => those.map(({ target }) => variableOf[target]).join(', ');
  const silent = refused.filter(({ answered }) => !answered);
  if (silent.length === 0) return `Check ${named(refused)}: the host was reached, and answered that`;
  return `Check ${named(refused)}, and whether this machine may connect to the host of ${named(silent)}`;
}

/** Where each target is set. */
const variableOf: Readonly<Record<TargetName, string>> = {
  slack: 'RECONCILIATION_ALERT_SLACK_URL (or …_WEBHOOK_URL)',
  pagerduty: 'RECONCILIATION_ALERT_PAGERDUTY_KEY',
  webhook: 'RECONCILIATION_ALERT_WEBHOOK_URL',
};

const nobodyIsTold = {
  message: 'No target of alerts is set: nobody is told of anything.',
  hint: 'Set RECONCILIATION_ALERT_WEBHOOK_URL, RECONCILIATION_ALERT_SLACK_URL or RECONCILIATION_ALERT_PAGERDUTY_KEY; then `recon alerts test`.',
};

function assertTargets(count: number): void {
  if (count === 0) throw new OperatorError(78, nobodyIsTold.message, nobodyIsTold.hint);
}
