import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { counters, gauges, histograms } from '../src/metrics/families.ts';
import { testWith } from './support/installed.ts';

const deploy = fileURLToPath(new URL('../deploy/', import.meta.url));
const read = (path: string) => readFile(join(deploy, path), 'utf8');

const rules = await read('prometheus/recon.rules.yml');
const dashboard = await read('grafana/recon-overview.json');
const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name!);

const exported = [
  ...Object.keys(counters),
  ...Object.keys(histograms).flatMap((name) => ['_bucket', '_sum', '_count'].map((suffix) => name + suffix)),
  ...Object.keys(gauges),
];

describe('the rules', () => {
  test('have the three of the user, word for word; a sum is one of an environment', () => {
    for (const expression of [
      'reconciliation_exceptions_unresolved{severity="critical"} > 0\n        for: 5m',
      'sum(rate(reconciliation_checks_failed_total[1h])) / sum(rate(reconciliation_checks_total[1h])) > 0.1\n        for: 15m',
      'increase(reconciliation_runs_total{status="failed"}[10m]) > 0\n        labels:',
    ])
      expect(rules.replaceAll('sum by (job, environment) (', 'sum(')).toContain(`expr: ${expression}`);
    expect(rules).not.toMatch(/\bsum\(/);
  });

  test('each have a summary, a description and a section of the runbook, and every section an alert', async () => {
    const sections = [...(await read('runbook.md')).matchAll(/^## (\w+)$/gm)].map(([, name]) => name!);
    expect(sections).toEqual(alerts);
    for (const field of ['summary', 'description', 'runbook_url'])
      expect(rules.match(new RegExp(`^ +${field}: `, 'gm')), field).toHaveLength(alerts.length);
    for (const alert of alerts) expect(rules).toContain(`runbook.md#${alert.toLowerCase()}\n`);
    for (const [name, text] of Object.entries(sectionsOf(await read('runbook.md'))))
      expect(text, name).toMatch(/Meaning\.[^]*Impact\.[^]*Diagnosis\.[^]*Mitigation\./);
  });

  test.each([
    ['the rules', rules],
    ['the dashboard', dashboard],
  ])('%s ask for nothing that is not exported', (_, text) => {
    const asked = new Set([...text.matchAll(/\breconciliation_\w+/g)].map(([name]) => name));
    expect([...asked].filter((name) => !exported.includes(name))).toEqual([]);
    expect(asked.size).toBeGreaterThan(5);
  });

  testWith(['promtool'])('hold under promtool, with their own windows; and a mistake in them does not', async () => {
    const check = (folder: string) => [
      spawnSync('promtool', ['check', 'rules', '--lint=all', '--lint-fatal', 'recon.rules.yml'], { cwd: folder })
        .status,
      spawnSync('promtool', ['test', 'rules', 'recon.rules.test.yml'], { cwd: folder }).status,
    ];
    expect(check(join(deploy, 'prometheus'))).toEqual([0, 0]);
    const folder = await mkdtemp(join(tmpdir(), 'recon-rules-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await cp(join(deploy, 'prometheus'), folder, { recursive: true });
    await writeFile(
      join(folder, 'recon.rules.yml'),
      rules.replace('_runs_total{status="failed"}[10m]', '_runs_total{status="failed"}[1h]'),
    );
    expect(check(folder)).toEqual([0, 1]);
  });
});

function sectionsOf(text: string): Record<string, string> {
  const [, ...parts] = text.split(/^## /m);
  return Object.fromEntries(parts.map((part) => [part.split('\n')[0]!, part]));
}

interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string }[];
  datasource?: { uid: string };
  fieldConfig?: { defaults: { unit?: string } };
}

test('the dashboard can be imported: one data source to choose, and a title, a unit and words on every panel', () => {
  const { panels, templating, uid } = JSON.parse(dashboard) as {
    panels: Panel[];
    templating: { list: { name: string }[] };
    uid: string;
  };
  expect(uid).toBe('recon-overview');
  expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'environment']);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)}/${y + Math.floor(cell / w)}`),
  );
  expect(new Set(cells).size, 'none lies on another').toBe(cells.length);
  for (const panel of panels.filter(({ type }) => type !== 'row')) {
    expect(panel.description, panel.title).toMatch(/\.$/);
    expect(panel.datasource?.uid, panel.title).toBe('${datasource}');
    expect(panel.fieldConfig?.defaults.unit, panel.title).toBeTruthy();
    expect(panel.targets?.length, panel.title).toBeGreaterThan(0);
  }
});
