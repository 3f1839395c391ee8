import { Command, Option } from 'commander';
import { readArguments } from '../support/command-line.ts';
import { wholeNumber } from '../support/whole-number.ts';
import { faults, type FaultName } from './faults.ts';
import { phaseNames, type Phase } from './moments.ts';

export interface FaultsOptions {
  only: readonly FaultName[];
  phase: readonly Phase[];
  most: number;
  /** The file of what was tried already. */
  keep?: string;
  readme: boolean;
}

const names = Object.keys(faults);

/** Ends the process with 0 after --help; throws an OperatorError (64) for what it does not understand. */
export function parseOptions(args: string[]): FaultsOptions {
  const command = new Command('npm run faults --')
    .description(
      'Does harm to a run at one moment after the other, lets another run follow each time, and prints what held.',
    )
    .addOption(new Option('--only <fault...>', 'of these faults').choices(names).default(names, 'all'))
    .addOption(
      new Option('--phase <phase...>', 'in these phases of a run').choices(phaseNames).default(phaseNames, 'all'),
    )
    .addOption(
      new Option('--most <n>', 'each fault at n moments, spread over all of a run')
        .argParser(wholeNumber(1))
        .default(Infinity, 'all'),
    )
    .option(
      '--keep <file>',
      'go on where it was stopped: what held is in the file, and not done again to the same code',
    )
    .option('--readme', 'also write the rows of what was done into test/README.md', false);
  return readArguments(command, args).opts<FaultsOptions>();
}
