import { inThousands } from '../count.ts';
import type { CheckName } from '../checks/names.ts';
import { holderOf, type StoredException } from '../exceptions/exception.ts';
import type { Held, NotOpen } from '../exceptions/totals.ts';
import type { Severity } from '../kinds.ts';
import { signed } from '../placeholders.ts';
import { endedWithoutResult, type Report } from '../reports.ts';
import type { Verdict } from '../stored-checks.ts';
import type { ScheduledRuns } from '../schedule/runs.ts';
import { runbook } from '../shipped.ts';

/** What a person does next. */
export interface Step {
  /** To copy, NAME and TEXT as a person says them; everything else is a name or an id: nothing needs quotes. */
  command: string;
  /** Why, in one sentence; may hold text of a database. */
  why: string;
}

/** Of where everything stands (`Status`), what the steps follow from. */
export interface Standing {
  enabled: boolean;
  runs: readonly ScheduledRuns[];
  last_report: Report | null;
  checks: readonly {
    check_type: CheckName;
    on: boolean;
    verdict: Verdict | null;
    too_few: boolean;
    compared: number | null;
  }[];
  open_exceptions: Readonly<Record<Severity, number>>;
  held: readonly Held[];
  not_open: readonly NotOpen[];
  corrections: Readonly<Record<'proposed' | 'failed_open' | 'not_undone' | 'undone_unseen', number>> & {
    /** By whom they are stopped, and why; null: they are not. */
    readonly why_stopped: string | null;
  };
  alerts: Readonly<Record<'waiting' | 'dead', number>>;
}

/** What the steps after a comparison follow from. */
export interface Outcome {
  /** The checks that could not tell; `too_few`: it did not believe that so few records are there. */
  incomplete: readonly { check_type: CheckName; too_few: boolean }[];
  /** Whether nothing was to be stored. */
  isDryRun: boolean;
  /** Whether everything was looked at, and nothing was there. */
  isEmpty: boolean;
  /** The open exception to begin with, which nobody has if there is such a one; undefined: there is none. */
  first: Pick<StoredException, 'id' | 'severity' | 'description' | 'assignee' | 'acknowledged_by'> | undefined;
  /** How many more are open of its severity and as free, as far as that is known. */
  others: number;
}

/** What to do where everything stands so, the most urgent first; nothing where all is well. */
export function stepsOf(standing: Standing, first: StoredException | undefined): Step[] {
  const { checks, open_exceptions: open, held } = standing;
  const incomplete = checks.filter(({ on, verdict }) => on && verdict === 'incomplete');
  const isFree = first !== undefined && holderOf(first) === null;
  const others = first === undefined ? 0 : open[first.severity] - (isFree ? heldOf(first.severity, held) : 0) - 1;
  return [
    ...runsToMake(standing),
    ...undoingsToSee(standing),
    ...stepsAfter({ incomplete, isDryRun: false, isEmpty: isEmpty(standing), first, others }),
    ...(isFree ? whoHasOthers(held) : []),
    ...(first === undefined ? whyFailed(standing) : []),
    ...resuming(standing),
    ...correctionsToSee(standing),
    ...alertsToSee(standing),
  ];
}

/** How many of that severity somebody has. */
export function heldOf(severity: Severity, held: readonly Held[]): number {
  return held.filter((one) => one.severity === severity).reduce((all, { count }) => all + count, 0);
}

/** More than that a line of a screen does not name. */
const holdersNamed = 3;

/** What somebody has is not what the next one begins with, and not gone either. */
function whoHasOthers(held: readonly Held[]): Step[] {
  if (held.length === 0) return [];
  const named = held
    .slice(0, holdersNamed)
    .map(({ severity, holder, count }) => `${inThousands(count)} ${severity} by ${holder}`);
  const more = held.slice(holdersNamed).reduce((all, { count }) => all + count, 0);
  const all = more === 0 ? named : [...named, `${inThousands(more)} more`];
  return [{ command: 'recon exceptions list', why: `Taken up already: ${all.join(', ')}.` }];
}

function isEmpty({ checks }: Standing): boolean {
  const known = checks.filter(({ on, compared }) => on && compared !== null);
  return known.length > 0 && known.every(({ compared }) => compared === 0);
}

/** Where nothing is open, and checks failed all the same. */
function whyFailed({ checks, not_open: groups }: Standing): Step[] {
  const failed = checks.filter(({ on, verdict }) => on && verdict === 'failed').map(({ check_type: name }) => name);
  if (failed.length === 0) return [];
  const found = `What failed ${failed.join(', ')}`;
  if (groups.length === 0)
    return [{ command: 'recon run', why: `${found} is closed by now: look whether it is gone.` }];
  const states = new Set(groups.map(({ state }) => state));
  return [...states].map((state) => ({
    command: `recon exceptions list --status ${state}`,
    why: `${found} may be ${state}, and stands all the same.`,
  }));
}

/** What was taken back is wrong again, and stands in no list before a run. */
function undoingsToSee({ corrections: { undone_unseen: unseen } }: Standing): Step[] {
  const why = `Corrections undone since the last run: ${inThousands(unseen)}. What they corrected is likely wrong again.`;
  return unseen === 0 ? [] : [{ command: 'recon run', why }];
}

function correctionsToSee({ corrections }: Standing): Step[] {
  const { proposed, failed_open: failed, not_undone: standing } = corrections;
  return [
    { of: standing, states: ['failed', 'refused'], what: 'Corrections that were to be undone, and still stand' },
    { of: failed, states: ['failed'], what: 'Open exceptions whose correction failed' },
    { of: proposed, states: ['proposed'], what: 'Corrections that wait for a second person' },
  ]
    .filter(({ of }) => of > 0)
    .map(({ of, states, what }) => ({
      command: ['recon corrections list', ...states.map((state) => `--state ${state}`)].join(' '),
      why: `${what}: ${inThousands(of)}.`,
    }));
}

/** Whoever stopped them may have gone home; what waits for a second person waits for this too. */
function resuming({ corrections: { why_stopped: why } }: Standing): Step[] {
  if (why === null) return [];
  return [{ command: `recon corrections resume ${signed}`, why: `Once the reason is gone. ${why}` }];
}

function alertsToSee({ alerts: { waiting, dead } }: Standing): Step[] {
  const why = `Alerts that nobody has heard of: ${inThousands(waiting + dead)}.`;
  return waiting + dead === 0 ? [] : [{ command: 'recon alerts list --state waiting --state dead', why }];
}

const whileOff =
  'RECONCILIATION_ENABLED is false here: hourly and daily runs do nothing, only a manual one looks. Set it to true again.';

function runsToMake({ enabled, runs, last_report: last }: Standing): Step[] {
  if (!enabled) return [{ command: 'recon run', why: whileOff }];
  if (last === null) return [{ command: 'recon run --type daily', why: 'There was no run yet.' }];
  return runs.flatMap(({ run_type: type, last_report: run, overdue }) => {
    const [look, again] = run === null ? [] : afterBrokenOff(run);
    const why = `The ${type} run is overdue: run it, and look why the scheduler did not.`;
    return [look, overdue ? { command: `recon run --type ${type}`, why } : again].filter((step) => step !== undefined);
  });
}

/** After a run that ended without a result: why comes before the next one. Nothing after any other. */
export function afterBrokenOff(run: Report): Step[] {
  if (!endedWithoutResult(run)) return [];
  const { run_type: type, error_message: reason } = run;
  const why = `The ${type} run ended without a result. Look first why: this tells what a run lacks, the log of the scheduler what ended its process (a deadline, memory). On record: ${reason ?? 'nothing'}`;
  return [
    { command: 'recon doctor', why },
    { command: `recon run --type ${type}`, why: 'Again, once that is mended.' },
  ];
}

/** Of nothing everything is true. */
const whereNothingIs =
  'There was nothing to compare: do DATABASE_URL (or SOURCE_DATABASE_URL), the search_path of its role and RECONCILIATION_SOURCE lead to the tables that the host writes?';

/** The same for what a run, or the last run of each check, found. */
export function stepsAfter(outcome: Outcome): Step[] {
  const { isEmpty, first, others } = outcome;
  return [
    ...(isEmpty ? [{ command: 'recon doctor', why: whereNothingIs }] : []),
    ...(first === undefined
      ? []
      : [{ command: `recon exceptions show ${(first.id ?? '').slice(0, 8)}`, why: whyFirst(first) }]),
    ...(first === undefined || others === 0
      ? []
      : [
          {
            command: `recon exceptions list --severity ${first.severity}`,
            why: `${inThousands(others)} more of severity ${first.severity}.`,
          },
        ]),
    ...(isEmpty ? [] : afterIncomplete(outcome)),
  ];
}

function whyFirst(first: NonNullable<Outcome['first']>): string {
  const holder = holderOf(first);
  return holder === null ? first.description : `${holder} has it: ${first.description}`;
}

/** What is wrong is looked at before what could not be told. The reasons themselves stand above the steps. */
function afterIncomplete({ incomplete, isDryRun }: Outcome): Step[] {
  if (incomplete.length === 0) return [];
  const namesOf = (checks: Outcome['incomplete']) => checks.map(({ check_type: name }) => name).join(', ');
  const tooFew = incomplete.filter(({ too_few: isTooFew }) => isTooFew);
  const others = incomplete.filter((check) => !tooFew.includes(check));
  const run = isDryRun ? 'recon run --dry-run' : 'recon run';
  const again = {
    command: others.length === 1 ? `${run} --check ${namesOf(others)}` : run,
    why: `Again, once that is mended. Where it stays so, ${runbook} goes through the reasons.`,
  };
  const accept = {
    command: `${run} --type daily --accept-fewer`,
    why: `Once, and only if somebody knows that the records were really removed: ${namesOf(tooFew)}.`,
  };
  return [
    {
      command: 'recon doctor',
      why: `Could not tell: ${namesOf(incomplete)}. Where the reason does not say what to do, this looks at all that a run needs.`,
    },
    ...(others.length > 0 ? [again] : []),
    ...(tooFew.length > 0 ? [accept] : []),
  ];
}
