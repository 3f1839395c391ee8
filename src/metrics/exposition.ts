import type { Labels } from './families.ts';

/** One line: `name{labels} value`. The value is decimal text. */
export interface Sample {
  name: string;
  labels: Labels;
  value: string;
}

/** The series of one metric. */
export interface Metric {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  samples: readonly Sample[];
}

/**
 * Metrics in the text format 0.0.4 of Prometheus, every line ended, none with a timestamp: a Pushgateway refuses both.
 * By hand, because prom-client counts inside of the process: its histograms can only observe and its numbers are floating
 * point, while these totals and sums of money were counted in the database and are given as they stand there.
 */
export function exposition(metrics: readonly Metric[]): string {
  return metrics.map(textOf).join('');
}

function textOf({ name, type, help, samples }: Metric): string {
  const lines = [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`, ...samples.map(lineOf)];
  return lines.map((line) => `${line}\n`).join('');
}

function lineOf({ name, labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text).replaceAll('"', '\\"')}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
