import { inThousands } from '../count.ts';
import type { CheckName } from '../checks/names.ts';
import type { Config } from '../config.ts';
import { severities } from '../kinds.ts';
import { describeDuration } from '../duration.ts';
import { createLogger, type Logger } from './log.ts';
import { ProgressLine } from './progress.ts';
import type { Report } from '../reports.ts';
import type { RunListener } from '../run/engine.ts';
import { createMask } from '../secrets.ts';
import { SignalInterrupt, type World } from '../world.ts';

/** What a run says on stderr while it goes on: log lines, and on a terminal how far it is. */
export interface RunTalk extends RunListener {
  /** To be called when the run is over, before anything else is printed. */
  end: () => void;
}

/** Begins to talk. */
export function runTalk(config: Config, world: World): RunTalk {
  const line = new ProgressLine(world, config.logLevel === 'silent');
  const log = createLogger(
    { stderr: line.above, now: world.now },
    { level: config.logLevel, format: config.logFormat },
    createMask(world.env),
  );
  const voice = { log };
  return {
    waiting: (holder, waitMs) => {
      const most = `${describeDuration(waitMs)} at most`;
      voice.log.info({ event: 'run.waiting' }, `another run holds the lock, ${holder}; waiting for it to end, ${most}`);
      line.show('waiting for another run', most);
    },
    ...tellOfReading(voice, line),
    comparing: (check) => {
      line.show(`checking ${check}`);
    },
    finished: ({ name, executionMs, result }) => {
      const what =
        'compared' in result
          ? `${result.compared} compared, ${result.findings.count()} found`
          : `incomplete: ${result.shown}`;
      voice.log.info({ event: 'check.finished', check_type: name, duration_ms: executionMs }, `${name}: ${what}`);
    },
    storing: (stored, all) => {
      line.show('storing', `${inThousands(stored)} of ${inThousands(all)} findings`);
    },
    ...tellOfRun(voice, world),
    end: () => {
      line.end();
    },
  };
}

/** How far the custodians are read, all in one line: while one of them is asked again, only that. */
function tellOfReading(voice: { log: Logger }, line: ProgressLine): Pick<RunListener, 'reading' | 'retrying'> {
  const readSoFar = new Map<CheckName, number>();
  const askedAgain = new Map<CheckName, { told: string; forMs: number }>();
  const show = () => {
    const counts = [...readSoFar].map(([name, count]) => `${name} ${inThousands(count)}`);
    const [again] = askedAgain.values();
    line.show('reading', again?.told ?? counts.join(' · '), again?.forMs);
  };
  return {
    reading: (check, read) => {
      if (read > 0 && read % 500 === 0)
        voice.log.info({ event: 'custodian.reading', check_type: check, read }, `${check}: ${read} read`);
      readSoFar.set(check, read);
      show();
    },
    retrying: (check, retry, forMs) => {
      if (retry === undefined && !askedAgain.delete(check)) return;
      if (retry !== undefined)
        askedAgain.set(check, { told: `${check}: attempt ${retry.attempt} of ${retry.attemptsMax}`, forMs });
      show();
    },
  };
}

/** How a run begins and ends. From its beginning on every line of `voice` names it. */
function tellOfRun(
  voice: { log: Logger },
  { stderr }: World,
): Pick<RunListener, 'began' | 'ended' | 'failed' | 'missed' | 'trouble'> {
  const forMachines = stderr.isTTY === true ? 'debug' : 'info'; // on a terminal the last lines of a run say it already
  return {
    began: ({ id, run_type: type }) => {
      voice.log = voice.log.child({ run_id: id, run_type: type });
      voice.log[forMachines]({ event: 'run.started' }, `${type} run ${id} begins`);
    },
    ended: (report, found) => {
      voice.log[forMachines](endOf(report), `${report.run_type} run ${report.id} ${verdictOf(report)}`);
      for (const severity of severities.filter((one) => found[one] > 0))
        voice.log[forMachines](
          { event: 'exceptions.found', exception_severity: severity, exceptions: found[severity] },
          `${inThousands(found[severity])} ${severity}`,
        );
    },
    failed: (report, error) => {
      const said = `${report.run_type} run ${report.id} ${verdictOf(report)}`;
      const level = (loud: 'warn' | 'error') => (forMachines === 'debug' ? 'debug' : loud);
      if (error instanceof SignalInterrupt) voice.log[level('warn')](endOf(report), `${said}: ${error.message}`);
      else voice.log[level('error')]({ ...endOf(report), error }, said);
    },
    missed: (missed) => {
      for (const { run_type: type, count, slots } of missed)
        voice.log.warn(
          { event: 'runs.missed', missed_run_type: type, slots },
          `${count} ${type} ${count === 1 ? 'run was' : 'runs were'} missed, the last at ${slots.at(-1) ?? ''}`,
        );
    },
    trouble: (event, error) => {
      voice.log.warn(
        { event, ...(error instanceof Error && { error }) },
        error instanceof Error ? error.message : String(error),
      );
    },
  };
}

function endOf({ status, started_at: from, completed_at: to, exceptions_count: exceptions, ...report }: Report) {
  const tookMs = to === null ? undefined : Date.parse(to) - Date.parse(from);
  return { event: 'run.finished', run_status: status, verdict: verdictOf(report), duration_ms: tookMs, exceptions };
}

function verdictOf({ metadata }: Pick<Report, 'metadata'>): string {
  return typeof metadata['verdict'] === 'string' ? metadata['verdict'] : 'without a result';
}
