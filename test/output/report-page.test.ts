import { expect, test } from 'vitest';
import type { StoredException } from '../../src/exceptions/exception.ts';
import { reportPage, type ReportPage } from '../../src/output/report-page.ts';
import { version } from '../../src/version.ts';
import { chromium, inChromium } from '../support/chromium.ts';

const hostile = `\u001b[31m\u202e</title></style></svg><script>document.title='owned'</script><img src=x onerror="document.title='owned'">'"&`;

const id = '10000000-0000-4000-8000-000000000001';
const started = '2026-03-01T12:00:00Z';

/** A page about a run whose every text is hostile. */
function pageOf(text: string): ReportPage {
  const exception = {
    id,
    severity: 'critical',
    kind: text,
    difference: '-5.000000000000000001',
    currency: text,
    description: text + 'x'.repeat(1_048_576),
    metadata: {},
    created_at: started,
  } as unknown as StoredException;
  const counts = { under_1_day: 3, under_7_days: 0, under_30_days: 1, older: 0 };
  return {
    report: {
      id,
      run_type: 'daily',
      status: 'failed',
      started_at: started,
      completed_at: started,
      total_checks: 1,
      passed_checks: 0,
      failed_checks: 1,
      exceptions_count: 4,
      error_message: text,
      metadata: { environment: text, verdict: 'incomplete', off: [text], narrowed_to: { user_id: text } },
      created_at: started,
    },
    checks: [
      {
        id,
        report_id: id,
        check_type: 'deposits',
        status: 'completed',
        expected_value: '5',
        actual_value: '0',
        difference: '-5',
        passed: false,
        error_message: text,
        execution_time_ms: 12,
        metadata: {
          compared: 7,
          findings: 1,
          verified_through: text,
          held_back: text,
          currencies: [{ currency: text, expected: '5', actual: '0', difference: '-5' }],
        },
        created_at: started,
      },
    ],
    trend: {
      days: ['2026-02-27', '2026-02-28', '2026-03-01'],
      checks: [
        {
          check_type: 'deposits',
          days: [null, { verdict: 'incomplete', findings: null }, { verdict: 'failed', findings: 4 }],
        },
      ],
      new_exceptions: [0, 0, 4],
    },
    totals: [
      { severity: 'critical', currency: text, amount: '5.000000000000000001', unknown: 0, ...counts },
      { severity: 'low', currency: text, amount: '0', unknown: 4, ...counts },
      { severity: 'low', currency: null, amount: null, unknown: 0, ...counts },
    ],
    exceptions: [exception],
    madeAt: new Date('2026-03-02T08:15:00Z'),
  };
}

test('the page says what the run says, in words beside every colour, and needs nothing from elsewhere', () => {
  const page = reportPage(pageOf('USDC'));
  for (const text of [
    'daily run 10000000, USDC',
    'deposits 2026-02-28: incomplete',
    'deposits 2026-03-01: failed, 4 findings',
    'deposits 2026-02-27: no run',
    'critical, under 30 days',
    '-5.000000000000000001',
    'critical: 5.000000000000000001 USDC',
    'low: 0 USDC and 4 unknown',
    '>5.000000000000000001 USDC and 4 unknown<',
    '… and 3 more: recon exceptions list --status all --report 10000000 -o csv',
    `<p class="faint">This page was made by recon ${version}, 2026-03-0`,
  ])
    expect(page).toContain(text);
  expect(page).toMatch(/<td class="">USDC<\/td><td class="">off \(RECONCILIATION_CHECKS\)<\/td>/);
  expect(page).not.toMatch(/https?:|<script|<link|<img|@import|url\(/);
});

test('which recon made the run is told, and which made the page where it is another', () => {
  const { report, ...page } = pageOf('USDC');
  const footOf = (by: string) =>
    reportPage({ ...page, report: { ...report, metadata: { ...report.metadata, recon_version: by } } });
  expect(footOf(version)).toContain(`The run was made by recon ${version}, this page at 2026-03-0`);
  expect(footOf('0.0.1 (296bff7)')).toContain(
    `The run was made by recon 0.0.1 (296bff7), this page by recon ${version}, 2026-03-0`,
  );
});

test('a run whose findings were purged does not say that it found none, nor where the others are', () => {
  const page = pageOf('USDC');
  const purged = { ...page.report, metadata: { ...page.report.metadata, purged_at: started } };
  const text = reportPage({ ...page, report: purged, exceptions: [] });
  expect(text).toContain('only what was seen first or last in this run is left of its findings');
  expect(text).not.toMatch(/None\.|more: recon exceptions list/);
});

test('hostile text is text, and a flood of it is cut off', () => {
  expect(reportPage(pageOf('x'.repeat(1_048_576))).length).toBeLessThan(100_000);
  const page = reportPage(pageOf(hostile));
  expect(page).toContain('&lt;script&gt;document.title=&#39;owned&#39;&lt;/script&gt;');
  expect(page).not.toMatch(/<script|<img|onerror="/);
  expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  expect(page.length).toBeLessThan(100_000);
});

test.skipIf(chromium === undefined)(
  `in a real browser${chromium === undefined ? ' (skipped: there is no Chromium on this machine)' : ''}`,
  { timeout: 120_000 },
  async () => {
    // without the policy, so that only the escaping stands between the text and the browser
    const page = reportPage(pageOf(hostile)).replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '');
    const { dom, pdf } = await inChromium(page);
    expect(dom).toContain('<title>daily run 10000000, \\u001b[31m\\u202e&lt;/title&gt;');
    expect(dom).not.toMatch(/<script|<img|<title>owned/);
    expect(dom.match(/<rect class="failed"/g)).toHaveLength(1);
    expect(dom.match(/<svg role="img"/g)).toHaveLength(3);
    expect(dom).toMatch(/<text class="mark"[^>]*>✗<\/text>/);
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    const unsafe = await inChromium(`<title>x</title><p>${hostile}</p>`);
    expect(unsafe.dom, 'this browser does run scripts').toContain('<title>owned</title>');
  },
);
