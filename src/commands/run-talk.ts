import type { CheckName } from '../checks/names.ts';
import type { Config } from '../config.ts';
import { createLogger } from '../log.ts';
import { ProgressLine } from '../progress.ts';
import type { RunListener } from '../run.ts';
import { createMask } from '../secrets.ts';
import type { World } from '../world.ts';

/** What a run says on stderr while it goes on: log lines, and on a terminal how far it is. */
export interface RunTalk extends RunListener {
  /** To be called when the run is over, before anything else is printed. */
  end: () => void;
}

/** Begins to talk, with the variables that are set in vain. */
export function runTalk(config: Config, world: World): RunTalk {
  const line = new ProgressLine(world, config.logLevel === 'silent');
  const log = createLogger({ stderr: line.above, now: world.now }, config.logLevel, createMask(world.env));
  const readSoFar = new Map<CheckName, number>();
  for (const name of config.withoutEffect)
    log.warn({ event: 'variable.without_effect', variable: name }, `${name} is set, but has no effect in this release`);
  return {
    waiting: () => {
      log.info({ event: 'run.waiting' }, 'another run holds the lock; waiting for it to end');
      line.show('waiting for another run');
    },
    reading: (check, read) => {
      if (read > 0 && read % 500 === 0) log.info({ event: 'custodian.reading', check, read }, `${check}: ${read} read`);
      readSoFar.set(check, read);
      line.show('reading', [...readSoFar].map(([name, count]) => `${name} ${number(count)}`).join(' · '));
    },
    comparing: (check) => {
      line.show(`checking ${check}`);
    },
    finished: ({ name, executionMs, result }) => {
      const what =
        'compared' in result
          ? `${result.compared} compared, ${result.findings.count()} found`
          : `incomplete: ${result.message}`;
      log.info({ event: 'check.finished', check: name, duration_ms: executionMs }, `${name}: ${what}`);
    },
    storing: (stored, all) => {
      line.show('storing', `${number(stored)} of ${number(all)} findings`);
    },
    missed: ({ run_type: type, count, slots }) => {
      const last = slots.at(-1) ?? '';
      log.warn(
        { event: 'runs.missed', slots },
        `${count} ${type} ${count === 1 ? 'run was' : 'runs were'} missed, the last at ${last}`,
      );
    },
    trouble: (event, error) => {
      log.warn({ event }, error instanceof Error ? error.message : String(error));
    },
    end: () => {
      line.end();
    },
  };
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
