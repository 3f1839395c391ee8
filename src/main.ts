import { Command, CommanderError, Option } from 'commander';
import { alertsCommand } from './commands/alerts.ts';
import { checksCommand } from './commands/checks.ts';
import { completionCommand } from './commands/completion.ts';
import { correctionsCommand } from './commands/corrections.ts';
import { doctorCommand } from './commands/doctor.ts';
import { exceptionsCommand } from './commands/exceptions.ts';
import { fitHelp } from './commands/help-text.ts';
import { helpCommand } from './commands/help.ts';
import { metricsCommand } from './commands/metrics.ts';
import { migrateCommand } from './commands/migrate.ts';
import { withEnvFile, type CommandContext } from './commands/options.ts';
import { tell } from './commands/print.ts';
import { purgeCommand } from './commands/purge.ts';
import { reportsCommand } from './commands/reports.ts';
import { runCommand } from './commands/run.ts';
import { scheduleCommand } from './commands/schedule.ts';
import { statusCommand } from './commands/status.ts';
import { refuseFlagsAsValues, usageError } from './commands/usage.ts';
import type { ExitCode } from './exit-codes.ts';
import { OperatorError } from './operator-error.ts';
import { plain } from './plain.ts';
import { createMask } from './secrets.ts';
import { version } from './version.ts';
import { SignalInterrupt, whyCutShort, widthOf, type World } from './world.ts';

export { realWorld } from './world.ts';

/** Runs one command line (without node and script). Never throws; what it returns is the exit code of the process. */
export async function main(argv: readonly string[], world: World): Promise<ExitCode> {
  const exitCode = await runCommandLine(argv, world);
  const code = await whyCutShort(world.stdout);
  if (code === undefined) return exitCode;
  const lost = `the result could not be written to stdout (${code}); what the command did stays done`;
  return say(world, exitCode === 0 || exitCode === 2 ? 3 : exitCode, lost);
}

async function runCommandLine(argv: readonly string[], world: World): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const context: CommandContext = {
    world,
    exitWith: (code) => {
      exitCode = code;
    },
  };
  try {
    await buildProgram(context).parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    return await explain(error, context.world);
  }
}

/** Of all commands; each shows it in its help. */
const envFile = new Option('--env-file <path>', 'read variables from this file; the environment wins');

function buildProgram(context: CommandContext): Command {
  const { world } = context;
  const program = new Command('recon')
    .description('Proves that ledger, operational tables, Circle and Alpaca agree, and says where they do not.')
    .version(version, '-V, --version')
    .addOption(envFile)
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: ({ parent }) => (parent === null ? [] : [envFile]),
    })
    .helpCommand(false)
    .showSuggestionAfterError(false) // `usageError` has its own
    .hook('preAction', (_program, command) => {
      context.world = withEnvFile(context.world, command.optsWithGlobals<{ envFile?: string }>().envFile);
    })
    .configureOutput({
      outputError: () => undefined, // it is told as every other mistake is, by `explain`
      writeOut: (text) => world.stdout.write(fitHelp(text, widthOf(world.stdout))),
      writeErr: (text) => world.stderr.write(fitHelp(text, widthOf(world.stderr))),
      getOutHelpWidth: () => widthOf(world.stdout),
      getErrHelpWidth: () => widthOf(world.stderr),
    })
    .addHelpText(
      'after',
      '\nBegin with recon doctor: it says what a first run needs, one thing after the other.\n\nExamples:\n  recon doctor\n  recon run --type daily\n  recon status\n  recon exceptions list\n\nMore: recon help exit-codes, recon help environment, recon help output',
    );
  for (const build of [
    runCommand,
    statusCommand,
    exceptionsCommand,
    correctionsCommand,
    reportsCommand,
    checksCommand,
    alertsCommand,
    metricsCommand,
    migrateCommand,
    doctorCommand,
    scheduleCommand,
    purgeCommand,
  ])
    program.addCommand(build(context));
  for (const build of [completionCommand, helpCommand]) program.addCommand(build(context, program));
  return settle(program);
}

/** Commands are built apart from the program: errors and output have to be handed down to each of them. */
function settle(command: Command): Command {
  refuseFlagsAsValues(command);
  command.exitOverride((error) => {
    throw error.exitCode === 0 ? error : usageError(error, command);
  });
  for (const child of command.commands) settle(child.copyInheritedSettings(command).helpCommand(false));
  return command;
}

async function explain(error: unknown, world: World): Promise<ExitCode> {
  const mask = createMask(world.env);
  const interrupt =
    error instanceof SignalInterrupt ? error : world.signal.aborted ? (world.signal.reason as unknown) : undefined;
  if (interrupt instanceof SignalInterrupt) return say(world, interrupt.exitCode, interrupt.message);
  if (error instanceof CommanderError && error.exitCode === 0) return 0; // help or the version was printed
  if (error instanceof OperatorError)
    return say(
      world,
      error.exitCode,
      mask([error.message, error.hint].filter((line) => line !== undefined).join('\n')),
    );
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return say(world, 1, mask(`This is a bug in recon; please report it with these lines.\n${stack}`));
}

/** Names from a database, a file or the command line stand in messages and hints: nothing of them obeys a terminal. */
async function say<Code extends ExitCode>(world: World, code: Code, message: string): Promise<Code> {
  await tell(world, `recon: ${message.split('\n').map(plain).join('\n')}\nrecon: exit ${code}\n`);
  return code;
}
