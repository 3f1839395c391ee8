import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import type { StoredAlert } from '../../src/alerts/outbox.ts';
import { checks as registry } from '../../src/checks/index.ts';
import { checkNames, type CheckName } from '../../src/checks/names.ts';
import type { StoredCorrection } from '../../src/corrections/store.ts';
import type { Order } from '../../src/exceptions/actions.ts';
import type { StoredException } from '../../src/exceptions/exception.ts';
import type { Story } from '../../src/exceptions/story.ts';
import { kinds, severities } from '../../src/kinds.ts';
import { alertTable } from '../../src/output/alerts.ts';
import { catalogueScreen } from '../../src/output/catalogue.ts';
import { correctionScreen, correctionTable, previewText, stopText, switchTable } from '../../src/output/corrections.ts';
import type { Diagnosis } from '../../src/doctor/examination.ts';
import { conclusion, diagnosisLines } from '../../src/output/doctor.ts';
import { orderTable } from '../../src/output/exception-orders.ts';
import { exceptionStory } from '../../src/output/exception-story.ts';
import { exceptionTable, footOf } from '../../src/output/exceptions.ts';
import { reportScreen } from '../../src/output/report-screen.ts';
import { reportTable } from '../../src/output/reports.ts';
import { localTime, screenOf, type Screen } from '../../src/output/screen.ts';
import { statusScreen } from '../../src/output/status.ts';
import type { Report } from '../../src/reports.ts';
import type { StoredCheck } from '../../src/stored-checks.ts';
import type { Status } from '../../src/status/status.ts';
import { Captured, recon } from '../support/world.ts';

// Every screen with the longest amounts, hostile text and floods of it: on 80 columns nothing is lost, and nothing wraps.

const hostile = `\u001b[31m\u202e支付 💶\r\n${'flood '.repeat(2_000)}`;
const largest = '-999999999999999999.999999999999999999'; // numeric(36,18)
const at = '2026-03-01T12:00:00Z';
const now = new Date('2026-03-01T13:00:00Z');
const idOf = (number: number) => `${String(number).padStart(8, 'a')}-0000-4000-8000-000000000001`;

/** What is told of some of them beside. */
const further: Partial<StoredException>[] = [
  { description: hostile, currency: hostile, affected_entity: `conversion_job:${hostile}`, acknowledged_by: hostile },
  { assignee: hostile },
  { snoozed_until: at },
  { accepted_until: at },
  { difference: null },
  { resolved_at: at, resolved_by: hostile, resolution_notes: hostile },
  { difference: '12.5' },
];

const exceptions = kinds.map(({ name: kind, of }, number): StoredException & { id: string } => ({
  report_id: idOf(1),
  check_id: idOf(1),
  check_type: 'conversion_jobs',
  kind,
  fingerprint: `conversion_jobs/${kind}/${of}:${idOf(number)}`,
  severity: severities[number % 4]!,
  description: 'conversion_job is settled, but was never posted',
  expected_value: largest,
  actual_value: '0',
  difference: largest,
  currency: 'USDC',
  affected_user_id: idOf(number),
  affected_entity: `conversion_job:${idOf(number)}`,
  auto_corrected: false,
  correction_action: null,
  resolved_at: null,
  resolved_by: null,
  resolution_notes: null,
  acknowledged_at: at,
  acknowledged_by: 'Ada',
  assignee: null,
  snoozed_until: null,
  accepted_until: null,
  last_report_id: idOf(1),
  last_seen_at: at,
  occurrences: 12_345,
  previous_exception_id: idOf(2),
  metadata: { stake: largest, also: [hostile], note: hostile },
  created_at: at,
  ...further[number],
  id: idOf(number),
}));

const report: Report = {
  id: idOf(1),
  run_type: 'manual',
  status: 'failed',
  started_at: at,
  completed_at: '2026-03-01T12:59:59Z',
  total_checks: 6,
  passed_checks: 1,
  failed_checks: 5,
  exceptions_count: 100_000,
  error_message: hostile,
  metadata: {
    environment: 'production-eu-west-1',
    verdict: 'incomplete',
    incomplete_checks: 2,
    narrowed_to: { user_id: hostile },
    recon_version: hostile,
  },
  created_at: at,
};

const accountless = {
  count: 1_234,
  amount: largest,
  currency: hostile,
  largest: [{ user_id: hostile, expected: largest }],
};

const details: Partial<Record<CheckName, Record<string, unknown>>> = {
  circle_balance: { without_account: accountless },
  conversion_jobs: { [hostile]: { not_compared: 1_234, not_compared_amount: largest } },
};

const checks = checkNames.map((name, number): StoredCheck => ({
  id: idOf(number),
  report_id: idOf(1),
  check_type: name,
  status: number === 0 ? 'failed' : 'completed',
  expected_value: largest,
  actual_value: largest,
  difference: largest,
  passed: number === 1,
  error_message: number === 0 ? hostile : null,
  execution_time_ms: 3_599_000,
  metadata: {
    compared: 10_000_000,
    findings: 1_000_000,
    verified_through: at,
    verified_since: at,
    proven_as_of: at,
    held_back: 'a transaction is open',
    coverage: 'changes',
    details: details[name] ?? {},
    currencies: ['USD', 'USDC', hostile].map((currency) => ({
      currency,
      expected: number === 2 ? '12.5' : largest,
      actual: number === 2 ? '12.5' : largest,
      difference: number === 2 ? '0' : largest,
    })),
  },
  created_at: at,
}));

const status: Status = {
  environment: 'production-eu-west-1',
  enabled: true,
  corrections: {
    ...{ automatic: true, stopped: false, why_stopped: null, tried: 1_234, corrected: 1_000 },
    ...{ refused: 200, failed: 34, failed_open: 30, undone_unseen: 3, came_back: 12, proposed: 7 },
    ...{ undone: 1_234, undo_refused: 200, undo_failed: 34, not_undone: 30 },
    broken_off: { report_id: idOf(1), reason: hostile },
  },
  runs: (['hourly', 'daily'] as const).map((type) => ({
    run_type: type,
    last_report: report,
    due: '2026-02-01T00:00:00Z',
    deadline: '2026-02-01T00:30:00Z',
    overdue: true,
    missed: Array.from({ length: 700 }, () => at),
  })),
  checks: checkNames.map((name, number) => ({
    check_type: name,
    on: true,
    verdict: number === 0 ? ('incomplete' as const) : ('failed' as const),
    report_id: idOf(1),
    checked_at: at,
    error_message: number === 0 ? hostile : null,
    too_few: false,
    verified_through: at,
    proven_as_of: at,
    without_account: name === 'circle_balance' ? accountless : null,
    compared: 0,
  })),
  open_exceptions: { low: 1, medium: 1, high: 1, critical: 100_000 },
  open_totals: ['USDC', hostile, null].map((currency) => ({
    severity: 'critical' as const,
    currency,
    amount: largest,
    unknown: 100_000,
    under_1_day: 100_000,
    under_7_days: 100_000,
    under_30_days: 100_000,
    older: 100_000,
  })),
  alerts: { waiting: 100_000, dead: 100_000 },
  held: [{ severity: 'critical', holder: hostile, count: 100_000 }],
  not_open: severities.flatMap((severity) =>
    (['snoozed', 'accepted'] as const).map((state) => ({ state, severity, count: 100_000, until: at })),
  ),
  trend: {
    days: Array.from({ length: 30 }, () => '2026-03-01'),
    checks: checkNames.map((name) => ({
      check_type: name,
      days: Array.from({ length: 30 }, () => ({ verdict: 'failed' as const, findings: 1_000_000 })),
    })),
    new_exceptions: Array.from({ length: 30 }, () => 1_000_000),
  },
  last_report: report,
  manual_report: report,
  next: [{ command: 'recon exceptions show aaaaaaa0', why: hostile }],
};

const [first] = exceptions;
const entry = {
  transaction_id: idOf(7),
  transaction_type: hostile,
  status: hostile,
  record_kind: 'conversion_job',
  reference_type: hostile,
  reference_id: idOf(8),
  created_at: at,
  entry_id: idOf(9),
  entry_type: 'credit',
  amount: largest,
  currency: 'USDC',
  account_id: idOf(9),
  account_type: hostile,
  user_id: idOf(9),
};
const story: Story = {
  exception: first!,
  involved: {
    records: [
      {
        record_kind: 'conversion_job',
        id: idOf(8),
        user_id: idOf(9),
        amount: largest,
        currency: hostile,
        destination_amount: largest,
        destination_currency: 'USD',
        fees: '1',
        ledger_transaction_id: idOf(7),
        state: 'settled',
        status: hostile,
        created_at: at,
        settled_at: at,
      },
    ],
    postings: [{ ...entry, leg: 'destination', transaction_id: idOf(7), posted_at: at }],
    entries: [entry],
    accounts: [
      {
        id: idOf(9),
        user_id: idOf(9),
        account_type: hostile,
        currency: 'USDC',
        balance: largest,
        opening_balance: '0',
        normal_side: 'debit',
      },
    ],
    unreadable: null,
  },
  invalid_entries: [hostile],
  causes: [{ cause: 'fee', sentence: hostile, evidence: [] }],
  untested: null,
  sightings: [
    {
      report_id: idOf(1),
      severity: 'critical',
      expected_value: '0',
      actual_value: '0',
      difference: largest,
      stake: null,
      seen_at: at,
    },
  ],
  events: [
    {
      event: 'assigned',
      actor: hostile,
      note: hostile,
      details: { assignee: hostile, until: at },
      host: hostile,
      created_at: at,
    },
  ],
  successor: { id: idOf(3), kind: 'stuck', is_return: true },
  proposal: null,
  refusal: null,
  undone: null,
  undoing: null,
};

const correction = {
  id: idOf(1),
  exception_id: idOf(2),
  correction: 'post_record',
  state: 'refused',
  amount: largest,
  currency: 'USDC',
  reason: hostile,
  proposed_by: hostile,
  decided_by: hostile,
  undoes: idOf(3),
  undone_by: null,
  created_at: at,
  subject: `conversion_job:${idOf(4)}`,
  action: hostile,
  proposal_note: hostile,
  decision_note: hostile,
  ended_at: at,
  rows_proposed: [
    { table: 'ledger_entries', id: idOf(5), before: null, after: { transaction_id: idOf(6), currency: hostile } },
    { table: 'ledger_accounts', id: idOf(7), before: { balance: largest }, after: { balance: `-${largest}` } },
  ],
} as unknown as StoredCorrection;

const stop = { stopped: true, changed_by: hostile, host: hostile, login: hostile, note: hostile, changed_at: at };

const orders: Order[] = exceptions.map(({ id }) => ({
  id,
  action: 'acknowledge',
  note: hostile,
  until: at,
  assignee: hostile,
}));
const alert: StoredAlert = {
  id: idOf(1),
  report_id: idOf(1),
  target: 'pagerduty',
  summary: hostile.slice(0, 500),
  state: 'waiting',
  attempts: 12,
  last_error: hostile.slice(0, 500),
  created_at: at,
  attempted_at: at,
  delivered_at: null,
  body: '{}',
} as unknown as StoredAlert;

const total = {
  state: 'open' as const,
  severity: 'critical' as const,
  count: 100_000,
  amount: largest,
  unknown: 100_000,
};
const foot = {
  shown: 50,
  totals: [
    { ...total, currency: 'USDC' },
    { ...total, currency: hostile },
  ],
  apart: [],
  next: "recon exceptions list --text 'a long text that nobody would look for, but somebody did' --sort amount --after aaaaaaa0",
};

const config = { environment: 'production', checks: ['deposits'] as const };

const screens: Record<string, (screen: Screen) => string> = {
  status: (screen) => statusScreen(status, now, screen),
  'exceptions list': (screen) => exceptionTable(exceptions, now, screen),
  'its foot': (screen) => footOf('production', foot, screen),
  'exceptions show': (screen) => exceptionStory(story, config, now, screen),
  'what would change': (screen) => orderTable(exceptions, orders, { by: 'Grace', host: 'desk-7', at: now }, screen),
  'reports list': (screen) => reportTable([report], screen),
  'run and reports show': (screen) => reportScreen(report, checks, exceptions, now, screen),
  'exceptions show, resolved': (screen) =>
    exceptionStory({ ...story, exception: { ...story.exception, resolved_at: at } }, config, now, screen),
  'exceptions show, undone': (screen) =>
    exceptionStory(
      { ...story, exception: { ...story.exception, kind: 'reversed_for_settled' }, undoing: correction },
      config,
      now,
      screen,
    ),
  'exceptions show, proposed': (screen) =>
    exceptionStory({ ...story, proposal: { ...correction, state: 'proposed' } }, config, now, screen),
  'exceptions show, refused': (screen) => exceptionStory({ ...story, refusal: hostile }, config, now, screen),
  'corrections list': (screen) => correctionTable([correction], screen),
  'corrections list, stopped': (screen) => stopText(stop, screen),
  'corrections switch': (screen) => switchTable([stop, { ...stop, stopped: false, host: null, login: null }], screen),
  'corrections show': (screen) => correctionScreen(correction, screen),
  'corrections approve': (screen) => previewText(hostile, correction.rows_proposed ?? [], screen),
  'alerts list': (screen) => alertTable([alert], screen),
  checks: (screen) => catalogueScreen(Object.values(registry), screen),
  'the last line of doctor': (screen) => conclusion([{ verdict: 'warning' } as Diagnosis], { offline: false }, screen),
  doctor: (screen) =>
    diagnosisLines(
      { topic: 'ledger_consistency', verdict: 'problem', message: hostile.slice(0, 500), next: hostile.slice(0, 500) },
      screen,
    ),
};

/** Commands are there to be copied: they are not wrapped. */
function tooWide(text: string, columns: number): string[] {
  return text.split('\n').filter((line) => stringWidth(line) > columns && !/^ *(… .*: )?recon /.test(line));
}

/** Without the blanks and line breaks that make it fit. */
function content(text: string): string {
  return stripVTControlCharacters(text).replace(/\s+/g, ' ');
}

describe.each([80, 200])('on %i columns', (columns) => {
  test.each(Object.entries(screens))('recon %s fits, with colour and without', (_, render) => {
    for (const env of [{ FORCE_COLOR: '1' }, { NO_COLOR: '1' }]) {
      const text = render(screenOf(new Captured(true, columns), { env }));
      expect(tooWide(text, columns)).toEqual([]);
      expect(text.includes('\u001b[31m支')).toBe(false);
    }
  });

  test('no amount, id or verdict is lost', () => {
    const screen = screenOf(new Captured(true, columns), { env: { NO_COLOR: '1' } });
    const list = content(exceptionTable(exceptions, now, screen));
    for (const { id, severity, kind } of exceptions) expect(list).toContain(`${id.slice(0, 8)} ${severity} ${kind}`);
    for (const { affected_user_id: user, created_at: since } of exceptions)
      expect(list).toContain(` ${user!.slice(0, 8)} ${columns === 80 ? '60 min ago' : localTime(since)} 12345x`);
    const [first, ...others] = exceptions.filter(({ difference }) => difference === largest);
    expect([first!.currency, list.split(` ${largest} USDC`).length - 1]).toEqual([hostile, others.length]);
    const run = content(reportScreen(report, checks, [], now, screen));
    expect(run.split(largest)).toHaveLength(checks.length * 9 - 9 + 3);
    expect(run).toMatch(/ledger_consistency incomplete 10,000,000 1,000,000 59 min 59 s /);
    expect(content(statusScreen(status, now, screen)).split(`${largest} `)).toHaveLength(5);
  });
});

test('where debits and credits differ it is said why, of the ledger and of nothing else', () => {
  const isSaid = (name: CheckName, differences: readonly string[]) => {
    const currencies = differences.map((difference) => ({ currency: 'USD', expected: '0', actual: '0', difference }));
    const check = { ...checks[0]!, check_type: name, error_message: null, metadata: { currencies } };
    return /differ by what was converted/.test(
      reportScreen(report, [check], [], now, screenOf(new Captured(true, 200), { env: {} })),
    );
  };
  expect(isSaid('ledger_consistency', ['0', '-0.000001'])).toBe(true);
  expect(isSaid('ledger_consistency', ['0', '0'])).toBe(false);
  expect(isSaid('deposits', ['1'])).toBe(false);
});

test('what of completed jobs was not compared is said, in each currency, and nothing where all was', () => {
  const said = (told: Record<string, unknown>) => {
    const check = { ...checks[0]!, check_type: 'conversion_jobs' as const, metadata: { details: told } };
    const text = reportScreen(report, [check], [], now, screenOf(new Captured(true, 200), { env: {} }));
    return text.split('\n').filter((line) => line.includes('not compared'));
  };
  const currencies = {
    USD: { not_compared: 1_200, not_compared_amount: '77.5' },
    all: { not_compared: 1, not_compared_amount: '0' },
  };
  expect(said(currencies)).toEqual([
    'conversion_jobs: not compared: 77.5 USD, booked for 1,200 completed jobs without destination amount or rate',
    'conversion_jobs: not compared: 0 without currency, booked for 1 completed job without destination amount or rate',
  ]);
  expect(said({})).toEqual([]);
});

test('on 60 columns the subject of an exception is whole, and what was found with it has no zeros behind it', () => {
  const screen = screenOf(new Captured(true, 60), { env: { NO_COLOR: '1' } });
  const subject = `transaction:${idOf(7)}`;
  const exception = {
    ...story.exception,
    affected_entity: subject,
    metadata: {
      amount: '170.000000000000000000',
      entries: [{ amount: '-0.50', id: idOf(8) }],
      rate: '1.100',
      note: '1.10 x',
    },
  };
  const text = exceptionStory({ ...story, exception }, config, now, screen);
  expect(text).toMatch(new RegExp(`^subject\\n  ${subject}$`, 'm'));
  expect(content(text)).toContain(`found with it amount 170 entries amount -0.5, id ${idOf(8)} rate 1.1 note 1.10 x`);
});

test('a correction that moves no money shows no amount', () => {
  const screen = screenOf(new Captured(false, 80), { env: {} });
  const link = { ...correction, correction: 'link_job' as const, amount: '0', currency: null };
  expect(correctionTable([link], screen)).toMatch(/ conversion_job aaaaaaa4 +\\u001b/);
  expect(correctionScreen(link, screen)).not.toMatch(/^amount/m);
  expect(correctionScreen({ ...link, currency: 'USD' }, screen)).toMatch(/^amount +0 USD$/m);
});

test('a wide screen is used', () => {
  const lines = exceptionTable(exceptions.slice(2), now, screenOf(new Captured(true, 200), { env: {} })).split('\n');
  expect(lines).toHaveLength(exceptions.length); // one line for each, and the header
});

test('on 80 columns an exception takes two lines', () => {
  const screen = screenOf(new Captured(true, 80), { env: { NO_COLOR: '1' } });
  const deposit = {
    ...exceptions[5]!,
    difference: '-2640',
    affected_entity: 'deposit:c16c560f-0000-4000-8000-000000000001',
  };
  expect(exceptionTable([deposit], now, screen).split('\n').slice(2)).toEqual([
    'aaaaaaa5  medium    unbalanced_transaction       -2640  USDC  deposit c16c560f',
    '    aaaaaaa5  60 min ago  12345x  resolved',
    '',
  ]);
});

test('doctor breaks nothing that is to be copied', () => {
  const path = `/opt/${'long-name/'.repeat(9)}sql/source/stack_service`;
  const next = `Copy ${path}, or do without: RECONCILIATION_CHECKS=ledger_consistency,deposits,conversion_jobs,withdrawals`;
  const command = '`grant recon_reader, recon_writer to recon; -- only to look: recon_reader`';
  const diagnosis: Diagnosis = {
    topic: 'source',
    verdict: 'problem',
    message: `${path} is wrong.`,
    next: `${next} ${command}`,
  };
  const lines = diagnosisLines(diagnosis, screenOf(new Captured(true, 80), { env: {} }));
  for (const word of `${diagnosis.message} ${next}`.split(' ')) expect(lines).toContain(word);
  expect(lines).toContain(command);
});

test.each([
  ['--help'],
  ['run --help'],
  ['exceptions accept --help'],
  ['alerts --help'],
  ['status --help'],
  ['doctor --help'],
  ['completion --help'],
  ['help output'],
  ['help exit-codes'],
  ['help environment'],
])('recon %s fits 80 columns', async (line) => {
  const { stdout } = await recon(line.split(' '), { terminal: true, columns: 80 });
  expect(stdout.length).toBeGreaterThan(100);
  expect(tooWide(stdout, 80)).toEqual([]);
});
