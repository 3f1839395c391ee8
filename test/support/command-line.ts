import type { Command } from 'commander';
import { usageError } from '../../src/commands/usage.ts';
import { OperatorError } from '../../src/operator-error.ts';
import { hideFromDriver } from '../../src/world.ts';

/**
 * Runs a program that npm starts with the arguments it was given; what it returns is the exit code. What the caller can
 * mend is told as recon tells it.
 */
export async function runProgram(main: (args: string[]) => Promise<number>): Promise<void> {
  hideFromDriver(process.env);
  process.exitCode = await main(process.argv.slice(2)).catch(explain);
}

function explain(error: unknown): number {
  if (!(error instanceof OperatorError)) throw error;
  process.stderr.write([error.message, error.hint].flatMap((line) => (line === undefined ? [] : `${line}\n`)).join(''));
  return error.exitCode;
}

/** Ends the process with 0 after --help; throws an OperatorError (64) for what the command does not understand. */
export function readArguments(command: Command, args: readonly string[]): Command {
  return command
    .configureOutput({ outputError: () => undefined }) // it is told by `explain`
    .showSuggestionAfterError(false) // `usageError` has its own
    .exitOverride((error) => {
      if (error.exitCode !== 0) throw usageError(error, command);
    })
    .parse([...args], { from: 'user' });
}
