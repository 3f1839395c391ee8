import type { Config } from '../config.ts';
import type { Transaction } from '../database/database.ts';
import { exposition, type Metric, type Sample } from './exposition.ts';
import { readGauges } from './gauges.ts';
import { combinations, counters, gauges, histograms, type Labels } from './families.ts';
import { boundText, readTotals, type Totals } from './totals.ts';

/** Everything that is exported, as Prometheus reads it: a whole snapshot, computed from the database alone. */
export async function metricsText(
  transaction: Transaction,
  schema: string,
  config: Config,
  now: Date,
): Promise<string> {
  const totals = await readTotals(transaction, schema);
  return exposition([
    ...Object.entries(counters).map(([name, family]) => counterOf(name, family, totals)),
    ...Object.entries(histograms).map(([name, family]) => histogramOf(name, family, totals)),
    ...gaugesOf(await readGauges(transaction, schema, config, now)),
  ]);
}

type Counter = (typeof counters)[keyof typeof counters];
type Histogram = (typeof histograms)[keyof typeof histograms];

function counterOf(name: string, { help, labels }: Counter, totals: Totals): Metric {
  const samples = combinations(labels).map((one) => ({ name, labels: one, value: totals(name, one) }));
  return { name, type: 'counter', help, samples };
}

function histogramOf(name: string, { help, labels, buckets }: Histogram, totals: Totals): Metric {
  const sample = (suffix: string, one: Labels): Sample => {
    return { name: name + suffix, labels: one, value: totals(name + suffix, one) };
  };
  const samples = combinations(labels).flatMap((one) => [
    ...[...buckets, Infinity].map((bound) => sample('_bucket', { ...one, le: boundText(bound) })),
    sample('_sum', one),
    sample('_count', one),
  ]);
  return { name, type: 'histogram', help, samples };
}

function gaugesOf(samples: readonly Sample[]): Metric[] {
  return Object.entries(gauges)
    .map(([name, { help }]): Metric => {
      return { name, type: 'gauge', help, samples: samples.filter((sample) => sample.name === name) };
    })
    .filter((metric) => metric.samples.length > 0);
}
