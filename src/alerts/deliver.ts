import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { askedWaitMs, backOffMs, isPassing } from '../custodians/retries.ts';
import { inTransaction, type Database } from '../database/database.ts';
import { describeAnswer, exchange, Unanswered, type Answer, type Outgoing } from '../exchange.ts';
import { holdLock } from '../database/held-lock.ts';
import type { Mask } from '../secrets.ts';
import type { World } from '../world.ts';
import { waitingFor, type StoredAlert } from './outbox.ts';
import { giveUpOld, giveUpOrphans, giveUpOvertaken, settle } from './outcome.ts';
import { keyIn, pagerDutyPace, pagerDutyRequest, pagerDutyTook } from './pagerduty.ts';
import { slackPace, slackRequest, slackTook } from './slack.ts';
import type { TargetConfig, TargetName } from './target.ts';
import { webhookRequest, webhookTook } from './webhook.ts';

/** All of delivering ends by then, however many targets are slow; what is left waits for the next run. */
const budgetMs = 30_000;

/** How long somebody else who delivers is waited for. */
const lockWaitMs = 10_000;

/** How often one alert is tried by one process. */
const attemptsMax = 3;

/** So many in a row that are answered with an error of the target: it is down, and the reason lies in none of them. */
const failuresMax = 2;

/** What came of delivering to one target. */
export interface Delivered {
  target: TargetName;
  delivered: number;
  /** How many were not taken. */
  left: number;
  /** Why the first of them was not taken. */
  problem: string | null;
}

type Wire = Pick<World, 'fetch' | 'signal' | 'now' | 'random'>;

/**
 * Delivers what waits in the outbox, each target's alerts in their order and the targets side by side. Nobody else
 * delivers at the same time: a lock that dies with the process. Whatever was not taken stays for the next run.
 */
export async function deliverAlerts(
  database: Database,
  schema: string,
  config: Pick<Config, 'alerts' | 'requestTimeoutMs'>,
  world: Wire,
  mask: Mask,
): Promise<Delivered[]> {
  const { targets, maxAgeMs } = config.alerts;
  const over = AbortSignal.timeout(budgetMs);
  return inTransaction(database, 'read write', async (transaction) => {
    await holdLock(transaction, `recon alerts ${schema}`, lockWaitMs);
    const configured = targets.map(({ name }) => name);
    await inTransaction(database, 'read write', (own) =>
      giveUpOrphans(own, schema, configured, { at: world.now().toISOString(), maxAgeMs }),
    );
    return Promise.all(targets.map((target) => deliverTo(target, { database, schema, config, world, mask, over })));
  });
}

interface Post {
  database: Database;
  schema: string;
  config: Pick<Config, 'alerts' | 'requestTimeoutMs'>;
  world: Wire;
  mask: Mask;
  /** Aborted when the time of delivering is over. */
  over: AbortSignal;
}

/**
 * A target that is down is left alone: the next alert would only wait as long again. One that fails may do so over one
 * alert, which does not keep the others from it. What it refuses holds back what comes after it under the same key:
 * PagerDuty must not hear of an end first, and then of a beginning.
 */
async function deliverTo(target: TargetConfig, post: Post): Promise<Delivered> {
  const { database, schema } = post;
  const alerts = await inTransaction(database, 'read write', async (transaction) => {
    await giveUpOvertaken(transaction, schema, target.name);
    return waitingFor(transaction, schema, target.name);
  });
  const result: Delivered = { target: target.name, delivered: 0, left: alerts.length, problem: null };
  const { burst, gapMs } = paces[target.name];
  const heldBack = new Set<string>();
  let failures = 0;
  for (const [index, alert] of alerts.entries()) {
    const key = keyIn(alert.body);
    if (isOver(post)) break;
    if (key !== undefined && heldBack.has(key)) continue;
    if (index >= burst) await sleep(gapMs);
    const { problem, isDown, isFailing } = await deliver(target, alert, post);
    if (problem === null) Object.assign(result, { delivered: result.delivered + 1, left: result.left - 1 });
    else if (key !== undefined) heldBack.add(key);
    result.problem ??= problem;
    failures = isFailing ? failures + 1 : 0;
    if (!isDown && failures < failuresMax) continue;
    await leaveAlone(target, problem, post);
    break;
  }
  return result;
}

/** Tries to deliver an alert, and writes down what came of it. */
async function deliver(target: TargetConfig, alert: StoredAlert, post: Post): Promise<Tried> {
  const tried = await tryToDeliver(target, alert, post);
  const { database, schema, config, world } = post;
  const attempted = { ...tried, at: world.now().toISOString() };
  await inTransaction(database, 'read write', (transaction) =>
    settle(transaction, schema, alert, attempted, config.alerts.maxAgeMs),
  );
  return tried;
}

/** Whatever waits for a target that is down stays, but for what is too old. */
async function leaveAlone({ name }: TargetConfig, problem: string | null, post: Post): Promise<void> {
  const { database, schema, config, world } = post;
  const refused = { problem, at: world.now().toISOString() };
  await inTransaction(database, 'read write', (transaction) =>
    giveUpOld(transaction, schema, name, refused, config.alerts.maxAgeMs),
  );
}

function isOver({ over, world }: Post): boolean {
  return over.aborted || world.signal.aborted;
}

/** So many at once, and then one every so often. */
const paces: Record<TargetName, { burst: number; gapMs: number }> = {
  slack: slackPace,
  pagerduty: pagerDutyPace,
  webhook: { burst: Infinity, gapMs: 0 },
};

interface Tried {
  attempts: number;
  problem: string | null;
  /** It did not answer, or asks to wait: no reason lies in this alert. */
  isDown: boolean;
  /** It answered what may pass, and the reason may lie in this alert. */
  isFailing: boolean;
}

/** Tries again what may pass, after a while; what was refused for good is for the next run, when it may be mended. */
async function tryToDeliver(target: TargetConfig, alert: StoredAlert, post: Post): Promise<Tried> {
  for (let attempts = 1; ; attempts += 1) {
    const { problem, passing, isDown, askedMs } = await send(target, alert, post);
    const tried = { attempts, problem, isDown, isFailing: passing && !isDown };
    if (problem === null || !passing || attempts === attemptsMax) return tried;
    const pauseMs = askedMs ?? backOffMs(attempts, post.world.random);
    if (pauseMs > budgetMs) return tried;
    const stop = AbortSignal.any([post.over, post.world.signal]);
    await sleep(pauseMs, undefined, { signal: stop }).catch(() => undefined);
    if (isOver(post)) return tried;
  }
}

/** What a target says to one attempt. */
export interface Reply {
  /** Why it was not taken; null: it was. */
  problem: string | null;
  /** Whether it may be taken a little later. */
  passing: boolean;
  /** Whether it lies in the target, whatever is sent. */
  isDown: boolean;
  /** Whether the target was reached at all. */
  answered: boolean;
  /** How long the target asks to wait. */
  askedMs?: number | undefined;
}

/** Sends an alert once. */
export async function send(
  target: TargetConfig,
  alert: Pick<StoredAlert, 'id' | 'body'>,
  { config, world, mask }: Pick<Post, 'config' | 'world' | 'mask'>,
): Promise<Reply> {
  try {
    const request = requestFor(target, alert, world.now());
    const answer = await exchange(world, request, Math.min(config.requestTimeoutMs, 10_000));
    if (took[target.name](answer)) return { problem: null, passing: false, isDown: false, answered: true };
    const problem = `${describeAnswer(answer, mask)}${whyNotTaken(target.name, answer)}`;
    const askedMs = askedWaitMs(answer, world.now());
    const passing = isPassing(answer.status);
    const isDown = passing && (answer.status < 500 || askedMs !== undefined);
    return { problem, passing, askedMs, isDown, answered: true };
  } catch (error) {
    if (error instanceof Unanswered) return { problem: error.message, passing: true, isDown: true, answered: false };
    if (world.signal.aborted)
      return { problem: 'the process was told to stop', passing: false, isDown: false, answered: false };
    throw error;
  }
}

/** Why not, where the answer looks like a yes. */
function whyNotTaken(target: TargetName, { status }: Answer): string {
  if (status < 200 || status >= 300) return '';
  return ` (only ${target === 'pagerduty' ? 202 : 200} says that it was taken)`;
}

const took: Record<TargetName, (answer: Answer) => boolean> = {
  slack: slackTook,
  pagerduty: pagerDutyTook,
  webhook: webhookTook,
};

/** What is sent to a target for an alert. */
function requestFor(target: TargetConfig, { id, body }: Pick<StoredAlert, 'id' | 'body'>, now: Date): Outgoing {
  switch (target.name) {
    case 'slack':
      return slackRequest(target, body);
    case 'pagerduty':
      return pagerDutyRequest(target, body);
    case 'webhook':
      return webhookRequest(target, body, id, now);
  }
}
