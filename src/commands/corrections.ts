import { Command } from 'commander';
import { approveCommand, proposeCommand, rejectCommand, undoCommand } from './corrections-decide.ts';
import { listCommand, showCommand } from './corrections-list.ts';
import { setSwitchCommand, switchCommand } from './corrections-switch.ts';
import type { CommandContext } from './options.ts';

const explanation = `
A run that looks at everything corrects by itself what is small and provably wrong, where
RECONCILIATION_AUTO_CORRECT_LOW_SEVERITY is true: a balance that is not opening + entries, and a job that is not linked to
the one transaction that names it. A deposit or withdrawal that was not posted, or with too little, is posted when one
person proposes it and another one approves. Nothing else is ever written, and never because of a custodian's balance.

Examples:
  recon corrections propose 3f2a91bc --dry-run              the rows that would be written
  recon corrections propose 3f2a91bc --note "seen at Circle"
  recon corrections approve 8c11d0aa --by Grace
  recon corrections stop --note "ticket 812"                from now on nothing is written, whatever the environment says`;

/** `recon corrections`. */
export function correctionsCommand(context: CommandContext): Command {
  return new Command('corrections')
    .description('what recon wrote into the ledger, and what waits for a second person')
    .addHelpText('after', explanation)
    .addCommand(listCommand(context))
    .addCommand(showCommand(context))
    .addCommand(proposeCommand(context))
    .addCommand(approveCommand(context))
    .addCommand(rejectCommand(context))
    .addCommand(undoCommand(context))
    .addCommand(setSwitchCommand(context, 'stop'))
    .addCommand(setSwitchCommand(context, 'resume'))
    .addCommand(switchCommand(context));
}
