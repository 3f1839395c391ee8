import { Command } from 'commander';
import type { Diagnosis } from '../doctor/examination.ts';
import { asCalled } from '../shell.ts';
import { outputOption, type CommandContext, type OutputFormat } from './options.ts';
import { print } from './print.ts';

const explanation = `
Begin here: it looks at everything that a run needs, and each line that is not ok says what to do next. It only reads,
Circle and Alpaca for at most twenty seconds each, and sends nothing. Each is asked as often in a second as a run asks
it: beside a run, twice that. A problem keeps a run from proving something; a warning makes it prove less.
Exit code 2 if there is a problem, else 0.

Examples:
  recon doctor
  recon --env-file /etc/recon/env doctor --offline`;

interface Flags {
  offline?: boolean;
  output: OutputFormat;
}

/** `recon doctor`. */
export function doctorCommand(context: CommandContext): Command {
  return new Command('doctor')
    .description('whether everything that a run needs is there, and what to do where it is not')
    .option('--offline', 'look only at what needs no network: configuration, keys and mapping')
    .addOption(outputOption('table', 'json'))
    .addHelpText('after', explanation)
    .action(async (_flags, command: Command) => {
      const { offline = false, output } = command.optsWithGlobals<Flags>();
      const { consult } = await import('../doctor/index.ts');
      const diagnoses = consult(context.world, { offline });
      const all = await (output === 'json'
        ? printJson(context, diagnoses)
        : printLines(context, diagnoses, { offline }));
      if (all.some(({ verdict }) => verdict === 'problem')) context.exitWith(2);
    });
}

async function printJson({ world }: CommandContext, diagnoses: AsyncIterable<Diagnosis>): Promise<Diagnosis[]> {
  const all: Diagnosis[] = [];
  for await (const { next, ...said } of diagnoses)
    all.push({ ...said, next: next === null ? null : asCalled(next, world.envFile) });
  const { toJson } = await import('../output/json.ts');
  await print(world.stdout, toJson({ diagnoses: all }));
  return all;
}

/** As they come: somebody waits for them. */
async function printLines(
  { world }: CommandContext,
  diagnoses: AsyncIterable<Diagnosis>,
  scope: { offline: boolean },
): Promise<Diagnosis[]> {
  const { conclusion, diagnosisLines } = await import('../output/doctor.ts');
  const { screenOf } = await import('../output/screen.ts');
  const screen = screenOf(world.stdout, world);
  const all: Diagnosis[] = [];
  for await (const diagnosis of diagnoses) {
    all.push(diagnosis);
    await print(world.stdout, diagnosisLines(diagnosis, screen));
  }
  await print(world.stdout, conclusion(all, scope, screen));
  return all;
}
