import { severities } from '../kinds.ts';
import { plain } from '../plain.ts';
import type { CheckStatus, Status } from '../status.ts';
import { describeAge } from '../duration.ts';
import { verdictOrStatus } from './reports.ts';
import { localTime, shortId, type Screen } from './screen.ts';
import { renderTable } from './table.ts';

/** The morning screen. */
export function statusScreen(status: Status, now: Date, screen: Screen): string {
  const { checks, last_report: last } = status;
  const told = checks.filter(({ on, error_message: error }) => on && error !== null);
  return [
    `${screen.strong(plain(status.environment))}  ${localTime(now.toISOString())}`,
    '',
    renderTable(
      [{ header: 'check' }, { header: 'verdict' }, { header: 'verified through' }, { header: 'everything proven' }],
      checks.map((check) => checkRow(check, now, screen)),
    ),
    ...told.map((check) => `${check.check_type}: ${plain(check.error_message ?? '')}`),
    ...(told.length > 0 ? [''] : []),
    openLine(status.open_exceptions, screen),
    last === null
      ? 'No run yet: recon run --type daily'
      : `Last run: ${last.run_type} ${screen.strong(shortId(last.id))} ${verdictOrStatus(last, screen)}, ${age(last.started_at, now)}`,
    '',
  ].join('\n');
}

function checkRow(check: CheckStatus, now: Date, screen: Screen): string[] {
  if (!check.on) return [check.check_type, 'off', '', ''];
  return [
    check.check_type,
    check.verdict === null ? 'never run' : screen.verdict(check.verdict),
    moment(check.verified_through, now),
    moment(check.proven_as_of, now),
  ];
}

function moment(time: string | null, now: Date): string {
  return time === null ? 'never' : `${localTime(time)} (${age(time, now)})`;
}

function age(time: string, now: Date): string {
  return describeAge(now.getTime() - Date.parse(time));
}

function openLine(open: Status['open_exceptions'], screen: Screen): string {
  const parts = severities
    .toReversed()
    .filter((severity) => open[severity] > 0)
    .map((severity) => `${open[severity].toLocaleString('en-US')} ${screen.severity(severity)}`);
  return parts.length === 0 ? 'No open exceptions.' : `Open exceptions: ${parts.join(', ')}: recon exceptions list`;
}
