import { deliverAlerts } from '../alerts/deliver.ts';
import type { Config } from '../config.ts';
import type { Database } from '../database/database.ts';
import { pushMetrics } from '../metrics/pushgateway.ts';
import type { Mask } from '../secrets.ts';
import type { World } from '../world.ts';

/** Who speaks, with what keys, and who is told where it goes wrong. */
interface Speaker {
  config: Config;
  world: World;
  mask: Mask;
  listener: { trouble: (event: string, error: unknown) => void };
}

/**
 * Delivers the alerts and pushes the metrics, when all of a run is stored: nothing in it can change its result. A run
 * that was told to stop leaves it to the next one.
 */
export async function makeKnown(speaker: Speaker, database: Database, schema: string): Promise<void> {
  const { config, world, listener, mask } = speaker;
  if (world.signal.aborted) return;
  try {
    for (const { target, left, problem } of await deliverAlerts(database, schema, config, world, mask))
      if (left > 0) listener.trouble('alerts.undelivered', undelivered(target, left, problem));
  } catch (error) {
    listener.trouble('alerts.undelivered', error);
  }
  await tryToPush(speaker, database, schema);
}

/** Metrics that nobody takes are no reason to fail: the next push carries the same totals. */
export async function tryToPush(
  { config, world, listener }: Speaker,
  database: Database,
  schema: string,
): Promise<void> {
  if (world.signal.aborted) return;
  await pushMetrics(database, schema, config, world).catch((error: unknown) => {
    listener.trouble('metrics.not_pushed', error);
  });
}

function undelivered(target: string, left: number, problem: string | null): string {
  const alerts = left === 1 ? '1 alert was' : `${left} alerts were`;
  return `${target} ${problem ?? 'was not reached in time'}: ${alerts} not delivered; recon alerts list`;
}
