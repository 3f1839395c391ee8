import { Command } from 'commander';
import { noteOf, signatureOf } from './exceptions-change.ts';
import { byOption, type CommandContext } from './options.ts';
import { tell } from './print.ts';
import { withStore } from './store.ts';

const words = {
  stop: { stopped: true, meaning: 'stop all corrections, of runs and of people: stronger than the environment' },
  resume: { stopped: false, meaning: 'allow corrections again' },
} as const;

/** `recon corrections stop` and `resume`. */
export function switchCommand(context: CommandContext, name: keyof typeof words): Command {
  const { stopped, meaning } = words[name];
  return new Command(name)
    .description(meaning)
    .addOption(byOption())
    .requiredOption('--note <text>', 'why; whoever wants to correct is told')
    .addHelpText('after', `\nExample:\n  recon corrections ${name} --note "ticket 812"`)
    .action(async (flags: { by?: string; note: string }) => {
      const { world } = context;
      await withStore(world, async ({ database, schema, config }) => {
        const signature = signatureOf(flags, world);
        const { setSwitch } = await import('../corrections/switch.ts');
        const { plain } = await import('../plain.ts');
        await setSwitch(database, schema, stopped, noteOf(flags), signature);
        const now = stopped ? 'stopped' : 'allowed';
        const line = `corrections are ${now} in ${config.environment}, by ${signature.by}`;
        await tell(world, `recon: ${plain(line)}; exit 0\n`);
      });
    });
}
