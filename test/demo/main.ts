// npm run demo               a month of books with a fault of every kind, and what recon says about it
// npm run demo -- <args>     `recon <args>` on the books of the last `npm run demo`: run, exceptions show ID, …
// SANDBOX_FAULT=? npm run demo  what a custodian can be made to do; SANDBOX_FAULT is one of these
// npm run demo -- --reset    the same as `npm run demo`: begins anew; arguments may follow
import { constants } from 'node:os';
import { outliveOutput } from '../../src/world.ts';
import { runProgram } from '../support/command-line.ts';
import { clear, withBackdrop, type Backdrop } from './backdrop.ts';
import { kindsThatAreOff } from './faults.ts';
import { demoFolder, withFolderLocked } from './folder.ts';
import { passOn, recon, withoutSettings, type Environment } from './recon.ts';
import { faultChosen, knownFaults } from './sandboxes.ts';
import { isPerfect, readFound, score, scoreTable } from './score.ts';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // the server goes with us (postgres-keeper.mjs)
  process.on(signal, () => passOn(signal) || process.exit(128 + constants.signals[signal]));
}
outliveOutput(process.stdout, process.stderr); // npm run demo | head
async function main(given: string[]): Promise<number> {
  if (process.env['SANDBOX_FAULT'] === '?') return list(knownFaults());
  faultChosen(); // one that is unknown is refused before anything is cleared or started
  const reset = given[0] === '--reset';
  const args = reset ? given.slice(1) : given;
  const folder = await demoFolder();
  return withFolderLocked(folder, async () => {
    if (reset || args.length === 0) await clear(folder);
    return withBackdrop(folder, say, (backdrop) =>
      args.length === 0 ? demonstrate(backdrop) : command(backdrop, args),
    );
  });
}

/** `recon` as anybody would call it, with the settings of this shell. */
async function command({ env, isNew }: Backdrop, args: string[]): Promise<number> {
  const environment = { ...process.env, ...env };
  if (isNew) await recon(['migrate', 'up'], environment, 'stderr');
  return recon(args, environment);
}

/** 0 only if recon finds every planted fault, and nothing else. */
async function demonstrate({ sql, env, planted }: Backdrop): Promise<number> {
  const steps: [args: string[], exitCode: number][] = [
    [['migrate', 'up'], 0],
    [['run', '--type', 'manual'], 2],
    [['exceptions', 'list'], 0],
  ];
  const environment: Environment = { ...withoutSettings(process.env), ...env };
  for (const [args, expected] of steps) {
    say(`\n$ recon ${args.join(' ')}`);
    const code = await recon(args, environment);
    if (code > 128) return code; // Ctrl-C
    if (code !== expected) {
      say(`\nrecon ${args.join(' ')} ended with ${code} instead of ${expected}: the demo stops here.`);
      return code === 0 ? 1 : code;
    }
  }
  const result = score(planted, await readFound(sql));
  process.stdout.write(`\n${scoreTable(result)}`);
  say(whatNext);
  return isPerfect(result) ? 0 : 1;
}

const whatNext = `
Not planted, because it is off unless asked for: ${kindsThatAreOff.join(', ')}
  RECONCILIATION_ENTRIES_PER_TRANSACTION=two npm run demo -- run --type manual
The books are kept, and any command of recon works on them:
  npm run demo -- exceptions show <id>
  npm run demo -- run --type daily`;

function list(names: readonly string[]): number {
  process.stdout.write(`${names.join('\n')}\n`);
  return 0;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

await runProgram(main);
