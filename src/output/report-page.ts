import { count, inThousands } from '../count.ts';
import type { StoredException } from '../exceptions/exception.ts';
import { ages, countOf, type ExceptionTotal } from '../exceptions/totals.ts';
import { severities } from '../kinds.ts';
import { larger, money, sum, toText, zero, type Money } from '../money.ts';
import type { Report } from '../reports.ts';
import type { StoredCheck } from '../stored-checks.ts';
import type { CheckTrend, Trend } from '../status/trend.ts';
import { version } from '../version.ts';
import { barChart, gridChart, type BarRow } from './charts.ts';
import { amountText } from './exceptions.ts';
import { html, Html } from './html.ts';
import { checkColumns, checkLines, checkRows, correctionLines, moreThan, titleOf } from './report-screen.ts';
import { style } from './report-style.ts';
import { madeBy, notAsked, scopeLines, verdictOrStatus } from './reports.ts';
import { currencyOfSum, currencyText, cut, excerpt, localTime, shortId, type Screen } from './screen.ts';

/** What a page tells about one run. */
export interface ReportPage {
  report: Report;
  checks: readonly StoredCheck[];
  /** The 30 days up to the run. */
  trend: Trend;
  totals: readonly ExceptionTotal[];
  /** The most severe of what it found. */
  exceptions: readonly StoredException[];
  madeAt: Date;
}

/** How many exceptions a page lists before it names the command that lists all. */
export const exceptionsOnPage = 500;

/** A run as one HTML file that needs nothing else: no script, no picture, no other file; fit for paper. */
export function reportPage(page: ReportPage): string {
  const { report, checks, madeAt } = page;
  const title = `${titleOf(report)}, ${environmentOf(report)}`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        <h1>${title}: ${verdictWord(report)}</h1>
        <p class="faint">${localTime(report.started_at)}, report ${report.id}</p>
        ${[...scopeLines(report), excerpt(report.error_message ?? '', 2_000)].filter((line) => line !== '').map(paragraph)}
        <h2>Checks</h2>
        ${checkTable(page)} ${[...checkLines(checks), ...correctionLines(report)].map(paragraph)}
        ${checks.flatMap(({ check_type: name, error_message: error }) => (error === null ? [] : [paragraph(`${name}: ${excerpt(error, 2_000)}`)]))}
        ${gridChart(
          'Verdict of each check, the 30 days (UTC) up to this run: ✓ passed, ✗ failed, ? could not tell, empty: no run',
          page.trend.checks.map((check) => gridRow(check, page.trend.days)),
        )}
        <h2>Exceptions</h2>
        ${exceptionsOf(page)}
        <p class="faint">${origin(report, localTime(madeAt.toISOString()))}</p>
      </body>
    </html> `.text;
}

/** Which recon made the run, as far as that is on record, and which the page. */
function origin(report: Report, at: string): string {
  const by = madeBy(report);
  if (by === undefined) return `This page was made by recon ${version}, ${at}.`;
  return `The run was made by recon ${by}, this page ${by === version ? 'at' : `by recon ${version},`} ${at}.`;
}

function environmentOf({ metadata }: Report): string {
  const { environment } = metadata;
  return typeof environment === 'string' ? excerpt(environment) : 'unknown environment';
}

/** Words without colour: the page has its own. */
const words: Screen = {
  strong: (text) => text,
  faint: (text) => text,
  severity: (severity) => severity,
  verdict: (verdict) => verdict,
  health: (health) => health,
  called: (text) => text,
  command: (text) => text,
  columns: 120,
};

function verdictWord(report: Report): Html {
  const verdict = verdictOrStatus(report, words);
  return html`<span class="verdict ${verdict}">${verdict}</span>`;
}

function paragraph(text: string): Html {
  return html`<p>${text}</p> `;
}

/** A check that was not asked has its row too: it says why. */
function checkTable({ report, checks }: ReportPage): Html {
  const unasked = notAsked(report).flatMap(({ why, names }) => names.map((name) => [cut(name), why]));
  return table(
    checkColumns.map(({ header, align }) => ({ header, kind: align ?? '' })),
    [
      ...checks.flatMap((check) => checkRows(check, words)),
      ...unasked.map((row) => checkColumns.map((_, at) => row[at] ?? '')),
    ],
  );
}

function table(columns: readonly { header: string; kind: string }[], rows: readonly (readonly string[])[]): Html {
  const cells = (row: readonly string[]) =>
    row.map((cell, at) => html`<td class="${columns[at]?.kind ?? ''}">${cell}</td>`);
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          ${columns.map(({ header, kind }) => html`<th class="${kind}">${header}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${cells(row)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}

const marks = { passed: '✓', failed: '✗', incomplete: '?' };

function gridRow({ check_type: name, days }: CheckTrend, dates: readonly string[]) {
  return {
    label: name,
    squares: days.map((day, at) => ({
      kind: day?.verdict ?? 'none',
      mark: day === null ? '' : marks[day.verdict],
      title: `${name} ${dates[at] ?? ''}: ${day === null ? 'no run' : `${day.verdict}${day.findings === null ? '' : `, ${count(day.findings, 'finding')}`}`}`,
    })),
  };
}

function exceptionsOf({ report, totals, exceptions }: ReportPage): Html {
  if (report.exceptions_count === 0) return paragraph('None.');
  const more = moreThan(exceptions.length, report);
  const all = `recon exceptions list --status all --report ${shortId(report.id)} -o csv`;
  return html`${barChart('By severity and age, since recon first saw them', severityRows(totals))}
  ${barChart('Money at stake per currency: the sum of |difference|, else of what is in brackets below', currencyRows(totals))}
  ${paragraph('The charts are of what the run found, the table says how it stands now.')} ${exceptionTable(exceptions)}
  ${more > 0 ? paragraph(`… and ${inThousands(more)} more: ${all}`) : ''}`;
}

const ageWords = {
  under_1_day: 'under a day',
  under_7_days: 'under a week',
  under_30_days: 'under 30 days',
  older: 'older',
};

/** One bar per severity and age. */
function severityRows(totals: readonly ExceptionTotal[]): BarRow[] {
  const most = Math.max(...severities.map((severity) => countIn(totals, severity)));
  return severities.toReversed().flatMap((severity) =>
    ages.flatMap(({ name }) => {
      const number = totals.reduce((all, total) => all + (total.severity === severity ? total[name] : 0), 0);
      const label = `${severity}, ${ageWords[name]}`;
      return number === 0
        ? []
        : [
            {
              label,
              parts: [{ kind: severity, width: number / most, title: label }],
              note: inThousands(number),
            },
          ];
    }),
  );
}

function countIn(totals: readonly ExceptionTotal[], severity: string): number {
  return totals.reduce((all, total) => all + (total.severity === severity ? countOf(total) : 0), 0);
}

/** One bar per currency, made of its severities. */
function currencyRows(totals: readonly ExceptionTotal[]): BarRow[] {
  const ofMoney = totals.flatMap(({ amount, ...total }) => (amount === null ? [] : [{ ...total, amount }]));
  const currencies = [...new Set(ofMoney.map(({ currency }) => currency))];
  const amounts = (currency: string | null) => ofMoney.filter((total) => total.currency === currency);
  const total = (currency: string | null) => sum(amounts(currency).map(({ amount }) => money(amount)));
  const unknown = (currency: string | null) => amounts(currency).reduce((all, one) => all + one.unknown, 0);
  const most = currencies.map(total).reduce(larger, zero);
  return currencies.map((currency) => ({
    label: currencyOfSum(currency),
    parts: amounts(currency).map((part) => ({
      kind: part.severity,
      width: share(money(part.amount), most),
      title: `${part.severity}: ${part.amount} ${currencyOfSum(currency, part.unknown)}`,
    })),
    note: `${toText(total(currency))} ${currencyOfSum(currency, unknown(currency))}`,
  }));
}

/** How long a bar is; the amount itself is written beside it. */
function share(amount: Money, most: Money): number {
  return most.isZero() ? 0 : amount.dividedBy(most).toNumber();
}

function exceptionTable(exceptions: readonly StoredException[]): Html {
  return table(
    [
      { header: 'id', kind: '' },
      { header: 'severity', kind: '' },
      { header: 'kind', kind: '' },
      { header: 'difference', kind: 'right' },
      { header: '', kind: '' },
      { header: 'what', kind: 'text' },
      { header: 'since', kind: 'time' },
    ],
    exceptions.map((exception) => [
      shortId(exception.id ?? ''),
      exception.severity,
      cut(exception.kind),
      amountText(exception),
      currencyText(exception.currency),
      excerpt(exception.description, 1_000),
      localTime(exception.created_at),
    ]),
  );
}
