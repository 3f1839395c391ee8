import type { Accountless } from '../checks/custody-users.ts';
import { count, inThousands } from '../count.ts';
import { flowed } from '../flowed.ts';
import { isTooFew } from '../incomplete.ts';
import { describeDuration } from '../duration.ts';
import { holderOf, type StoredException } from '../exceptions/exception.ts';
import { stateAt } from '../exceptions/state.ts';
import { severities, type Severity } from '../kinds.ts';
import type { KindCount } from '../corrections/automatic.ts';
import { correctionsIn, whyBrokenOff } from '../corrections/reported.ts';
import { afterBrokenOff, stepsAfter } from '../status/next-steps.ts';
import type { Report } from '../reports.ts';
import { verdictOf, type StoredCheck } from '../stored-checks.ts';
import { accountlessLine } from './custody.ts';
import { exceptionTable } from './exceptions.ts';
import { plain } from '../plain.ts';
import { madeBy, scopeLines, togetherSaid, verdictOrStatus, whyIncompleteLines } from './reports.ts';
import { version } from '../version.ts';
import { currencyOfSum, cut, excerpt, localTime, shortId, type Screen } from './screen.ts';
import { stepLines } from './steps.ts';
import { renderTable, type Column } from './table.ts';

/** How many exceptions the screen of a run lists before it names the command that lists all. */
export const listedExceptions = 25;

/** A report with its checks and the first of what they found, as that stands now. */
export function reportScreen(
  report: Report,
  checks: readonly StoredCheck[],
  exceptions: readonly StoredException[],
  now: Date,
  screen: Screen,
): string {
  const environment = report.metadata['environment'];
  const lines = (texts: readonly string[]) => texts.map((text) => flowed('', text, screen.columns)).join('');
  return [
    lines([
      `${screen.strong(titleOf(report))}  ${plain(typeof environment === 'string' ? environment : '')}  ${localTime(report.started_at)}  ${verdictOrStatus(report, screen)}`,
      ...scopeLines(report),
      ...anotherRecon(report),
    ]),
    checks.length === 0 ? '' : checkTable(checks, screen),
    lines([
      ...checkLines(checks, isDryRun(report) ? 'a run would verify through' : undefined),
      ...correctionLines(report).map(screen.called),
      ...whyIncompleteLines(checks, 2_000),
      ...(report.error_message !== null && checks.length === 0 ? [excerpt(report.error_message, 2_000)] : []),
    ]),
    exceptionLines(report, exceptions, now, screen),
    nextLines(report, checks, exceptions, now, screen),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** A dry run has no id that anybody could ask for. */
export function titleOf(report: Report): string {
  return isDryRun(report)
    ? `DRY RUN, nothing is stored: ${report.run_type} run`
    : `${report.run_type} run ${shortId(report.id)}`;
}

/** After an upgrade: what is told today may be told otherwise, and what is asked may be asked otherwise. */
function anotherRecon(report: Report): string[] {
  const by = madeBy(report);
  return by === undefined || by === version ? [] : [`made by recon ${by}; this is ${version}`];
}

function isDryRun({ metadata }: Report): boolean {
  return metadata['dry_run'] === true;
}

/** What the table of the checks does not say; `through`: before the moment up to which they are verified. */
export function checkLines(checks: readonly StoredCheck[], through = 'verified through'): string[] {
  return [
    ...sidesLines(checks),
    ...accountlessLines(checks),
    ...notComparedLines(checks),
    ...coverageLines(checks, through),
    ...canaryLines(checks),
  ];
}

/** Debits and credits are the one pair of sides that need not be equal. */
function sidesLines(checks: readonly StoredCheck[]): string[] {
  const ledger = checks.find(({ check_type: name }) => name === 'ledger_consistency');
  return ledger !== undefined && currenciesOf(ledger).some(({ difference }) => difference !== '0')
    ? ['ledger_consistency: debits and credits of a currency differ by what was converted; findings say what is wrong']
    : [];
}

/** A custodian may hold what it should, and yet nobody there have an account for it. */
function accountlessLines(checks: readonly StoredCheck[]): string[] {
  return checks.flatMap(({ check_type: name, metadata }) =>
    accountlessLine(name, (metadata['details'] as { without_account?: Accountless } | undefined)?.without_account),
  );
}

/** What was booked for a job that names neither what should arrive nor a rate may be wrong, and is no finding. */
function notComparedLines(checks: readonly StoredCheck[]): string[] {
  const jobs = checks.find(({ check_type: name }) => name === 'conversion_jobs');
  const details = (jobs?.metadata['details'] ?? {}) as Record<string, Partial<NotCompared>>;
  return Object.entries(details).flatMap(
    ([currency, { not_compared: number = 0, not_compared_amount: amount = '' }]) =>
      number === 0
        ? []
        : [
            `conversion_jobs: not compared: ${cut(amount)} ${currencyOfSum(currency === 'all' ? null : currency)}, booked for ${count(number, 'completed job')} without destination amount or rate`,
          ],
  );
}

interface NotCompared {
  not_compared: number;
  not_compared_amount: string;
}

/** How far the checks are verified by this run, those that say the same in one line. */
function coverageLines(checks: readonly StoredCheck[], through: string): string[] {
  const lines = togetherSaid(
    checks.flatMap((check) => {
      const line = coverageOf(check, through);
      return line === undefined ? [] : [[check.check_type, line] as const];
    }),
  );
  const partly = looksAtChanges(checks);
  return partly
    ? [...lines, 'What else became of an old row, edited or deleted, is found by the next daily run.']
    : lines;
}

/** Whether the checks would have found something, if there had been something. */
function canaryLines(checks: readonly StoredCheck[]): string[] {
  const controls = checks.map((check) => ({ name: plain(check.check_type), ...controlOf(check) }));
  const having = (wanted: StoredControl['verdict']) => controls.filter(({ verdict }) => verdict === wanted);
  const names = (some: typeof controls) => some.map(({ name }) => name).join(', ');
  const [passed, failed, unknown, none] = [having('passed'), having('failed'), having('incomplete'), having('none')];
  if (none.length === controls.length) return [];
  const faults = passed.reduce((all, { planted }) => all + planted, 0);
  const whose = failed.length + unknown.length === 0 ? '' : ` of ${names(passed)}`;
  const lines = [
    passed.length > 0 &&
      `the control${whose} was working: it found all ${faults} faults of the canary, and nothing else`,
    ...failed.map(
      ({ name, planted, found, surplus }) =>
        `the control of ${name} was not working: it found ${found} of ${planted} faults of the canary, and ${surplus} that are not there`,
    ),
    unknown.length > 0 && `the control of ${names(unknown)} could not be asked`,
    none.length > 0 && `no control: ${names(none)}`,
  ];
  return lines.filter((line) => line !== false);
}

interface StoredControl {
  verdict: 'passed' | 'failed' | 'incomplete' | 'none';
  planted: number;
  found: number;
  surplus: number;
}

/** What is stored of the canary. The first version stored what passed, without a verdict, and nothing else. */
function controlOf({ metadata }: StoredCheck): StoredControl {
  const stored = metadata['canary'] as Partial<StoredControl> | null | undefined;
  return {
    verdict: stored ? (stored.verdict ?? 'passed') : 'none',
    planted: stored?.planted ?? 0,
    found: stored?.found ?? 0,
    surplus: stored?.surplus ?? 0,
  };
}

/** What became of what the run found, where corrections are switched on. */
export function correctionLines(report: Report): string[] {
  const corrections = correctionsIn(report);
  if (corrections === undefined) return [];
  const why = corrections.not_made ?? whyBrokenOff(corrections);
  const { held_back: heldBack = [], would_try: wouldTry, tried = 0 } = corrections;
  const { corrected = 0, refused = 0, failed = 0 } = corrections;
  return [
    ...heldBack.map(
      ({ kind, count: found }) => `none of ${found} low ${plain(kind)} is corrected: they have one cause`,
    ),
    ...(why === undefined ? [] : [`not corrected: ${plain(why)}`]),
    ...(tried === 0
      ? []
      : [`corrections: ${corrected} made, ${refused} refused, ${failed} failed: recon corrections list`]),
    ...(wouldTry === undefined ? [] : [`nothing is corrected in a dry run; a run would try ${kindsText(wouldTry)}`]),
  ];
}

function kindsText(kinds: readonly KindCount[]): string {
  return kinds.map(({ kind, count: found }) => `${found} low ${plain(kind)}`).join(', ') || 'none';
}

function looksAtChanges(checks: readonly StoredCheck[]): boolean {
  return checks.some(({ metadata }) => metadata['coverage'] === 'changes');
}

function coverageOf({ metadata }: StoredCheck, through: string): string | undefined {
  const time = (name: string) => (typeof metadata[name] === 'string' ? localTime(metadata[name]) : 'never');
  const not = metadata['not_verified'];
  if (typeof not === 'string') return `not verified any further, because ${excerpt(not)}`;
  if (metadata['verified_through'] === undefined) return undefined;
  const heldBack = metadata['held_back'];
  const behind = typeof heldBack === 'string' ? ` (no further: ${excerpt(heldBack)})` : '';
  const verified = `${through} ${time('verified_through')}${behind}`;
  if (metadata['coverage'] === 'changes')
    return `${verified}; what has changed since ${time('verified_since')} was looked at, and everything last at ${time('proven_as_of')}`;
  const why = metadata['why_everything'];
  return `${verified}; everything was looked at${typeof why === 'string' ? `, because ${excerpt(why)}` : ''}`;
}

const right = (header: string) => ({ header, align: 'right' as const });

/** What is told of each check. */
export const checkColumns: readonly Column[] = [
  { header: 'check' },
  { header: 'verdict' },
  right('compared'),
  right('findings'),
  right('took'),
  right('expected'),
  { ...right('actual'), joins: true },
  { ...right('difference'), joins: true },
  { header: '' },
];

function checkTable(checks: readonly StoredCheck[], screen: Screen): string {
  return renderTable(
    checkColumns,
    checks.flatMap((check) => checkRows(check, screen)),
    screen.columns,
  );
}

interface CurrencyLine {
  currency: string | null;
  expected: string;
  actual: string;
  difference: string;
}

function currenciesOf({ metadata }: StoredCheck): CurrencyLine[] {
  return (metadata as { currencies?: CurrencyLine[] }).currencies ?? [];
}

/** One line per currency, the name of the check on the first. */
export function checkRows(check: StoredCheck, screen: Screen): string[][] {
  const { compared, findings } = check.metadata as { compared?: number; findings?: number };
  const head = [
    plain(check.check_type),
    screen.verdict(verdictOf(check)),
    compared === undefined ? '' : inThousands(compared),
    findings === undefined ? '' : inThousands(findings),
    describeDuration(check.execution_time_ms),
  ];
  const lines = currenciesOf(check).map(({ currency, expected, actual, difference }) => [
    expected,
    actual,
    difference,
    currencyOfSum(currency),
  ]);
  const [first = ['', '', '', ''], ...rest] = lines;
  return [[...head, ...first], ...rest.map((line) => [...head.map(() => ''), ...line])];
}

function exceptionLines(report: Report, exceptions: readonly StoredException[], now: Date, screen: Screen): string {
  if (exceptions.length === 0) return '';
  const more = moreThan(exceptions.length, report);
  const whereMore = isDryRun(report)
    ? 'give -o json or csv'
    : screen.called(`recon exceptions list --status all --report ${shortId(report.id)}`);
  const rest = more > 0 ? `… and ${inThousands(more)} more: ${whereMore}\n` : '';
  const since = exceptions.some(movedOnSince(report)) ? flowed('', asNow, screen.columns) : '';
  return `${exceptionTable(exceptions, now, screen)}${rest}${since}`;
}

/** For a table of exceptions below what a run found. */
const asNow = 'The table of exceptions says how each stands now, not how the run found it.';

function movedOnSince({ id: report, completed_at: end }: Report) {
  return ({ last_report_id: last, resolved_at: resolved }: StoredException) =>
    (last !== null && last !== report) || Date.parse(resolved ?? '') > Date.parse(end ?? '');
}

/** How many more it found than these; of what was purged there is nothing to show. */
export function moreThan(listed: number, { exceptions_count: found, metadata }: Report): number {
  return metadata['purged_at'] === undefined ? found - listed : 0;
}

/** As `status` says it, of what is listed here. What is put aside, agreed or over by now is no step. */
function nextLines(
  report: Report,
  checks: readonly StoredCheck[],
  exceptions: readonly StoredException[],
  now: Date,
  screen: Screen,
): string {
  const open = exceptions.filter((exception) => exception.id !== null && stateAt(exception, now) === 'open');
  const first = open.find((exception) => holderOf(exception) === null) ?? open[0];
  const incomplete = checks
    .filter((check) => verdictOf(check) === 'incomplete')
    .map(({ check_type, metadata }) => ({ check_type, too_few: isTooFew(metadata) }));
  const steps = [
    ...afterBrokenOff(report),
    ...stepsAfter({ incomplete, isDryRun: isDryRun(report), isEmpty: isEmpty(report, checks), first, others: 0 }),
  ];
  return steps.length === 0 ? '' : stepLines(steps, screen);
}

/** A run over a part, or over what changed, may well find nothing there. */
function isEmpty({ metadata }: Report, checks: readonly StoredCheck[]): boolean {
  const isPart = metadata['narrowed_to'] !== undefined || metadata['not_in_this_run'] !== undefined;
  const isNothing = checks.length > 0 && checks.every((check) => check.metadata['compared'] === 0);
  return isNothing && !isPart && !looksAtChanges(checks);
}

/** `… 812 records compared, 3 findings (1 critical, 1 low, 1 accepted)`: the outcome in one line. */
export function outcomeLine(
  report: Report,
  checks: readonly StoredCheck[],
  found: Readonly<Record<Severity, number>>,
): string {
  const kinds = severities
    .toReversed()
    .map((severity): [number, string] => [found[severity], severity])
    .concat([[report.exceptions_count - severities.reduce((all, severity) => all + found[severity], 0), 'accepted']])
    .filter(([number]) => number > 0)
    .map(([number, what]) => `${inThousands(number)} ${what}`);
  const findings =
    kinds.length === 0 ? 'nothing found' : `${count(report.exceptions_count, 'finding')} (${kinds.join(', ')})`;
  // of nothing everything is true: whoever reads only this line must see it
  const compared = checks.reduce((all, { metadata }) => all + Number(metadata['compared'] ?? 0), 0);
  const which = isEmpty(report, checks) ? ' (which proves nothing)' : looksAtChanges(checks) ? ' (what changed)' : '';
  return `${titleOf(report)} ${String(report.metadata['verdict'])}: ${report.passed_checks} of ${count(report.total_checks, 'check')} passed, ${count(compared, 'record')} compared${which}, ${findings}`;
}
