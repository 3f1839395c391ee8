import type { Config } from '../config.ts';
import { inTransaction, type Database, type Transaction } from '../database/database.ts';
import { lockExceptions } from '../exceptions/store.ts';
import { severities } from '../kinds.ts';
import { maskValues, type Mask } from '../secrets.ts';
import { addToTotals, counted, type Increment } from '../metrics/totals.ts';
import type { Message } from './message.ts';
import { isNews, isOver, readNews, type News, type Occasion } from './news.ts';
import { enqueue } from './outbox.ts';
import { pagerDutyMessages } from './pagerduty.ts';
import { slackMessage } from './slack.ts';
import type { TargetConfig } from './target.ts';
import { markTold, toldSoFar } from './told.ts';
import { webhookMessage } from './webhook.ts';

/**
 * Writes into the outbox what happened since each target was told last, in the transaction that ends a run: none is lost,
 * and none tells of what was not stored. `clears`: the run saw enough to say that something is over. Nobody else changes
 * an exception before the transaction ends, so that each is told everything once, and PagerDuty in its order.
 */
export async function announce(
  transaction: Transaction,
  schema: string,
  { at, ending }: Omit<Occasion, 'environment'>,
  { alerts, environment }: Pick<Config, 'alerts' | 'environment'>,
  { clears, mask }: { clears: boolean; mask: Mask },
): Promise<void> {
  await lockExceptions(transaction, schema);
  await transaction`set local enable_nestloop = on`; // what follows looks for few rows by their ids
  const known = new Map<string, News>(); // most targets hear of the same, and there may be 100,000 of it
  for (const target of alerts.targets) {
    const listener = { severity: target.severity, past: await toldSoFar(transaction, schema, target.name) };
    const alike = JSON.stringify(listener);
    const news = known.get(alike) ?? (await readNews(transaction, schema, { environment, at, ending }, listener));
    known.set(alike, news);
    const messages = await messagesFor(transaction, schema, target, news, clears);
    const masked = messages.map((message) => maskValues(message, mask));
    await enqueue(transaction, schema, target.name, masked, { reportId: ending?.report.id ?? null, at });
    await markTold(transaction, schema, target.name);
    if (target === lowestOf(alerts.targets)) await addToTotals(transaction, schema, countedAlerts(news));
  }
}

/** Writes into the outbox what people have done: what they reopened, and what of that which PagerDuty knows is over. */
export async function announceActions(
  database: Database,
  schema: string,
  config: Pick<Config, 'alerts' | 'environment'>,
  { now, mask }: { now: Date; mask: Mask },
): Promise<void> {
  const occasion = { at: now.toISOString(), ending: null };
  await inTransaction(database, 'read write', (transaction) =>
    announce(transaction, schema, occasion, config, { clears: false, mask }),
  );
}

async function messagesFor(
  transaction: Transaction,
  schema: string,
  target: TargetConfig,
  news: News,
  clears: boolean,
): Promise<Message[]> {
  if (target.name === 'pagerduty') return pagerDutyMessages(transaction, schema, news, target, clears);
  if (!isNews(news)) return [];
  return [target.name === 'slack' ? slackMessage(news) : webhookMessage(news)];
}

/** Who hears of most: what it hears of is what counts as alerted. */
function lowestOf(targets: readonly TargetConfig[]): TargetConfig | undefined {
  return targets.toSorted((left, right) => severities.indexOf(left.severity) - severities.indexOf(right.severity))[0];
}

function countedAlerts({ groups, incomplete }: News): Increment[] {
  return [
    ...groups
      .filter((group) => !isOver(group))
      .map(({ check_type, severity, count }) =>
        counted('reconciliation_alerts_total', { check_type, severity }, count),
      ),
    ...incomplete.map(({ check_type }) => counted('reconciliation_alerts_total', { check_type, severity: 'high' })),
  ];
}
