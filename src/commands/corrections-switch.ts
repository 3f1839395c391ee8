import { Command } from 'commander';
import type { SwitchOrder } from '../corrections/switch.ts';
import { noteOf, signatureOf } from './exceptions-change.ts';
import { byOption, outputOption, type CommandContext, type OutputFormat } from './options.ts';
import { print, tell } from './print.ts';
import { withReading, withStore, type Store } from './store.ts';

const words = {
  stop: { stopped: true, meaning: 'stop all corrections, of runs and of people: stronger than the environment' },
  resume: { stopped: false, meaning: 'allow corrections again' },
} as const;

/** `recon corrections stop` and `resume`. */
export function setSwitchCommand(context: CommandContext, name: keyof typeof words): Command {
  const { stopped, meaning } = words[name];
  return new Command(name)
    .description(meaning)
    .addOption(byOption())
    .requiredOption('--note <text>', 'why; whoever wants to correct is told, and it stays on record')
    .addHelpText('after', `\nExample:\n  recon corrections ${name} --note "ticket 812"`)
    .action(async (flags: { by?: string; note: string }) => {
      const { world } = context;
      await withStore(world, async (store) => {
        const order = { stopped, note: noteOf(flags), ...signatureOf(flags, world) };
        const { plain } = await import('../plain.ts');
        await tell(world, `recon: ${plain(await change(store, order))}; exit 0\n`);
      });
    });
}

/** Changes the switch, and says what came of it. */
async function change({ database, schema, config }: Store, order: SwitchOrder): Promise<string> {
  const { setSwitch, stoppedSentence } = await import('../corrections/switch.ts');
  const before = await setSwitch(database, schema, order);
  const where = `in ${config.environment}`;
  if (!order.stopped && !before.stopped) return `corrections are not stopped ${where}: nothing was changed`;
  const now = `corrections are ${order.stopped ? 'stopped' : 'allowed'} ${where}, by ${order.by}`;
  return order.stopped && before.stopped ? `${now} too. ${stoppedSentence(before)} Both are on record` : now;
}

/** `recon corrections switch`. */
export function switchCommand(context: CommandContext): Command {
  return new Command('switch')
    .description('each time that all corrections were stopped and allowed again, by whom, and why; the newest first')
    .addOption(outputOption('table', 'json'))
    .addHelpText('after', '\nExample:\n  recon corrections switch -o json')
    .action(async (_flags, command: Command) => {
      const { world } = context;
      const { output } = command.optsWithGlobals<{ output: OutputFormat }>();
      const { switchChanges } = await import('../corrections/switch.ts');
      const changes = await withReading(world, ({ transaction, schema }) => switchChanges(transaction, schema));
      if (output === 'json') {
        const { toJson } = await import('../output/json.ts');
        return print(world.stdout, toJson({}, { name: 'changes', items: changes }));
      }
      if (changes.length === 0) return print(world.stderr, 'Corrections were never stopped.\n');
      const { switchTable } = await import('../output/corrections.ts');
      const { screenOf } = await import('../output/screen.ts');
      await print(world.stdout, switchTable(changes, screenOf(world.stdout, world)));
    });
}
