import type { Config } from '../config.ts';
import { inTransaction, type Database } from '../database/database.ts';
import { describeAnswer, exchange, Unanswered, type Outgoing } from '../exchange.ts';
import { holdLock } from '../database/held-lock.ts';
import { metricsText } from './snapshot.ts';
import { OperatorError } from '../operator-error.ts';
import { createMask } from '../secrets.ts';
import type { World } from '../world.ts';

const timeoutMs = 5_000;

type Wire = Pick<World, 'env' | 'fetch' | 'signal'>;

/**
 * Pushes all metrics as they stand in the database, in place of those that were pushed before. Under a lock, so that no
 * older snapshot overtakes a newer one: Prometheus would take it for a restart. Does nothing without PUSHGATEWAY_URL.
 * Throws an OperatorError (3) that says why the gateway did not take them.
 */
export async function pushMetrics(
  database: Database,
  schema: string,
  config: Config,
  world: Pick<World, 'env' | 'fetch' | 'signal' | 'now'>,
): Promise<void> {
  const { pushgatewayUrl } = config;
  if (pushgatewayUrl === undefined) return;
  await inTransaction(database, 'read write', async (transaction) => {
    await holdLock(transaction, `recon metrics ${schema}`, 2 * timeoutMs);
    await put(
      urlOf(pushgatewayUrl, config.environment),
      await metricsText(transaction, schema, config, world.now()),
      world,
    );
  });
}

/** One group for all runs of an environment: a group of its own for a run or a machine would never go away. */
function urlOf(gateway: string, environment: string): string {
  const url = new URL(gateway);
  const value = Buffer.from(environment).toString('base64url'); // a slash in it would end the path
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/metrics/job/recon/environment@base64/${value}`;
  return url.href;
}

async function put(url: string, body: string, world: Wire): Promise<void> {
  const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };
  const problem = await whyRefused({ method: 'PUT', url, headers, body }, world);
  if (problem === undefined) return;
  const { host } = new URL(url);
  throw new OperatorError(
    3,
    `The Pushgateway at ${host} ${problem}.`,
    'Check PUSHGATEWAY_URL; the next run pushes again.',
  );
}

/** Why the gateway would not take anything now; undefined: it would (Pushgateway's README, "Management API"). */
export async function whyNotReady(gateway: string, world: Wire): Promise<string | undefined> {
  const url = new URL(gateway);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/-/ready`;
  return whyRefused({ method: 'GET', url: url.href, headers: {} }, world);
}

/** Only 200 and 202 are success: a redirect would lose everything without a word. */
async function whyRefused(request: Outgoing, world: Wire) {
  try {
    const answer = await exchange(world, request, timeoutMs);
    return [200, 202].includes(answer.status) ? undefined : describeAnswer(answer, createMask(world.env));
  } catch (error) {
    if (error instanceof Unanswered) return error.message;
    throw error;
  }
}
