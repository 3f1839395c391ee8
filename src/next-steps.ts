import type { Severity } from './kinds.ts';
import type { Status } from './status.ts';

/** What a person does next. */
export interface Step {
  /** To copy; everything in it is a name or an id: nothing needs quotes. */
  command: string;
  /** Why, in one sentence; may hold text of a database. */
  why: string;
}

/** The open exception to begin with. */
export interface FirstException {
  id: string;
  severity: Severity;
  description: string;
}

/** What to do where everything stands so, the most urgent first; nothing where all is well. */
export function stepsOf(standing: Omit<Status, 'next'>, first: FirstException | undefined): Step[] {
  return [
    ...runsToMake(standing),
    ...checksToLookAt(standing),
    ...exceptionsToLookAt(standing, first),
    ...toApprove(standing),
  ];
}

function toApprove({ corrections: { proposed } }: Omit<Status, 'next'>): Step[] {
  if (proposed === 0) return [];
  return [{ command: 'recon corrections list --state proposed', why: `${proposed} wait for a second person.` }];
}

function runsToMake({ runs, last_report: last }: Omit<Status, 'next'>): Step[] {
  if (last === null) return [{ command: 'recon run --type daily', why: 'There was no run yet.' }];
  return runs
    .filter(({ overdue }) => overdue)
    .map(({ run_type: type }) => ({
      command: `recon run --type ${type}`,
      why: `The ${type} run is overdue: run it, and look why the scheduler did not.`,
    }));
}

function checksToLookAt({ checks }: Omit<Status, 'next'>): Step[] {
  const incomplete = checks.filter(({ on, verdict }) => on && verdict === 'incomplete');
  const ids = new Set(incomplete.map(({ report_id: id }) => id ?? ''));
  return [...ids].map((id) => {
    const names = incomplete.filter(({ report_id: reportId }) => reportId === id).map(({ check_type: name }) => name);
    return { command: `recon reports show ${id.slice(0, 8)}`, why: `Could not tell: ${names.join(', ')}.` };
  });
}

function exceptionsToLookAt(
  { open_exceptions: open }: Omit<Status, 'next'>,
  first: FirstException | undefined,
): Step[] {
  if (first === undefined) return [];
  const show = { command: `recon exceptions show ${first.id.slice(0, 8)}`, why: first.description };
  const others = open[first.severity] - 1;
  if (others === 0) return [show];
  const list = `recon exceptions list --severity ${first.severity}`;
  return [show, { command: list, why: `${others.toLocaleString('en-US')} more of severity ${first.severity}.` }];
}
