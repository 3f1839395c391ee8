import { inThousands } from '../count.ts';
import { flowed } from '../flowed.ts';
import type { CorrectionFigures, UndoingFigures } from '../corrections/figures.ts';
import { describeAge } from '../duration.ts';
import { ages, countOf, type ExceptionTotal, type NotOpen } from '../exceptions/totals.ts';
import { plain } from '../plain.ts';
import type { Report } from '../reports.ts';
import type { ScheduledRuns } from '../schedule/runs.ts';
import type { CheckStatus, Status } from '../status/status.ts';
import type { CheckTrend } from '../status/trend.ts';
import { accountlessLine } from './custody.ts';
import { verdictOrStatus, whyIncompleteLines } from './reports.ts';
import { currencyOfSum, excerpt, localTime, shortId, type Screen } from './screen.ts';
import { sparkline } from './sparkline.ts';
import { stepLines } from './steps.ts';
import { renderTable } from './table.ts';

/** The morning screen. */
export function statusScreen(status: Status, now: Date, screen: Screen): string {
  return [
    `${screen.strong(plain(status.environment))}  ${localTime(now.toISOString())}`,
    '',
    runTable(status, now, screen),
    checkTable(status.checks, now, screen),
    ...reasons(status.checks, screen),
    openTable(status.open_totals, screen) + notOpenLine(status.not_open, screen),
    trendTable(status, screen),
    ...correctionLines(status, screen),
    ...alertLines(status.alerts, screen),
    status.next.length === 0 ? 'Nothing to do.\n' : stepLines(status.next, screen),
  ].join('\n');
}

function runTable({ enabled, runs, manual_report: manual }: Status, now: Date, screen: Screen): string {
  return renderTable(
    ['run', 'last', '', 'verdict', 'next', 'missed (30 d)'].map((header) => ({ header })),
    [
      ...runs.map((run) => [
        run.run_type,
        ...lastRun(run.last_report, now, screen),
        enabled ? nextOf(run, now, screen) : 'switched off',
        run.due === null ? '' : inThousands(run.missed.length),
      ]),
      ...(manual === null ? [] : [['manual', ...lastRun(manual, now, screen), '', '']]),
    ],
    screen.columns,
  );
}

function lastRun(report: Report | null, now: Date, screen: Screen): [string, string, string] {
  if (report === null) return ['never', '', ''];
  return [screen.strong(shortId(report.id)), age(report.started_at, now), verdictOrStatus(report, screen)];
}

function nextOf({ due, overdue }: ScheduledRuns, now: Date, screen: Screen): string {
  if (due === null) return 'not expected';
  return overdue ? screen.strong(`OVERDUE, expected ${age(due, now)}`) : age(due, now);
}

function checkTable(checks: readonly CheckStatus[], now: Date, screen: Screen): string {
  return renderTable(
    [{ header: 'check' }, { header: 'verdict' }, { header: 'verified through' }, { header: 'everything proven' }],
    checks.map((check) => checkRow(check, now, screen)),
    screen.columns,
  );
}

function checkRow(check: CheckStatus, now: Date, screen: Screen): string[] {
  if (!check.on) return [check.check_type, 'off', '', ''];
  const moment = (time: string | null) => momentOf(time, now, screen);
  return [
    check.check_type,
    check.verdict === null ? 'never run' : screen.verdict(check.verdict),
    moment(check.verified_through),
    moment(check.proven_as_of),
  ];
}

/** Both columns of such moments fit a line of this width. */
const columnsForTimes = 116;

function momentOf(time: string | null, now: Date, { columns }: Screen): string {
  if (time === null) return 'never';
  return columns < columnsForTimes ? age(time, now) : `${localTime(time)} (${age(time, now)})`;
}

function age(time: string, now: Date): string {
  return describeAge(now.getTime() - Date.parse(time));
}

/** Why checks could not tell, those that say the same in one line; and what one saw that is no finding. */
function reasons(checks: readonly CheckStatus[], { columns }: Screen): string[] {
  const asked = checks.filter(({ on }) => on);
  return [
    ...whyIncompleteLines(asked),
    ...asked.flatMap((check) => accountlessLine(check.check_type, check.without_account)),
  ].map((line) => flowed('', line, columns));
}

function openTable(totals: readonly ExceptionTotal[], screen: Screen): string {
  if (totals.length === 0) return 'No open exceptions.\n';
  const right = (header: string) => ({ header, align: 'right' as const });
  return renderTable(
    [
      { header: 'open' },
      ...ages.map(({ days }) => right(days === null ? 'older' : `< ${days} d`)),
      right('all'),
      right('at stake'),
      { header: '' },
    ],
    totals.map((total) => [
      screen.severity(total.severity),
      ...ages.map(({ name }) => inThousands(total[name])),
      inThousands(countOf(total)),
      total.amount ?? '-',
      total.amount === null ? '' : currencyOfSum(total.currency, total.unknown),
    ]),
    screen.columns,
  );
}

/** What is put aside or agreed is no reason to say that nothing is wrong. */
function notOpenLine(groups: readonly NotOpen[], { columns }: Screen): string {
  const parts = groups.map(
    ({ state, severity, count, until }) =>
      `${inThousands(count)} ${severity} ${state} until ${localTime(until)}${count === 1 ? '' : ' or longer'}`,
  );
  return parts.length === 0 ? '' : flowed('', `Not counted as open: ${parts.join('; ')}.`, columns);
}

function trendTable({ trend, checks }: Status, screen: Screen): string {
  const isOn = (name: string) => checks.some((check) => check.on && check.check_type === name);
  const lines = [
    ...trend.checks
      .filter(({ check_type: name }) => isOn(name))
      .map((check) => [check.check_type, ...findingsOf(check)]),
    ['new exceptions', sparkline(trend.new_exceptions), lastOf(trend.new_exceptions)],
  ];
  return [
    renderTable(
      [{ header: 'last 30 days' }, { header: 'findings' }, { header: 'today', align: 'right' }],
      lines,
      screen.columns,
    ),
    screen.faint('by day (UTC), the last run that could tell: ▁ none █ most ? none could · no run'),
    '',
  ].join('\n');
}

/** As the last run of each day found them. */
function findingsOf({ days }: CheckTrend): [string, string] {
  const values = days.map((day) => (day === null ? '·' : (day.findings ?? '?')));
  return [sparkline(values), lastOf(values)];
}

function lastOf(values: readonly (number | string)[]): string {
  const last = values.at(-1) ?? '';
  return typeof last === 'number' ? inThousands(last) : last;
}

/** Where nothing was corrected and nothing could be, there is nothing to say. */
function correctionLines({ corrections }: Status, { columns }: Screen): string[] {
  const { automatic, stopped, tried, proposed, broken_off: brokenOff } = corrections;
  const mode = stopped ? 'STOPPED' : automatic ? 'automatic' : 'not automatic';
  const undoings = undoingsText(corrections);
  const lines = [
    ...(brokenOff === null
      ? []
      : [
          flowed(
            `run ${shortId(brokenOff.report_id)}: `,
            `corrections broke off: ${excerpt(brokenOff.reason)}`,
            columns,
          ),
        ]),
    ...(undoings === '' ? [] : [flowed('', undoings, columns)]),
  ];
  if (!automatic && !stopped && tried + proposed === 0 && lines.length === 0) return [];
  return [flowed(`corrections (${mode}), 30 days: `, attemptsText(corrections), columns) + lines.join('')];
}

/** Whoever reads this screen may be the first to hear of it. */
function alertLines({ waiting, dead }: Status['alerts'], { columns }: Screen): string[] {
  const text = `${inThousands(waiting)} waiting, ${inThousands(dead)} given up (dead, 30 days)`;
  return waiting + dead === 0 ? [] : [flowed('alerts not delivered: ', text, columns)];
}

function attemptsText(figures: CorrectionFigures): string {
  const { tried, proposed, corrected, refused, failed, came_back: cameBack } = figures;
  return `${tried} tried, ${corrected} corrected, ${refused} refused, ${failed} failed, ${cameBack} came back, ${proposed} proposed`;
}

function undoingsText({ undone, undo_refused: refused, undo_failed: failed }: UndoingFigures): string {
  return undone + refused + failed === 0
    ? ''
    : `undoings, 30 days: ${undone} undone, ${refused} refused, ${failed} failed`;
}
